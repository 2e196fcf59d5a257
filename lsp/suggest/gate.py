"""The decision whether and when a suggestion is shown that nobody asked for: where none is wanted, how long to wait for
the next keystroke, how doubtful each line of a text is, and how likely it has to be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from coder.api.completion import CanvasUpdate
from lsp.documents import Document
from lsp.settings import Settings
from lsp.suggest.surroundings import Cursor, is_excluded, is_secret


def wants_suggestions(document: Document, settings: Settings, folders: Sequence[str]) -> bool:
    """Return whether to suggest anything in this document: its language is enabled, no glob excludes its path, and its
    name is not one that keys and passwords go by."""
    enabled = is_enabled(document.language, settings) and not is_excluded(document.uri, settings.exclude, folders)
    return enabled and not is_secret(document.uri)


def is_enabled(language: str, settings: Settings) -> bool:
    """Return whether suggestions are wanted in a language: it is listed, or `*` is and not `!language`."""
    return f"!{language}" not in settings.languages and bool({"*", language} & {*settings.languages})


def wants_unasked(cursor: Cursor, settings: Settings) -> bool:
    """Return whether to suggest unasked here: not right after a deletion, and not in the middle of a word."""
    return settings.automatic and not cursor.document.after_deletion and not cursor.is_inside_word


LONGEST_WAIT = 0.03
"""Seconds. Longer than that a suggestion feels late, and a request that comes too early costs one pass at most."""

SHARE_OF_INTERVAL = 0.4
"""Of the usual time between two keystrokes that is waited; a keystroke within it is part of a burst."""

PAUSE = 1.0
"""Seconds without a keystroke after which what comes next says nothing about the speed of typing."""

SMOOTHING = 0.25
"""Weight of the latest interval in the running mean."""


@dataclass
class TypingSpeed:
    """A running mean of the seconds between keystrokes. Times are seconds on any steady clock."""

    interval: float = LONGEST_WAIT
    last: float = float("-inf")

    def keystroke(self, now: float) -> None:
        elapsed, self.last = now - self.last, now
        if elapsed < PAUSE:
            self.interval += SMOOTHING * (elapsed - self.interval)

    def wait(self, now: float) -> float:
        """Seconds to wait from now on for another keystroke."""
        return max(0.0, min(LONGEST_WAIT, SHARE_OF_INTERVAL * self.interval) - (now - self.last))


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


LEAST_DOUBT = 0.1
"""Tokens: no line is more certain than that."""


@dataclass(frozen=True)
class Calibration:
    """A logistic model: the probability that a suggestion's first line is what the user types next.

    `python -m benchmarks.gate_calibration` fits the constants; docs/language-server.md says on what, and what the
    threshold comes to. A new checkpoint needs new ones.

    Attributes:
        bias: of the log-odds.
        doubt: weight of the logarithm of how many of the line's tokens are expected to be wrong.
        threshold: the default gate, chosen from the curve of precision against show rate.
    """

    bias: float = -1.33
    doubt: float = -2.45
    threshold: float = 0.25

    def probability(self, doubt: float) -> float:
        """Return the probability that a line is right of which so many tokens are expected to be wrong."""
        return 0.5 + 0.5 * math.tanh((self.bias + self.doubt * log_doubt(doubt)) / 2.0)


def log_doubt(doubt: float) -> float:
    """Return the logarithm of the doubt about a line, as the calibration weighs it."""
    return math.log(LEAST_DOUBT + doubt)


CALIBRATION = Calibration()

LOWEST, HIGHEST = -0.1, 0.2
"""Bounds of what a user's acceptance adds to the threshold."""

EXPECTED_ACCEPTANCE = 0.25
"""Share of shown suggestions that are accepted; a user who accepts just that leaves the threshold where it is."""

PRIOR = 50
"""Shown suggestions of a user that weigh as much as the expectation."""


@dataclass
class Gate:
    """The threshold, moved within bounds by what this user accepts: the more, the lower it is.

    Attributes:
        calibration: the model. chosen: the user's own threshold, which then does not move.
        shown, accepted: suggestions so far, of earlier sessions too.
    """

    calibration: Calibration = CALIBRATION
    chosen: float | None = None
    shown: int = 0
    accepted: int = 0

    @property
    def threshold(self) -> float:
        if self.chosen is not None:
            return self.chosen
        rate = (self.accepted + PRIOR * EXPECTED_ACCEPTANCE) / (self.shown + PRIOR)
        return self.calibration.threshold + max(LOWEST, min(HIGHEST, EXPECTED_ACCEPTANCE - rate))
