"""An answer as all APIs need it: cut at the client's stop texts, told while it is written as far as it is sure."""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal

from coder.completion import FREE, CanvasUpdate, Completion, CompletionRequest
from coder.diffusion.events import Statistics
from coder.serve.service import Service

Finish = Literal["stop", "length"]


@dataclass(frozen=True)
class Progress:
    """While an answer is written: the beginning of its text that will stay, and the canvas behind what is settled."""

    text: str
    canvas: CanvasUpdate


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
    stopped_by: str | None = None

    @property
    def prompt_tokens(self) -> int:
        return prompt_tokens(self.completion.statistics)

    @property
    def completion_tokens(self) -> int:
        return self.completion.tokens


def prompt_tokens(statistics: Statistics) -> int:
    """Tokens of the context; the last one, the anchor, is in no prefill."""
    return statistics.reused_tokens + statistics.prefill_tokens + 1


def in_its_line(request: CompletionRequest) -> CompletionRequest:
    """The request as the server asks it: the whole suffix stays, and a hole that code follows in its line ends where
    that goes on best."""
    inside = re.search(r"\w", request.suffix.partition("\n")[0]) is not None
    return replace(request, replace_brackets=False, template=FREE if inside else None)


async def write(
    service: Service, request: CompletionRequest, stops: Sequence[str], client: str
) -> AsyncGenerator[Progress | Written, None]:
    """Progress, then what was written. Raises as `Service.run`."""
    request = in_its_line(request)
    enough = threading.Event()
    stops = [stop for stop in stops if stop]
    found: tuple[str, str] | None = None
    async with aclosing(service.stream(request, client, enough)) as events:
        async for event in events:
            if isinstance(event, Completion):
                text, stop = found or cut(event.text, stops)
                ended = stop is not None or event.finish_reason == "end"
                yield Written(text, "stop" if ended else "length", event, stop)
            elif found is None and request.template is None:
                text, stop = cut(event.settled, stops)
                if stop is not None:
                    # What it has cost comes with the completion, within a pass.
                    found = text, stop
                    enough.set()
                yield Progress(text if stop is not None else sure(text, stops), event)
            else:
                yield Progress("", event)


def cut(text: str, stops: Sequence[str]) -> tuple[str, str | None]:
    """The text before the first stop text in it, and which one that is."""
    places = [(text.find(stop), -len(stop), stop) for stop in stops if stop in text]
    if not places:
        return text, None
    place, _, stop = min(places)
    return text[:place], stop


def sure(text: str, stops: Sequence[str]) -> str:
    """The text without what may turn out to be the beginning of a stop text, or a part of a character."""
    text = text.rstrip("\N{REPLACEMENT CHARACTER}")
    longest = max((len(stop) for stop in stops), default=1)
    for start in range(max(0, len(text) - longest + 1), len(text)):
        if any(stop.startswith(text[start:]) for stop in stops):
            return text[:start]
    return text
