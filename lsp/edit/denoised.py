"""What a canvas looks like while it is denoised: its text, masked slots shaded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coder.api.completion import CanvasUpdate

MASK = "░"


@dataclass(frozen=True)
class Denoised:
    """A text, and which characters of it stand for masked slots: spans in order that do not touch."""

    text: str = ""
    masked: tuple[tuple[int, int], ...] = ()

    @property
    def slots(self) -> int:
        """How many are masked."""
        return sum(end - start for start, end in self.masked)


UNTOUCHED = Denoised(MASK, ((0, 1),))
"""A hole of which nothing is known yet."""


def denoised(update: CanvasUpdate) -> Denoised:
    """The canvas as it is after a pass."""
    parts = [UNTOUCHED if slot.text is None else Denoised(slot.text) for slot in update.slots]
    return joined([Denoised(update.settled), *parts])


def joined(parts: Iterable[Denoised]) -> Denoised:
    """One behind the other."""
    text, masked = "", list[tuple[int, int]]()
    for part in parts:
        for start, end in part.masked:
            first, last = len(text) + start, len(text) + end
            if masked and masked[-1][1] == first:
                first = masked.pop()[0]
            masked.append((first, last))
        text += part.text
    return Denoised(text, tuple(masked))
