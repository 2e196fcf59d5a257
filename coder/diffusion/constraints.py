"""What an answer must not be, whatever the model thinks of it: a constraint's word is final.

A decoding method fixes slots in any order and several at once; a constraint is therefore asked about one position of an
answer of which others may still be unknown, and asked again when another of the same step has been fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from coder.model.runtime import TokenBias

IntArray = npt.NDArray[np.int64]

UNKNOWN = -1
"""Stands for a token that is not known yet."""

FORBIDDEN = -1e4
"""Added to a logit it leaves no probability; finite, so that p log p is 0 and half precision holds it."""

NO_TOKENS: IntArray = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Verdict:
    """What cannot stand at a position, as token ids: `forbidden` ones get no probability; where the model wants one of
    `ending` the answer ends instead."""

    forbidden: IntArray = field(default_factory=NO_TOKENS.copy)
    ending: IntArray = field(default_factory=NO_TOKENS.copy)

    def allows(self, token: int) -> bool:
        return token not in self.forbidden and token not in self.ending


class Constraint(Protocol):
    def verdict(self, answer: IntArray, position: int) -> Verdict:
        """What cannot stand at `position` of `answer`: int64, up to its end if that is known, `UNKNOWN` where nothing
        is fixed, as at `position` itself. Something must be left that can."""
        ...


@dataclass(frozen=True)
class Without:
    """Some tokens never occur."""

    tokens: IntArray

    def verdict(self, answer: IntArray, position: int) -> Verdict:
        return Verdict(forbidden=self.tokens)


class Between:
    """What the tokens add up to (line breaks, characters) stays within bounds.

    The answer ends where it would exceed the upper one, and not before it has reached the lower one.

    Args:
        amounts: int64 [vocabulary], what each token adds, never negative.
        smallest: what any token that has to fill a gap adds at least.
    """

    def __init__(self, amounts: IntArray, least: int, most: int | None, end_token: int, smallest: int = 0) -> None:
        self._amounts = amounts
        self._least = least
        self._most = most
        self._end = np.array([end_token])
        self._smallest = smallest
        self._above = lru_cache(maxsize=256)(lambda amount: np.flatnonzero(amounts > amount))

    def verdict(self, answer: IntArray, position: int) -> Verdict:
        before = answer[:position]
        left = self._sum(before)
        too_short = left < self._least and UNKNOWN not in before
        forbidden = self._end if too_short else NO_TOKENS
        if self._most is None:
            return Verdict(forbidden)
        known = np.flatnonzero(answer != UNKNOWN)
        last = max(position, int(known[-1]) if len(known) else 0)
        gaps = int(np.count_nonzero(answer[:last] == UNKNOWN)) - (position < last)
        room = max(0, self._most - self._sum(answer) - gaps * self._smallest)
        too_much = self._above(room)
        if too_short:
            return Verdict(np.concatenate([forbidden, too_much]))
        ending = self._above(self._most - left)
        behind = np.setdiff1d(too_much, ending, assume_unique=True) if len(too_much) > len(ending) else NO_TOKENS
        return Verdict(behind, ending)

    def _sum(self, tokens: IntArray) -> int:
        return int(self._amounts[tokens[tokens != UNKNOWN]].sum())


@dataclass(frozen=True)
class Exactly:
    """A token occurs so many times before the end."""

    token: int
    count: int
    end_token: int

    def verdict(self, answer: IntArray, position: int) -> Verdict:
        before = answer[:position]
        too_few = UNKNOWN not in before and int(np.count_nonzero(before == self.token)) < self.count
        too_many = int(np.count_nonzero(answer == self.token)) >= self.count
        return Verdict(np.array([self.end_token] * too_few + [self.token] * too_many, np.int64))


@dataclass(frozen=True)
class Continued:
    """A constraint on an answer whose beginning is context already."""

    constraint: Constraint
    start: tuple[int, ...]

    def verdict(self, answer: IntArray, position: int) -> Verdict:
        whole = np.concatenate([np.array(self.start, np.int64), answer])
        return self.constraint.verdict(whole, len(self.start) + position)


def with_next_unknown(tokens: Sequence[int]) -> IntArray:
    """An answer of which these tokens are known, and the one behind them is asked for."""
    return np.array([*tokens, UNKNOWN], np.int64)


def joint_verdict(constraints: Sequence[Constraint], answer: IntArray, position: int) -> Verdict:
    """What one of them forbids is forbidden."""
    verdicts = [constraint.verdict(answer, position) for constraint in constraints]
    return Verdict(
        np.concatenate([NO_TOKENS, *(verdict.forbidden for verdict in verdicts)]),
        np.concatenate([NO_TOKENS, *(verdict.ending for verdict in verdicts)]),
    )


def forbidding(verdicts: Sequence[Verdict]) -> TokenBias:
    """The bias that leaves no probability to what each row's verdict forbids."""
    rows = np.repeat(np.arange(len(verdicts)), [len(verdict.forbidden) for verdict in verdicts])
    tokens = np.concatenate([NO_TOKENS, *(verdict.forbidden for verdict in verdicts)])
    return TokenBias(rows, tokens, np.full(len(rows), FORBIDDEN, np.float32))
