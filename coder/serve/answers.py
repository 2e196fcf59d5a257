"""An answer as all APIs need it: cut at the client's stop texts, and streamed as far as its text is final."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest
from coder.api.text_requests import redecoded
from coder.diffusion.events import Statistics
from coder.serve.http.refusals import ComputedTooLongError
from coder.serve.service import EngineTurn, Service

Finish = Literal["stop", "length"]

MASKED = "\N{LIGHT SHADE}"
"""The character of a masked slot in a snapshot of the canvas."""


@dataclass(frozen=True)
class AnswerProgress:
    """An unfinished answer: the beginning of its text that will stay, and the canvas behind what is settled."""

    text: str
    canvas: CanvasUpdate

    @property
    def snapshot(self) -> str:
        """All there is of the answer, masked slots included."""
        slots = (MASKED if slot.text is None else slot.text for slot in self.canvas.slots)
        return self.canvas.settled + "".join(slots)


@dataclass(frozen=True)
class Written:
    """A finished answer.

    Attributes:
        finish: `stop` where the model or one of the client's stop texts ended it; `length` where a limit did, in tokens
            or in time.
        stopped_by: the stop text that ended it.
    """

    text: str
    finish: Finish
    completion: Completion
    stopped_by: str = ""

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the context; the last one, the anchor, is in no prefill."""
        return self.completion.statistics.reused_tokens + self.completion.statistics.prefill_tokens + 1

    @property
    def completion_tokens(self) -> int:
        return self.completion.tokens


async def write(
    service: Service, request: CompletionRequest, stops: Sequence[str], client: str
) -> AsyncGenerator[AnswerProgress | Written, None]:
    """Yield progress, then the answer. With no tokens to write only the context is read, for later requests.

    Raises as `Service.run`, and ComputedTooLongError for a conversation that was not read in its time.
    """
    if request.decoding.max_tokens == 0:
        yield await _read(service, request, client)
        return
    # These clients insert the answer at the cursor, so the whole suffix stays.
    request = replace(request, replace_brackets=False)
    stops = [stop for stop in stops if stop]
    enough = threading.Event()
    found: tuple[str, str] | None = None
    async with aclosing(service.stream(request, client, enough)) as events:
        async for event in events:
            if isinstance(event, Completion):
                if request.conversation and event.finish_reason == "deadline" and not event.tokens:
                    raise ComputedTooLongError  # a turn that says nothing looks like an answer
                text, stop = found or cut(event.text, stops)
                yield Written(text, "stop" if stop or event.finish_reason in ("end", "loop") else "length", event, stop)
            elif found:
                yield AnswerProgress("", event)
            else:
                text, stop = cut(event.stays, stops)
                if stop:
                    # What it has cost comes with the completion, within a pass.
                    found = text, stop
                    enough.set()
                yield AnswerProgress(text if stop else sure(text, stops), event)


async def _read(service: Service, request: CompletionRequest, client: str) -> Written:
    request = redecoded(request, max_tokens=1)

    def work(turn: EngineTurn) -> Completion:
        turn.engine.prefill(redecoded(request, deadline_ms=turn.deadline_ms), turn.cancelled)
        tokens = turn.engine.count_tokens(request.prefix) + turn.engine.count_tokens(request.suffix)
        return Completion("", "length", 0, 0.0, Statistics(request.decoding.policy, prefill_tokens=tokens))

    return Written("", "length", await service.call(work, client, request.decoding.deadline_ms))


def cut(text: str, stops: Sequence[str]) -> tuple[str, str]:
    """Return the text before the first stop text, and that one, the longest at its place; else the whole text."""
    places = [(text.find(stop), -len(stop), stop) for stop in stops if stop in text]
    place, _, stop = min(places, default=(len(text), 0, ""))
    return text[:place], stop


def sure(text: str, stops: Sequence[str]) -> str:
    """Return the text without an end that may be the beginning of a stop text, or a part of a character."""
    text = text.rstrip("\N{REPLACEMENT CHARACTER}")
    longest = max(map(len, stops), default=1)
    for start in range(max(0, len(text) - longest + 1), len(text)):
        if any(stop.startswith(text[start:]) for stop in stops):
            return text[:start]
    return text


def added(before: str, after: str) -> str:
    """Return the part that a text has grown by; empty where it has not grown."""
    return after[len(before) :] if after.startswith(before) else ""
