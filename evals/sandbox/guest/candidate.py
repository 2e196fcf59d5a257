"""The process that runs a generated program: it serves calls of the program's functions, or becomes the program.
Nothing here is trusted by the judge."""

from __future__ import annotations

import linecache
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import NoReturn

from evals.sandbox.guest.channel import MessageSocket, PeerError
from evals.sandbox.guest.codec import CodecError, decode, encode

MODULE = "candidate"
FILE = "candidate.py"
MAIN_FILE = "main.py"
MOST_TRACE_CHARACTERS = 4_000


def become_program(source: int, packages: list[str]) -> NoReturn:
    """Replace this process by a Python that runs the text of the file `source` as its main module, in this folder and
    with this process's standard streams; `packages` are folders to import from besides the standard library."""
    with open(source, "rb") as text:
        Path(MAIN_FILE).write_bytes(text.read())
    environment = {"PYTHONHASHSEED": "0", **({"PYTHONPATH": os.pathsep.join(packages)} if packages else {})}
    os.execve(sys.executable, [sys.executable, "-s", "-B", "-X", "utf8", MAIN_FILE], environment)


def run_candidate(channel: MessageSocket) -> None:
    """Load the program that the first message holds, then answer requests until there are no more."""
    server = CandidateServer()
    while True:
        try:
            request = channel.receive()
        except PeerError:
            return
        try:
            answer = server.answer(request)
        except BaseException as error:
            answer = described(error)
        try:
            channel.send(answer)
        except (PeerError, ValueError, RecursionError, MemoryError) as error:
            channel.send(described(error))


class CandidateServer:
    """The loaded program, and those of its objects that the judge knows by number."""

    def __init__(self) -> None:
        self.module = ModuleType(MODULE)
        self.objects: list[object] = []

    def answer(self, request: object) -> dict[str, object]:
        """The answer to one request: `result`, and after a call `arguments` when it changed them."""
        match request:
            case ["load", str(source)]:
                self.load(source)
                return {"result": None}
            case ["global", str(name)]:
                if not hasattr(self.module, name):
                    return {"missing": True}
                return {"result": encode(getattr(self.module, name), self.refer)}
            case ["call", function, list(arguments), dict(keywords)]:
                return self.call(function, arguments, keywords)
            case ["get", data, str(name)]:
                return {"result": encode(getattr(self.decoded(data), name), self.refer)}
            case ["set", data, str(name), value]:
                setattr(self.decoded(data), name, self.decoded(value))
                return {"result": None}
            case ["items", data]:
                return {"result": encode(list(self.decoded(data)), self.refer)}  # pyright: ignore[reportArgumentType]
        raise CodecError("an unknown request")

    def load(self, source: str) -> None:
        linecache.cache[FILE] = (len(source), None, source.splitlines(keepends=True), FILE)
        sys.modules[MODULE] = self.module
        exec(compile(source, FILE, "exec", dont_inherit=True), self.module.__dict__)

    def call(self, function: object, arguments: list[object], keywords: dict[str, object]) -> dict[str, object]:
        values = [self.decoded(item) for item in arguments]
        named = {name: self.decoded(item) for name, item in keywords.items()}
        try:
            answer = {"result": encode(self.decoded(function)(*values, **named), self.refer)}  # pyright: ignore[reportCallIssue]
        except BaseException as error:
            answer = described(error)
        after = [encode(item, self.refer) for item in values]
        return answer if after == arguments else {**answer, "arguments": after}

    def decoded(self, data: object) -> object:
        return decode(data, lambda number, _: self.objects[number])

    def refer(self, value: object) -> tuple[int, str]:
        for number, known in enumerate(self.objects):
            if known is value:
                return number, _kind(value)
        self.objects.append(value)
        return len(self.objects) - 1, _kind(value)


def _kind(value: object) -> str:
    return f"function {value.__name__}" if isinstance(value, FunctionType) else type(value).__name__


def described(error: BaseException) -> dict[str, object]:
    """An exception as the judge is told of it: the nearest type that Python has itself, arguments, and traceback."""

    def refuse(value: object) -> tuple[int, str]:
        raise CodecError(f"a {type(value).__name__} is no plain data")

    try:
        arguments = encode(error.args, refuse)
    except (CodecError, RecursionError):
        arguments = encode((str(error),), refuse)
    return {
        "raised": next(_builtin_names(error)),
        "details": arguments,
        "trace": "".join(_trace(error))[-MOST_TRACE_CHARACTERS:],
    }


def _builtin_names(error: BaseException) -> Iterator[str]:
    return (kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins")


def _trace(error: BaseException) -> Iterator[str]:
    """The traceback from the program's own first frame on."""
    frames = traceback.extract_tb(error.__traceback__)
    while frames and frames[0].filename != FILE:
        del frames[0]
    yield from traceback.format_list(frames)
    yield from traceback.format_exception_only(error)
