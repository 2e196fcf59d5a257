"""The judge's side of a candidate: functions as proxies, other objects as handles, answers as plain data."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from contextlib import suppress

from evals.sandbox.guest.channel import MessageSocket, PeerError, PeerGoneError
from evals.sandbox.guest.codec import CodecError, decode, encode

MOST_SHOWN = 500


class CandidateError(BaseException):
    """The candidate ended, or broke the protocol. No test catches it as an exception of its own program."""


class Candidate:
    """A candidate process, as far as its answers tell.

    Attributes:
        fault: the first thing that keeps it from passing whatever the test goes on to do, such as an answer that is
            none. A test that swallows exceptions cannot swallow this.
        gone: whether it has closed its side, as a process does that ends.
        last_call: the latest call with what came of it, for people.
    """

    def __init__(self, channel: MessageSocket) -> None:
        self.channel = channel
        self.fault: str | None = None
        self.gone = False
        self.last_call = ""

    def load(self, source: str) -> None:
        """Raises what the program raised while it was loaded."""
        self.request(["load", source])

    def globals(self, names: set[str]) -> dict[str, object]:
        """Those of `names` that the program defines: plain values, or handles."""
        answers = {name: self.answer(["global", name]) for name in sorted(names)}
        return {name: self.result(answer) for name, answer in answers.items() if "missing" not in answer}

    def call(self, function: Remote, arguments: tuple[object, ...], keywords: dict[str, object]) -> object:
        """Call a function of the candidate; what it changes in its arguments is changed in `arguments` too.

        Raises TypeError for an argument that is no plain data, and what the function raised.
        """
        name = function._kind.removeprefix("function ")
        shown = f"{name}({', '.join(map(repr, arguments))})"[:MOST_SHOWN]
        self.last_call = f"{shown} did not return"
        sent = [self.encode(argument) for argument in arguments]
        answer = self.answer(
            ["call", self.encode(function), sent, {name: self.encode(value) for name, value in keywords.items()}]
        )
        if isinstance(changed := answer.get("arguments"), list) and len(changed) == len(arguments):
            for argument, data in zip(arguments, changed, strict=True):
                update(argument, self.decode(data))
        result = self.result(answer)
        self.last_call = f"{shown} returned {result!r}"[: 2 * MOST_SHOWN]
        return result

    def request(self, request: list[object]) -> object:
        return self.result(self.answer(request))

    def answer(self, request: list[object]) -> dict[str, object]:
        """Raises CandidateError when there is no answer that could be one."""
        try:
            self.channel.send(request)
            answer = self.channel.receive()
        except PeerError as error:
            self.gone = isinstance(error, PeerGoneError)
            raise self.broken(f"the program stopped answering: {error}") from None
        if not isinstance(answer, dict):
            raise self.broken("the program's answer is none")
        return answer

    def result(self, answer: dict[str, object]) -> object:
        """The value that an answer holds. Raises the exception that it describes."""
        match answer:
            case {"raised": str(kind), "details": details, "trace": str(trace)}:
                raise self.exception(kind, self.decode(details), trace)
            case {"result": data}:
                return self.decode(data)
        raise self.broken("the program's answer is none")

    def exception(self, kind: str, details: object, trace: str) -> BaseException:
        """An exception of one of Python's own types, with the candidate's traceback as a note."""
        known = getattr(builtins, kind, None)
        made: BaseException = RuntimeError(f"{kind}: {details!r}"[:MOST_SHOWN])
        if isinstance(known, type) and issubclass(known, BaseException) and isinstance(details, tuple):
            with suppress(TypeError, ValueError):
                made = known(*details)
        made.add_note(f"In the program:\n{trace}")
        return made

    def encode(self, value: object) -> object:
        def refer(item: object) -> tuple[int, str]:
            if isinstance(item, Remote):
                return item._number, item._kind
            raise CodecError(f"a {type(item).__name__} cannot be handed to the program, only plain data can")

        return encode(value, refer)

    def decode(self, data: object) -> object:
        try:
            return decode(data, lambda number, kind: Remote(self, number, kind))
        except (CodecError, RecursionError) as error:
            raise self.broken(f"the program's answer is none: {error}") from None

    def broken(self, reason: str) -> CandidateError:
        self.fault = self.fault or reason
        return CandidateError(reason)


class Remote:
    """An object of the candidate that is no plain data: a function, a class, an instance. It can be called, handed
    back, iterated over, and asked for attributes, each of which yields plain data or another handle. It is never
    compared, hashed or taken for true, since the candidate would decide about that."""

    __slots__ = ("_candidate", "_kind", "_number")

    def __init__(self, candidate: Candidate, number: int, kind: str) -> None:
        object.__setattr__(self, "_candidate", candidate)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_kind", kind)

    def __call__(self, *arguments: object, **keywords: object) -> object:
        return self._candidate.call(self, arguments, keywords)

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") and name not in {"__name__", "__doc__"}:
            raise AttributeError(name)
        return self._candidate.request(["get", self._candidate.encode(self), name])

    def __setattr__(self, name: str, value: object) -> None:
        self._candidate.request(["set", self._candidate.encode(self), name, self._candidate.encode(value)])

    def __iter__(self) -> Iterator[object]:
        items = self._candidate.request(["items", self._candidate.encode(self)])
        if not isinstance(items, list):
            raise self._candidate.broken("the program's answer is no list of items")
        return iter(items)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        raise self._refused("compared")

    def __bool__(self) -> bool:
        raise self._refused("taken for true or false")

    def _refused(self, what: str) -> TypeError:
        reason = f"a {self._kind} of the program is {what}, which only plain data can be"
        self._candidate.broken(reason)
        return TypeError(reason)

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        return f"<{self._kind} of the program>"


def update(value: object, changed: object) -> None:
    """Change mutable plain data in place into what the candidate made of its copy; what stays where it was keeps its
    identity."""
    match value, changed:
        case list(), list():
            value[:] = [_kept(*pair) for pair in zip(value, changed, strict=False)] + changed[len(value) :]
        case dict(), dict():
            items = {key: _kept(value[key], item) if key in value else item for key, item in changed.items()}
            value.clear()
            value.update(items)
        case set(), set():
            value.clear()
            value.update(changed)
        case bytearray(), bytearray():
            value[:] = changed
        case tuple(), tuple():
            for pair in zip(value, changed, strict=False):
                update(*pair)


def _kept(value: object, changed: object) -> object:
    if type(value) is type(changed) and isinstance(value, list | dict | set | bytearray | tuple):
        update(value, changed)
        return value if value == changed else changed
    return changed
