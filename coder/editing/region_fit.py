"""The part of an answer that may stand in the place of a region: so much that the text is no less sound than it was.

A model that does not see where the text goes on writes to the end of a line, or closes the brackets around the region
a second time. So an answer ends before a bracket that it did not open, and of its beginnings the longest is taken that
leaves the text sound. A text that was not sound before may stay so, but no more of it may be broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from coder.editing.hole_borders import fitted, possible_ends, unopened
from coder.syntax.languages import Scan, scan, without_foreign_closers
from coder.syntax.soundness import is_sound
from coder.syntax.tree import error_spans

FEWEST_PARTS, MOST_CHARACTERS_PARSED = 4, 600_000
"""Of an answer so many parts are tried, and more as long as all the texts that are parsed are no longer: about half a
second."""


MOST_LOOKED_AT = 30_000
"""Characters before and behind a hole."""


@dataclass(frozen=True)
class Region:
    """The characters of a text from `start` to `end`, which give way to others."""

    text: str
    start: int
    end: int
    language: str

    @staticmethod
    def hole(prefix: str, suffix: str, language: str) -> Region:
        """Return the empty region between two texts, of which no more is looked at than is read in some milliseconds:
        from a line's start on, where there is one, so that a string is seen from its beginning."""
        start = max(0, len(prefix) - MOST_LOOKED_AT)
        line_break = prefix.find("\n", start) if start else -1
        start = start if line_break < 0 else line_break + 1
        place = len(prefix) - start
        return Region(prefix[start:] + suffix[:MOST_LOOKED_AT], place, place, language)

    def joined(self, part: str) -> str:
        """The text with `part` in the region's place."""
        return self.text[: self.start] + part + self.text[self.end :]

    def beginnings(self, answer: str) -> Iterator[str]:
        """The parts of an answer that may be taken, the longest first: whole lines, and the words of the
        first one where the region's last line goes on behind it."""
        line_before, behind = self.text[: self.start].rpartition("\n")[2], self.text[self.end :]
        rest, _, _ = behind.partition("\n")
        old = scan(self.text[self.start : self.end], self.language, self._before.inside)
        if not old.unopened and not old.unclosed:
            answer = fitted(answer, line_before, behind, rest)
        answer = without_foreign_closers(answer, self.language, self._before.inside, len(old.unopened))
        lines = answer.split("\n")
        yield from ("\n".join(lines[:count]).rstrip() for count in range(len(lines), 0, -1))
        if rest.strip():
            yield from reversed(possible_ends(answer, most_closed=None))

    def balanced(self, part: str) -> str:
        """The part, or its beginning before a bracket that it did not open if that leaves the text more balanced."""
        if not unopened(part):
            return part  # the text need not be read
        shorter = without_foreign_closers(part, self.language, self._before.inside)
        if shorter == part or not shorter.strip():
            return part
        return min(part, shorter, key=lambda each: scan(self.joined(each), self.language).imbalance)

    def best(self, parts: Iterable[str], over: Callable[[], bool] = lambda: False) -> str | None:
        """The first of the parts that leaves the text sound, or else the first that leaves no more of it broken than
        was. None of those that are blank; None where there is no other. When it is `over` only the first few are tried.
        """
        count = max(FEWEST_PARTS, MOST_CHARACTERS_PARSED // max(1, len(self.text)))
        parts = list(islice((part for part in dict.fromkeys(parts) if part.strip()), count))
        sound = next((part for part in _while_not(over, parts) if is_sound(self.joined(part), self.language)), None)
        if sound is not None or is_sound(self.text, self.language):
            return sound
        return next((part for part in _while_not(over, parts) if self._is_no_worse(self.joined(part))), None)

    def _is_no_worse(self, new: str) -> bool:
        if scan(new, self.language).imbalance > self._imbalance:
            return False
        errors = error_spans(new, self.language)
        return errors is None or len(errors) <= self._errors

    @cached_property
    def _before(self) -> Scan:
        return scan(self.text[: self.start], self.language)

    @cached_property
    def _imbalance(self) -> int:
        return scan(self.text, self.language).imbalance

    @cached_property
    def _errors(self) -> int:
        return len(error_spans(self.text, self.language) or ())


def _while_not(over: Callable[[], bool], parts: Sequence[str]) -> Iterator[str]:
    for index, part in enumerate(parts):
        if index >= FEWEST_PARTS and over():
            return
        yield part
