"""The model's doubt about each line that it writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from coder.api.completion import CanvasUpdate


@dataclass
class WrittenDoubt:
    """The doubt about a text as it grows, pass by pass. Of a pass that writes the end of a line and the beginning of
    the next, each has the share of its characters.

    Doubt is the number of a part's tokens that are expected to be wrong: the sum of what their probabilities lack.
    """

    _passes: list[tuple[int, float]] = field(default_factory=list)
    """After each: characters of the text, and the doubt about it."""

    def note(self, update: CanvasUpdate) -> None:
        if update.tokens:
            self._passes.append((len(update.settled), doubt(update.confidence, update.tokens)))

    @property
    def beginning(self) -> float:
        """Return that of the first pass; none before it."""
        return self._passes[0][1] if self._passes else 0.0

    def lines(self, text: str) -> Iterator[float]:
        """Yield that of each line which is not blank, as far as the text is written: the last one may go on."""
        before, end = 0.0, 0
        for line in text.split("\n"):
            end += len(line) + 1
            if line.strip() and self._passes:
                now = self._up_to(end - 1)
                yield max(0.0, now - before)
                before = now

    def _up_to(self, end: int) -> float:
        """Return that about so many characters, or about all that are written if they are fewer."""
        start, before = 0, 0.0
        for length, now in self._passes:
            if length >= end:
                return before + (now - before) * (end - start) / max(1, length - start)
            start, before = length, now
        return before


def doubt(confidence: float, tokens: int) -> float:
    """Return that about so many tokens, whose own probabilities have that mean."""
    return tokens * (1.0 - confidence)


def first_lines(text: str, count: int) -> str:
    """Return a text up to the end of so many of its lines that are not blank."""
    kept: list[str] = []
    for line in text.split("\n"):
        if line.strip() and not count:
            break
        count -= bool(line.strip())
        kept.append(line)
    return text if len(kept) == text.count("\n") + 1 else "\n".join(kept).rstrip()
