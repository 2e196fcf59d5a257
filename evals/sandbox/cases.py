"""Run a program as a process on given input, and compare what it prints.

The accepted outputs stay on the host: whatever a program does, it passes only by printing one of them. Standard input
is a file, as under `python main.py < input`, so that its size can be asked for and it can be mapped or read twice.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Literal

from evals.sandbox.guest.judge import shortened
from evals.sandbox.launcher import Zygote
from evals.sandbox.program import Case, Program, SandboxError, Status

MOST_ERROR_BYTES = 4_000
MOST_SHOWN = 500
CHUNK_BYTES = 1 << 16
WORD_OR_LINE_END = re.compile(r"\S+|\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


@dataclass
class ProgramRun:
    """A process that has ended.

    Attributes:
        output, errors: what it wrote to standard output, and the end of what it wrote to standard error.
        code: the exit code, as `os.waitstatus_to_exitcode` has it; None when the process had to be ended.
        ended_for: what it used too much of, where that is why it was ended.
    """

    output: bytearray = field(default_factory=bytearray)
    errors: bytearray = field(default_factory=bytearray)
    code: int | None = None
    ended_for: Literal["time", "memory", "output"] | None = None


def check_cases(zygote: Zygote, program: Program, most_bytes: int) -> tuple[Status, str]:
    """Run a program on one case after the other, up to the first that it does not pass, and say what is wrong there.

    Args:
        zygote: starts the processes, each in a world of its own.
        most_bytes: the longest output.

    Raises SandboxError when the zygote fails.
    """
    for case in program.cases:
        run = run_process(zygote, program.completion_code, case.given, program.timeout_seconds, most_bytes)
        status, detail = judged(run, case)
        if run.ended_for == "time":
            detail = f"It took longer than {program.timeout_seconds:g} seconds."
        if status != "passed":
            return status, f"{detail}\nStandard input:\n{shortened(case.given, MOST_SHOWN)}"
    return "passed", ""


def judged(run: ProgramRun, case: Case) -> tuple[Status, str]:
    """The status of a run, and why it did not pass."""
    errors = run.errors.decode("utf-8", "replace")
    match run.ended_for:
        case "time":
            return "timeout", "It took too long."
        case "memory":
            return "memory", "It held more memory than it may."
        case "output":
            return "failed", f"It printed more than the {len(run.output)} bytes that it may."
    if run.code != 0:
        out_of_memory = errors.rstrip().endswith("MemoryError")
        return ("memory" if out_of_memory else "error"), f"{errors}{ending(run.code)}"
    printed = run.output.decode("utf-8", "replace")
    if any(same_words(printed, accepted) for accepted in case.accepted):
        return "passed", ""
    expected = "\nor\n".join(case.accepted)
    return "failed", f"It printed\n{shortened(printed, MOST_SHOWN)}\ninstead of\n{shortened(expected, MOST_SHOWN)}"


def ending(code: int | None) -> str:
    """A sentence on how a program ended."""
    if code is None:
        return "The program had to be ended."
    if code < 0:
        return f"The program was ended by {signal.Signals(-code).name}."
    return f"The program ended with exit code {code}."


def same_words(printed: str, accepted: str) -> bool:
    """Return whether two texts have the same words in the same lines; white space around the texts does not count."""
    return all(one == other for one, other in zip_longest(_words(printed), _words(accepted)))


def _words(text: str) -> Iterator[str]:
    """The words of a text, and a line break for each of its line ends. One at a time, since a text that a program
    printed may have millions."""
    for found in WORD_OR_LINE_END.finditer(text.strip()):
        yield "\n" if found[0].isspace() else found[0]


def run_process(zygote: Zygote, source: str, given: str, timeout_seconds: float, most_bytes: int) -> ProgramRun:
    """Run the text of a program on given standard input until it ends, takes too long, or prints more than
    `most_bytes`. Raises SandboxError when the zygote fails."""
    run = ProgramRun()
    deadline = time.monotonic() + timeout_seconds
    with ExitStack() as readers:
        output, errors = _start(zygote, source, given, readers)
        with selectors.DefaultSelector() as selector:
            for descriptor in (output, errors, zygote.control.fileno()):
                selector.register(descriptor, selectors.EVENT_READ)
            ended = False
            while not ended and run.ended_for is None:
                for key, _ in selector.select(max(0.0, deadline - time.monotonic())):
                    if key.fd == zygote.control.fileno():
                        ended = True
                    elif not _read(run, key.fd, output, most_bytes):
                        selector.unregister(key.fd)
                if not ended and run.ended_for is None and time.monotonic() >= deadline:
                    run.ended_for = "time"
        report = zygote.report() if ended else zygote.end()
        if report["memory"]:
            run.ended_for = "memory"
        run.code = code if isinstance(code := report["code"], int) else None
        for descriptor in (output, errors):  # all that could write to them has ended
            while run.ended_for is None and _read(run, descriptor, output, most_bytes):
                pass
    return run


def _start(zygote: Zygote, source: str, given: str, readers: ExitStack) -> tuple[int, int]:
    """Start the program. Returns where its output and its errors are read, which `readers` closes."""
    with ExitStack() as handed_over:
        pipes = []
        for _ in ("output", "errors"):
            reader, writer = os.pipe()
            readers.callback(os.close, reader)
            handed_over.callback(os.close, writer)
            os.set_blocking(reader, False)
            pipes.append((reader, writer))
        (output, to_output), (errors, to_errors) = pipes
        try:
            zygote.start_program(_file(given, handed_over), to_output, to_errors, _file(source, handed_over))
        except OSError as error:
            raise SandboxError(f"the sandbox broke: {zygote.last_words()}") from error
    return output, errors


def _file(text: str, stack: ExitStack) -> int:
    """A file that holds a text, has no name and cannot be written to, open until `stack` closes it."""
    with tempfile.NamedTemporaryFile() as named:
        named.write(text.encode("utf-8", "surrogatepass"))
        named.flush()
        descriptor = os.open(named.name, os.O_RDONLY)
    stack.callback(os.close, descriptor)
    return descriptor


def _read(run: ProgramRun, descriptor: int, output: int, most_bytes: int) -> bool:
    """Take what a process has written. Returns whether there may be more."""
    try:
        part = os.read(descriptor, CHUNK_BYTES)
    except BlockingIOError:
        return False
    if descriptor != output:
        run.errors = (run.errors + part)[-MOST_ERROR_BYTES:]
        return bool(part)
    run.output += part
    if len(run.output) > most_bytes:
        del run.output[most_bytes:]
        run.ended_for = "output"
    return bool(part)
