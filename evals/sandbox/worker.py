"""Check one program at a time: connect a judge with a candidate, wait for the verdict, and end both; or run the program
as a process on the input of each case."""

from __future__ import annotations

import socket
import time
from typing import get_args

from evals.sandbox.bubblewrap import find_bubblewrap, require_linux
from evals.sandbox.cases import check_cases, ending
from evals.sandbox.guest.channel import MessageSocket, PeerError
from evals.sandbox.launcher import Zygote
from evals.sandbox.program import Limits, Program, SandboxError, Status, Verdict

MOST_JOB_BYTES = 64 << 20
"""A program with its test; the benchmarks' own, so that the limit on a candidate's messages says nothing about it."""

FORGED = "the judge's answer is none"


class SandboxWorker:
    """A pair of zygotes, for judges and for candidates.

    Raises SandboxError when there is no sandbox and `sandboxed` is set.
    """

    def __init__(self, limits: Limits, packages: tuple[str, ...], sandboxed: bool) -> None:
        require_linux()
        bubblewrap = find_bubblewrap() if sandboxed else None
        self.sandboxed = sandboxed
        self.limits = limits
        self.judges = Zygote("judge", limits, packages, bubblewrap)
        self.candidates = Zygote("candidate", limits, packages, bubblewrap)

    def check(self, program: Program) -> Verdict:
        """Run a program against its cases or its test.

        Raises SandboxError when a zygote fails; the worker is of no more use then.
        """
        began = time.monotonic()
        if program.cases:
            status, detail = check_cases(self.candidates, program, self.limits.message_bytes)
        else:
            status, detail = self._check_test(program, began + program.timeout_seconds)
        return Verdict(program.task_id, status, detail, time.monotonic() - began, self.sandboxed)

    def _check_test(self, program: Program, deadline: float) -> tuple[Status, str]:
        host, to_host = socket.socketpair()
        to_candidate, to_judge = socket.socketpair()
        with host, to_host, to_candidate, to_judge:
            try:
                self.judges.start(to_host, to_candidate)
                self.candidates.start(to_judge)
            except OSError as error:
                raise SandboxError(f"the sandbox broke: {self.judges.last_words()}") from error
            for handed_over in (to_host, to_candidate, to_judge):
                handed_over.close()
            status, detail, gone = ask(host, program, deadline)
        ended = [self.candidates.end(expected=gone), self.judges.end()]
        if any(report["memory"] for report in ended):
            status, detail = "memory", "It held more memory than it may."
        elif status == "error" and isinstance(code := ended[0]["code"], int):
            detail = f"{detail}\n{ending(code)}"
        return status, detail

    def close(self) -> None:
        self.judges.close()
        self.candidates.close()


def ask(host: socket.socket, program: Program, deadline: float) -> tuple[Status, str, bool]:
    """Hand a program to its judge, and return status, detail, and whether the candidate has left by itself."""
    channel = MessageSocket(host, MOST_JOB_BYTES)
    host.settimeout(max(0.001, deadline - time.monotonic()))
    job = {
        "source": program.completion_code,
        "prompt": program.prompt,
        "test": program.test,
        "entry_point": program.entry_point,
    }
    try:
        channel.send(job)
        match channel.receive():
            case {"status": str(status), "detail": str(detail), "gone": bool(gone)} if status in get_args(Status):
                return status, detail.encode("utf-8", "backslashreplace").decode(), gone  # pyright: ignore[reportReturnType]
    except TimeoutError:
        return "timeout", f"It took longer than {program.timeout_seconds:g} seconds.", False
    except PeerError as error:
        return "error", f"The judge ended: {error}", False
    return "error", FORGED, False
