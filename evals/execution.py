"""Run generated programs against their tests, contained, and say which pass. This is the door to the sandbox.

    with Executor() as executor:
        for verdict in executor.check_all(programs):
            print(verdict.task_id, verdict.status)

A program is never judged by itself: it runs in one process, its tests in another, and between them travels plain data.
`evals/sandbox/__init__.py` explains how.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from types import TracebackType
from typing import TYPE_CHECKING, Self

from evals.sandbox.program import Limits, Program, SandboxError, Verdict

if TYPE_CHECKING:
    from evals.sandbox.worker import SandboxWorker

PROGRAMS_AHEAD = 16
"""Programs that a worker may be ahead of the oldest verdict that is still awaited."""

ATTEMPTS = 2


PROBE = Program("probe", "def probe():\n    return [1]\n", "assert probe() == [1]\n", timeout_seconds=30.0)


class Executor:
    """Checks programs in parallel; on Linux only.

    Args:
        workers: programs at a time; None takes one a core.
        allow_unsandboxed: where no sandbox can be had, run with resource limits alone; every verdict then says so.
        limits: what one program may use.
        packages: installed packages, by name, that programs and tests may import besides the standard library.

    Raises:
        SandboxError: on entering, when no sandbox can be had and `allow_unsandboxed` is not set; it says what to do.
    """

    def __init__(
        self,
        workers: int | None = None,
        allow_unsandboxed: bool = False,
        limits: Limits | None = None,
        packages: tuple[str, ...] = (),
    ) -> None:
        self.workers = workers
        self.allow_unsandboxed = allow_unsandboxed
        self.limits = limits or Limits()
        self.packages = packages

        self._idle: Queue[SandboxWorker | None] = Queue()  # None stands for one that is yet to be started
        self._pool: ThreadPoolExecutor | None = None
        self._sandboxed = True

    @property
    def sandboxed(self) -> bool:
        """True where programs run in the sandbox; known once the executor is entered."""
        return self._sandboxed

    def __enter__(self) -> Self:
        self._idle.put(self._first_worker())
        count = self.workers or os.cpu_count() or 1
        for _ in range(count - 1):
            self._idle.put(None)
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="check")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends all that still runs."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        while not self._idle.empty():
            if worker := self._idle.get():
                worker.close()

    def check_all(self, programs: Iterable[Program]) -> Iterator[Verdict]:
        """The verdicts in the order of the programs, as they come; programs are taken from `programs` as needed."""
        if self._pool is None:
            raise RuntimeError("an executor is used in a `with` statement")
        waiting: deque[Future[Verdict]] = deque()
        most = PROGRAMS_AHEAD * (self.workers or os.cpu_count() or 1)
        for program in programs:
            waiting.append(self._pool.submit(self._check, program))
            while waiting and (len(waiting) >= most or waiting[0].done()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _check(self, program: Program) -> Verdict:
        """Check a program, with a new worker where the old one breaks."""
        reason = ""
        for _ in range(ATTEMPTS):
            worker = self._idle.get()
            try:
                worker = worker or self._worker()
                return worker.check(program)
            except SandboxError as error:
                reason = str(error)
                if worker is not None:
                    worker.close()
                worker = None
            finally:
                self._idle.put(worker)
        return Verdict(program.task_id, "sandbox", reason, 0.0, self._sandboxed)

    def _first_worker(self) -> SandboxWorker:
        """A worker that is seen to work; without a sandbox only where that is allowed."""
        try:
            return self._seen_to_work(self._worker())
        except SandboxError:
            if not self.allow_unsandboxed:
                raise
        self._sandboxed = False
        return self._seen_to_work(self._worker())

    def _worker(self) -> SandboxWorker:
        from evals.sandbox.worker import SandboxWorker

        return SandboxWorker(self.limits, self.packages, self._sandboxed)

    def _seen_to_work(self, worker: SandboxWorker) -> SandboxWorker:
        verdict = worker.check(PROBE)
        if not verdict.passed:
            worker.close()
            raise SandboxError(f"the sandbox cannot run the simplest program: {verdict.status}, {verdict.detail}")
        return worker
