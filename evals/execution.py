"""Run generated programs against their tests, contained, and say which pass. This is the door to the sandbox.

    with Executor() as executor:
        for verdict in executor.check_all(programs):
            print(verdict.task_id, verdict.status)

A program is never judged by itself: it runs in one process, its tests in another, and between them travels plain data.
`evals/sandbox/__init__.py` explains how.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

Status = Literal["passed", "failed", "error", "timeout", "memory", "sandbox"]


@dataclass(frozen=True)
class Program:
    """A candidate and the test that decides about it.

    Attributes:
        task_id: names the program in its verdict.
        completion_code: the whole text of the candidate, which is run as a module of its own.
        test: Python code, trusted. Where it defines `check`, as HumanEval's tests do, that is called with the entry
            point; otherwise it is statements that use the candidate's functions by name (MBPP's assertions, with their
            imports before them). The candidate never sees it.
        entry_point: the function that `check` is given; may be empty where the test has no `check`.
        prompt: the task's own text, trusted. What it defines besides the entry point (HumanEval's `poly`,
            `encode_shift`) is there for the test, whatever the candidate makes of it.
        timeout_seconds: wall-clock time for the program and its test together.
    """

    task_id: str
    completion_code: str
    test: str
    entry_point: str = ""
    prompt: str = ""
    timeout_seconds: float = 3.0


@dataclass(frozen=True)
class Verdict:
    """What became of a program.

    Attributes:
        status: `passed`; `failed` (an assertion does not hold, or the candidate raised where the test called it);
            `error` (it does not compile, cannot be loaded, or ended itself); `timeout`; `memory`; `sandbox` (nothing is
            known about the program, since the sandbox broke).
        detail: for people: the traceback or the assertion, cut to a few thousand characters; empty when it passed.
        seconds: wall-clock time.
        sandboxed: whether it ran in the sandbox, and not with `allow_unsandboxed` alone.
    """

    task_id: str
    status: Status
    detail: str
    seconds: float
    sandboxed: bool

    @property
    def passed(self) -> bool:
        return self.status == "passed"


@dataclass(frozen=True)
class Limits:
    """What one program may use, all its processes together unless said otherwise.

    Attributes:
        memory_bytes: resident memory; also the address space of each process.
        disk_bytes: the private `/tmp`, which lives in memory.
        processes: processes and threads.
        message_bytes: one call's arguments, or its result, as it travels.
    """

    memory_bytes: int = 1 << 30
    disk_bytes: int = 16 << 20
    processes: int = 64
    message_bytes: int = 16 << 20


class Executor:
    """Checks programs in parallel.

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

    @property
    def sandboxed(self) -> bool:
        """Whether programs run in the sandbox; known once the executor is entered."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends all that still runs."""

    def check_all(self, programs: Iterable[Program]) -> Iterator[Verdict]:
        """The verdicts in the order of the programs, as they come; programs are taken from `programs` as needed."""
        raise NotImplementedError
