"""`quickfill/didDenoise`: lets an editor show an answer while it is being denoised."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coder.api.completion import CanvasUpdate
from coder.api.text_requests import HoleUpdate, RegionUpdate
from lsp.documents import Document
from lsp.wire.messages import DID_DENOISE, DenoisedHole, DenoiseUpdate, Range, TextDocument

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer


MASK = "░"


@dataclass(frozen=True)
class Denoised:
    """A text, and which characters of it stand for masked slots: spans in order that do not touch."""

    text: str = ""
    masked: tuple[tuple[int, int], ...] = ()

    @property
    def slots(self) -> int:
        """The number of masked slots."""
        return sum(end - start for start, end in self.masked)


UNTOUCHED = Denoised(MASK, ((0, 1),))
"""A hole in which nothing is written yet."""


def denoised(update: CanvasUpdate) -> Denoised:
    """The canvas as it is after a pass."""
    parts = [UNTOUCHED if slot.text is None else Denoised(slot.text) for slot in update.slots]
    return joined([Denoised(update.settled), *parts])


def joined(parts: Iterable[Denoised]) -> Denoised:
    """Concatenate texts, and the spans of their masked slots."""
    text, masked = "", list[tuple[int, int]]()
    for part in parts:
        for start, end in part.masked:
            first, last = len(text) + start, len(text) + end
            if masked and masked[-1][1] == first:
                first = masked.pop()[0]
            masked.append((first, last))
        text += part.text
    return Denoised(text, tuple(masked))


LEAST_SECONDS = 0.1
"""Between two updates: an editor redraws for each."""


class Audience:
    """The editor that watches one request. `show` may be called in any thread.

    Args:
        token: names the request in the updates; None is the id of the request that is being handled.
    """

    def __init__(self, ls: QuickfillServer, document: Document, token: int | str | None = None) -> None:
        self._protocol = ls.protocol
        self._loop = asyncio.get_running_loop()
        self._document = document
        self._name = ls.protocol.msg_id if token is None else token
        self._last = float("-inf")

    def show(self, start: int, end: int, state: Denoised, passes: int, holes: tuple[Denoised, ...] = ()) -> None:
        """Send the state of the answer for the characters from `start` to `end`, unless one was just sent.

        The state before the first pass is not sent, in which there is no canvas yet, though perhaps quotes around it:
        the canvases of an answer that is soon done would all come too soon after it.
        """
        now = time.monotonic()
        if not passes or now - self._last < LEAST_SECONDS or self._name is None:
            return
        self._last = now
        document = self._document
        region = document.unix.range(start, end)
        update = DenoiseUpdate(
            id=self._name,
            text_document=TextDocument(uri=document.uri, version=document.version),
            range=Range.model_validate(region, from_attributes=True),
            step=passes,
            steps=passes + state.slots,
            text=state.text,
            masked_spans=self._spans(state),
            holes=[DenoisedHole(text=hole.text, masked_spans=self._spans(hole)) for hole in holes],
        )
        self._loop.call_soon_threadsafe(self._protocol.notify, DID_DENOISE, update.to_json())

    def _spans(self, state: Denoised) -> list[tuple[int, int]]:
        """The masked spans in the units of columns."""
        units = self._document.units
        return [(units(state.text[:start]), units(state.text[:end])) for start, end in state.masked]


class CompletionPreview:
    """Shows a suggestion for a range."""

    def __init__(self, audience: Audience, start: int, end: int) -> None:
        self._audience, self._start, self._end = audience, start, end

    def __call__(self, update: CanvasUpdate) -> None:
        self._audience.show(self._start, self._end, denoised(update), update.passes)


class RegionPreview:
    """Shows a rewrite."""

    def __init__(self, audience: Audience) -> None:
        self._audience = audience

    def __call__(self, update: HoleUpdate | RegionUpdate) -> None:
        assert isinstance(update, RegionUpdate)
        self._audience.show(update.start, update.end, denoised(update.canvas), update.canvas.passes)


class HolesPreview:
    """Shows several holes.

    Args:
        texts: around the holes. spans: the ranges of the holes, in the text's order.
        order: indices of `spans` in the order in which the holes were asked for.
    """

    def __init__(
        self, audience: Audience, texts: Sequence[str], spans: Sequence[tuple[int, int]], order: Sequence[int]
    ) -> None:
        self._audience = audience
        self._between = [Denoised(text) for text in texts[1:-1]]
        self._spans, self._order = spans, order
        self._states = [UNTOUCHED] * len(spans)
        self._passes = [0] * len(spans)

    def __call__(self, update: HoleUpdate | RegionUpdate) -> None:
        assert isinstance(update, HoleUpdate)
        self._states[update.hole] = denoised(update.canvas)
        self._passes[update.hole] = update.canvas.passes
        first, *others = self._states
        parts = [first, *(part for pair in zip(self._between, others, strict=True) for part in pair)]
        asked = tuple(self._states[index] for index in self._order)
        self._audience.show(self._spans[0][0], self._spans[-1][1], joined(parts), sum(self._passes), asked)
