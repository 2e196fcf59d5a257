"""The place where an answer stops beside the right one: a good beginning is lost by ending too early or too late."""

from __future__ import annotations

from typing import Literal

Stopping = Literal["right", "empty", "too short", "too long", "other"]

MISPLACED: tuple[Stopping, ...] = ("empty", "too short", "too long")
"""Answers that are wrong by the place where they stop alone."""


def stopping_of(answer: str, right: str, ended: bool = True) -> Stopping:
    """Return how an answer stops, blanks at both ends aside.

    Too short is a beginning of the right answer, too long one that goes on behind it, as does what had not `ended` by
    itself; any other one is wrong before it stops.
    """
    answer, right = answer.strip(), right.strip()
    if answer == right:
        return "right" if ended else "too long"
    if not answer:
        return "empty"
    if right.startswith(answer):
        return "too short"
    return "too long" if answer.startswith(right) else "other"
