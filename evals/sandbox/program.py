"""A program to be judged, what it may use, and the verdict on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from coder.errors import QuickfillError

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
        memory_bytes: resident memory; each process may reserve four times as much.
        disk_bytes: the private `/tmp`, which lives in memory.
        processes: processes and threads.
        message_bytes: one call's arguments, or its result, as it travels.
    """

    memory_bytes: int = 1 << 30
    disk_bytes: int = 16 << 20
    processes: int = 64
    message_bytes: int = 16 << 20


class SandboxError(QuickfillError):
    """No sandbox can be had, or it broke."""

    exit_code = 4
