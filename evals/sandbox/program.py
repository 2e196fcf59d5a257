"""A program to be judged, what it may use, and the verdict on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from coder.errors import QuickfillError

Status = Literal["passed", "failed", "error", "timeout", "memory", "sandbox"]


@dataclass(frozen=True)
class Case:
    """An input, and the outputs that are right for it.

    Attributes:
        given: standard input.
        accepted: the right outputs, of which one has to be printed. Lines are compared word by word, the white space
            between words and around the whole output aside.
    """

    given: str
    accepted: tuple[str, ...]


@dataclass(frozen=True)
class Program:
    """A candidate and what decides about it: a test that calls its functions, or cases of input and output.

    Attributes:
        task_id: names the program in its verdict.
        completion_code: the whole text of the candidate. A test calls it as a module of its own; for each case it is
            run as a process, `python main.py`, with the input as standard input.
        test: Python code, trusted. Where it defines `check`, as HumanEval's tests do, that is called with the entry
            point; otherwise it is statements that use the candidate's functions by name (MBPP's assertions, with their
            imports before them). The candidate never sees it.
        entry_point: the function that `check` is given; may be empty where the test has no `check`.
        prompt: the task's own text, trusted. What it defines besides the entry point (HumanEval's `poly`,
            `encode_shift`) is there for the test, whatever the candidate makes of it.
        timeout_seconds: wall-clock time for the program and its test together, or for the run of one case.
        cases: what decides in place of a test, where there are any.
    """

    task_id: str
    completion_code: str
    test: str = ""
    entry_point: str = ""
    prompt: str = ""
    timeout_seconds: float = 3.0
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The outcome of a program.

    Attributes:
        status: `passed`; `failed` (an assertion does not hold, the candidate raised where the test called it, or it
            printed something else); `error` (it does not compile, cannot be loaded, ended itself while its functions
            were called, or ended with another exit code than 0); `timeout`; `memory`; `sandbox` (nothing is
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
    """The resources of one program, of all its processes together unless said otherwise.

    Attributes:
        memory_bytes: resident memory; each process may reserve four times as much.
        disk_bytes: the private `/tmp`, which lives in memory.
        processes: processes and threads.
        message_bytes: one call's arguments, or its result, as it travels; or all that a program prints.
    """

    memory_bytes: int = 1 << 30
    disk_bytes: int = 16 << 20
    processes: int = 64
    message_bytes: int = 16 << 20


class SandboxError(QuickfillError):
    """No sandbox can be had, or it broke."""

    exit_code = 4
