"""Several requests through one model together: their passes meet, and are run as one batch.

Every request is answered by ordinary code on a thread of its own, as if it were alone. The threads take turns: one of
them runs at a time, until it asks for a pass. When all wait for one, the passes are run together and all go on. So
nothing that the threads share needs a lock, a request joins when another has finished, and each ends in its own time
(continuous batching: Orca, OSDI 2022).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from coder.model.checkpoint.config import ModelConfig
from coder.model.runtime import Cache, LocalStep, Pass, Predictions, Runtime

TOGETHER = 8
"""How many requests are worked on at a time: a key-value cache each."""

Answer = TypeVar("Answer")
P = ParamSpec("P")


@dataclass
class Question:
    """A pass that somebody waits for, and in the end its predictions or the error that prevented them."""

    cache: Cache
    request: Pass
    answer: Predictions | BaseException | None = None


class MeetingRuntime:
    """Implements `coder.model.runtime.Runtime` with the passes of another one, for threads that take turns.

    A thread takes part between `__enter__` and `__exit__` of `turn()`. While none does, a pass is simply run.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._turn = threading.Condition(threading.Lock())
        """Held by the thread whose turn it is."""
        self._members = 0
        self._counting = threading.Lock()
        """So that members can be counted while somebody has the turn, and will be waited for."""
        self._waiting: list[Question] = []
        self._here = threading.local()

    @property
    def taken_part_in(self) -> bool:
        """Whether the calling thread takes part."""
        return getattr(self._here, "inside", False)

    @property
    def config(self) -> ModelConfig:
        return self._runtime.config

    @property
    def description(self) -> dict[str, str]:
        return self._runtime.description

    def new_cache(self) -> Cache:
        return self._runtime.new_cache()

    def forward(self, cache: Cache, request: Pass) -> Predictions:
        """Run one pass together with those of all others that take part."""
        fits = len(cache.tokens) + len(request.tokens) <= self.config.max_positions
        if self._members < 2 or not fits:  # what does not fit is refused alone, so that the others go on
            return self._runtime.forward(cache, request)
        question = Question(cache, request)
        self._waiting.append(question)
        self._run_if_all_wait()
        self._turn.wait_for(lambda: question.answer is not None)
        if isinstance(question.answer, BaseException):
            raise question.answer
        assert question.answer is not None
        return question.answer

    def forward_batch(self, caches: Sequence[Cache], requests: Sequence[Pass]) -> list[Predictions]:
        return self._runtime.forward_batch(caches, requests)

    def forward_local(self, step: LocalStep) -> Predictions:
        """Run a step at once: it is too small to wait for company, and whoever takes part has the turn already."""
        return self._runtime.forward_local(step)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Take part: wait for the turn, and keep it but while waiting for a pass."""
        with self._counting:
            self._members += 1
        with self._turn:
            self._here.inside = True
            try:
                yield
            finally:
                self._here.inside = False
                with self._counting:
                    self._members -= 1
                self._run_if_all_wait()

    def run(self, tasks: Sequence[Callable[[], Answer]], together: int) -> list[Answer]:
        """The answers of `tasks`, in their order, of which up to `together` take part at a time.

        The first error that one raises is raised when those under way are done; the rest is not begun.
        """
        answers: dict[int, Answer] = {}
        errors: list[BaseException] = []
        pending = iter(enumerate(tasks))

        def work() -> None:
            with self.turn():
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

    def _run_if_all_wait(self) -> None:
        if not self._waiting or len(self._waiting) < self._members:
            return
        waiting, self._waiting = self._waiting, []
        try:
            answers = self._runtime.forward_batch(
                [question.cache for question in waiting], [question.request for question in waiting]
            )
            for question, answer in zip(waiting, answers, strict=True):
                question.answer = answer
        except BaseException as error:
            for question in waiting:
                question.answer = error
        self._turn.notify_all()


class Worker(ThreadPoolExecutor):
    """A thread that does one thing after the other, and takes part in the meeting meanwhile. What other threads ask for
    that take part is done at once and in place."""

    def __init__(self, meeting: MeetingRuntime) -> None:
        super().__init__(max_workers=1, thread_name_prefix="quickfill-engine")
        self._meeting = meeting

    def submit(self, fn: Callable[P, Answer], /, *args: P.args, **kwargs: P.kwargs) -> Future[Answer]:
        if not self._meeting.taken_part_in:
            return super().submit(self._in_turn, fn, *args, **kwargs)
        future: Future[Answer] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future

    def meet(self, tasks: Sequence[Callable[[], Answer]], together: int) -> list[Answer]:
        """The answers of `tasks`, of which up to `together` take part at a time; in place, one after the other."""
        if self._meeting.taken_part_in:
            return [task() for task in tasks]
        return super().submit(self._meeting.run, tasks, together).result()

    def _in_turn(self, fn: Callable[P, Answer], *args: P.args, **kwargs: P.kwargs) -> Answer:
        with self._meeting.turn():
            return fn(*args, **kwargs)
