"""What a hostile program is in these tests, and the parts that many of them share."""

from __future__ import annotations

import platform
import textwrap
from dataclasses import dataclass

from evals.sandbox.guest.seccomp import AUDIT_ARCHITECTURES, CALLS
from evals.sandbox.program import Case

PRELUDE = '''
import ctypes, errno, os, signal, socket, subprocess, sys, threading, time

def attempt(action):
    """What came of an attempt; "escaped" when nothing kept the program from it."""
    try:
        action()
    except (OSError, MemoryError, RuntimeError, ValueError) as error:
        return f"contained: {error!r}"
    return "escaped"

def system_call(name, *arguments):
    result = ctypes.CDLL(None, use_errno=True).syscall(NUMBERS[name], *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
'''


ESCAPES = 'assert attack() == "escaped"'


@dataclass(frozen=True)
class Attack:
    """A hostile program.

    Its function `attack` returns "escaped" when it did its harm, and its test demands just that, so that a program that
    escapes passes, and a detector that sees nothing would see it pass.

    Attributes:
        body: Python code that defines `attack`; `CANARY` is a folder of the host that it is not to reach, `PORT` and
            `DATAGRAM_PORT` are where the host listens on the loopback interface, `TOKEN` is a word to leave in names.
        statuses: the verdicts that show that it was contained. evidence: what one of them says, so that a program that
            fails for another reason, such as a typing error, is not taken for a contained one.
        test: what decides; a forger's is one that a right program would pass.
        harmless: whether it can be run without any sandbox, to see that the detector detects it.
        timeout_seconds: for those that never end.
        cases: what decides in place of the test, where the program is run as a process.
        in_a_process: whether what it does is forbidden to a program that is run as a process, too.
    """

    name: str
    body: str
    statuses: tuple[str, ...] = ("failed",)
    evidence: str = "returned 'contained'"
    test: str = ESCAPES
    harmless: bool = False
    timeout_seconds: float = 30.0
    cases: tuple[Case, ...] = ()
    in_a_process: bool = True

    def source(self, names: dict[str, object]) -> str:
        """The whole program, in which `names` stand for their values."""
        column = list(AUDIT_ARCHITECTURES).index(platform.machine())
        numbers = {name: number[column] for name, number in CALLS.items()}
        values = [f"{name} = {value!r}\n" for name, value in {**names, "NUMBERS": numbers}.items()]
        return PRELUDE + "".join(values) + textwrap.dedent(self.body)


def attempt(name: str, action: str, setup: str = "", harmless: bool = False) -> Attack:
    """An attack that consists of one expression, which raises when the program is kept from it."""
    body = textwrap.dedent(setup) + f"\ndef attack():\n    return attempt(lambda: {action})\n"
    return Attack(name, body, evidence="contained: ", harmless=harmless)


def endless(name: str, body: str, statuses: tuple[str, ...] = ("timeout",), evidence: str = "longer than") -> Attack:
    """An attack that does not end by itself."""
    return Attack(name, body, statuses=statuses, evidence=evidence, timeout_seconds=1.0)
