"""What stands in for the model where an edit is applied."""

from __future__ import annotations

from typing import NoReturn

from coder.api.completion import Score
from coder.diffusion.events import UNLIMITED, TimeLimits


def nobody(prefix: str, suffix: str, middle: str, limits: TimeLimits) -> NoReturn:
    """For edits that are not ambiguous."""
    raise AssertionError("the model was asked")


class Model:
    """Finds a text likely that has a given one in it.

    Attributes:
        asked: the prefixes that it was asked about.
    """

    def __init__(self, likes: str) -> None:
        self._likes = likes
        self.asked: list[str] = []

    def score(self, prefix: str, suffix: str, middle: str, limits: TimeLimits = UNLIMITED) -> Score:
        self.asked.append(prefix)
        return Score(0.0 if self._likes in prefix + middle else -10.0, 0.0, 1)
