"""Batching of the passes of several requests through one model, or several models that are loaded side by side.

Every request is answered by ordinary code on a thread of its own, as if it were alone. The threads take turns: one of
them runs at a time, until it asks for a pass. When all wait for one, the passes of each model are run as one batch and
all go on. So
nothing that the threads share needs a lock, a request joins when another has finished, and each ends in its own time
(continuous batching: Orca, OSDI 2022).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from coder.model.checkpoint.config import ModelConfig
from coder.model.runtime import Cache, LocalStep, Pass, Predictions, Runtime

TOGETHER = 8
"""Requests that are worked on at a time: a key-value cache each."""

Answer = TypeVar("Answer")
P = ParamSpec("P")


@dataclass
class WaitingPass:
    """A pass that a thread waits for, and in the end its predictions or the error that prevented them."""

    runtime: Runtime
    cache: Cache
    request: Pass
    answer: Predictions | BaseException | None = None


class Turns:
    """The threads that have joined, of which one runs at a time, and the passes that they wait for."""

    def __init__(self) -> None:
        self._turn = threading.Condition(threading.Lock())
        """Held by the thread whose turn it is."""
        self.members = 0
        # A lock of its own: whoever joins is counted while another thread has the turn, so that the next batch waits
        # for the newcomer too.
        self._counting = threading.Lock()
        self._waiting: list[WaitingPass] = []
        self._here = threading.local()

    @property
    def is_joined(self) -> bool:
        """Return whether the calling thread has joined."""
        return getattr(self._here, "inside", False)

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Join: wait for the turn, and keep it but while waiting for a pass."""
        with self._counting:
            self.members += 1
        with self._turn:
            self._here.inside = True
            try:
                yield
            finally:
                self._here.inside = False
                with self._counting:
                    self.members -= 1
                # The others may all be waiting by now, for nobody but the one that leaves.
                self._run_if_all_wait()

    def wait_for(self, waiting_pass: WaitingPass) -> Predictions:
        """Run a pass, in a batch with those of all threads that have joined. Raises as its runtime does."""
        self._waiting.append(waiting_pass)
        # Whoever is the last to ask runs the batch for all. The others gave their turn away in `wait_for`, which
        # returns with the turn taken back, so that again only one thread runs.
        self._run_if_all_wait()
        self._turn.wait_for(lambda: waiting_pass.answer is not None)
        if isinstance(waiting_pass.answer, BaseException):
            raise waiting_pass.answer
        assert waiting_pass.answer is not None
        return waiting_pass.answer

    def _run_if_all_wait(self) -> None:
        if not self._waiting or len(self._waiting) < self.members:
            return
        waiting, self._waiting = self._waiting, []
        for runtime in dict.fromkeys(waiting_pass.runtime for waiting_pass in waiting):
            _run([waiting_pass for waiting_pass in waiting if waiting_pass.runtime is runtime])
        self._turn.notify_all()


def _run(waiting: Sequence[WaitingPass]) -> None:
    """Run passes of one model as a batch, and answer them."""
    try:
        answers = waiting[0].runtime.forward_batch(
            [waiting_pass.cache for waiting_pass in waiting], [waiting_pass.request for waiting_pass in waiting]
        )
        for waiting_pass, answer in zip(waiting, answers, strict=True):
            waiting_pass.answer = answer
    except BaseException as error:
        for waiting_pass in waiting:
            waiting_pass.answer = error


class BatchingRuntime:
    """A `coder.model.runtime.Runtime` that batches the passes of the threads that have joined it.

    A thread has joined while it is inside `joined()`. While none has, a pass is simply run. Runtimes with the same
    `turns` have the same threads joined.
    """

    def __init__(self, runtime: Runtime, turns: Turns | None = None) -> None:
        self._runtime = runtime
        self.turns = turns or Turns()

    @property
    def is_joined(self) -> bool:
        """Return whether the calling thread has joined."""
        return self.turns.is_joined

    def joined(self) -> AbstractContextManager[None]:
        """Join; see `Turns.joined`."""
        return self.turns.joined()

    @property
    def config(self) -> ModelConfig:
        return self._runtime.config

    @property
    def description(self) -> dict[str, str]:
        return self._runtime.description

    def new_cache(self) -> Cache:
        return self._runtime.new_cache()

    def forward(self, cache: Cache, request: Pass) -> Predictions:
        """Run one pass, in a batch with those of all threads that have joined. Raises as the runtime below does."""
        fits = len(cache.tokens) + len(request.tokens) <= self.config.max_positions
        # A pass that does not fit is refused alone: in a batch its error would end the requests of the others.
        if self.turns.members < 2 or not fits:
            return self._runtime.forward(cache, request)
        return self.turns.wait_for(WaitingPass(self._runtime, cache, request))

    def forward_batch(self, caches: Sequence[Cache], requests: Sequence[Pass]) -> list[Predictions]:
        return self._runtime.forward_batch(caches, requests)

    def forward_local(self, step: LocalStep) -> Predictions:
        """Run a step at once: it is too small to wait for others, and a thread that has joined has the turn."""
        return self._runtime.forward_local(step)

    def run(self, tasks: Sequence[Callable[[], Answer]], together: int) -> list[Answer]:
        """Return the answers of `tasks`, in their order; up to `together` are worked on at a time.

        The first error that one raises is raised when those under way are done; the rest is not begun.
        """
        answers: dict[int, Answer] = {}
        errors: list[BaseException] = []
        pending = iter(enumerate(tasks))

        def work() -> None:
            with self.joined():
                for index, task in pending:
                    try:
                        answers[index] = task()
                    except BaseException as error:
                        errors.append(error)
                    if errors:
                        return

        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(together, len(tasks)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return [answers[index] for index in range(len(tasks))]


class Worker(ThreadPoolExecutor):
    """A thread that has joined the runtime and does one task after the other. A task that a joined thread submits is
    done at once, in that thread: it has the turn, and the worker would wait for it."""

    def __init__(self, batching: BatchingRuntime) -> None:
        super().__init__(max_workers=1, thread_name_prefix="quickfill-engine")
        self._batching = batching

    def submit(self, fn: Callable[P, Answer], /, *args: P.args, **kwargs: P.kwargs) -> Future[Answer]:
        if not self._batching.is_joined:
            return super().submit(self._joined, fn, *args, **kwargs)
        future: Future[Answer] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future

    def run_together(self, tasks: Sequence[Callable[[], Answer]], together: int) -> list[Answer]:
        """Return the answers of `tasks`, of which up to `together` are worked on at a time; one after the other where
        the calling thread has joined."""
        if self._batching.is_joined:
            return [task() for task in tasks]
        return super().submit(self._batching.run, tasks, together).result()

    def _joined(self, fn: Callable[P, Answer], *args: P.args, **kwargs: P.kwargs) -> Answer:
        with self._batching.joined():
            return fn(*args, **kwargs)
