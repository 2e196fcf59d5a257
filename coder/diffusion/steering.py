"""Constraints and guides: which tokens may not stand where in an answer, and which become likelier there.

A decoding method fixes slots in any order and several at once; a constraint is therefore asked about one position of an
answer of which others may still be unknown, and asked again when another of the same step has been fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from coder.diffusion.canvas import Canvas, IntArray
from coder.model.runtime import Predictions, TokenBias

UNKNOWN = -1
"""Stands for a token that is not known yet."""

FORBIDDEN = -1e4
"""Added to a logit it leaves no probability; finite, so that p log p is 0 and half precision holds it."""

NO_TOKENS: IntArray = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Exclusions:
    """Token ids that cannot stand at a position: `forbidden` ones get no probability; where the model wants one of
    `ending` the answer ends instead."""

    forbidden: IntArray = field(default_factory=NO_TOKENS.copy)
    ending: IntArray = field(default_factory=NO_TOKENS.copy)

    def allows(self, token: int) -> bool:
        return token not in self.forbidden and token not in self.ending


class Guide(Protocol):
    """Knowledge besides the model's that makes some tokens likelier."""

    def bias(self, settled: Sequence[int], canvas: IntArray, slots: IntArray) -> TokenBias:
        """Return what to add to the logits of `slots`, before the model is asked.

        Args:
            settled: the context and the output so far; its last token is the anchor.
            canvas: int64 [B], the tokens behind it: fixed or masked slots, or a draft that is being verified.
            slots: int64 [W], ascending, the canvas's slots to be predicted; B itself where a draft's next token is.

        Returns: rows that index `slots`.
        """
        ...


class Drafter(Protocol):
    """A source of text that may come next in the output."""

    def draft(self, settled: Sequence[int], size: int) -> list[int]:
        """Return up to `size` tokens that may follow `settled`, none of them a control token; they are verified."""
        ...


class Constraint(Protocol):
    """A rule that the answer obeys whatever the model predicts."""

    def excluded(self, answer: IntArray, position: int) -> Exclusions:
        """Return what cannot stand at `position` of `answer`; some token must be left that can.

        Args:
            answer: int64, up to its end if that is known, `UNKNOWN` where nothing is fixed, as at `position` itself.
        """
        ...


@dataclass(frozen=True)
class Without:
    """Forbid some tokens everywhere."""

    tokens: IntArray

    def excluded(self, answer: IntArray, position: int) -> Exclusions:
        return Exclusions(forbidden=self.tokens)


class Between:
    """Keep the sum of some amount over the tokens (line breaks, characters) within bounds.

    The answer ends where it would exceed the upper one, and not before it has reached the lower one.

    Args:
        amounts: int64 [vocabulary], added by each token, never negative; the end token adds nothing.
        smallest: the least that any token filling a gap adds.
        surely: int64 [vocabulary], what each token adds at least, where `amounts` is the most; it counts for the lower
            bound.
    """

    def __init__(
        self,
        amounts: IntArray,
        least: int,
        most: int | None,
        end_token: int,
        smallest: int = 0,
        surely: IntArray | None = None,
    ) -> None:
        # The end can stand where there is room for nothing else; were it forbidden too, no token would be left.
        amounts = np.where(np.arange(len(amounts)) == end_token, 0, amounts)
        self._amounts = amounts
        self._surely = amounts if surely is None else surely
        self._least = least
        self._most = most
        self._end = np.array([end_token])
        self._smallest = smallest
        self._above = lru_cache(maxsize=256)(lambda amount: np.flatnonzero(amounts > amount))

    def excluded(self, answer: IntArray, position: int) -> Exclusions:
        before = answer[:position]
        left = self._sum(before)
        full = self._most is not None and left >= self._most
        too_short = not full and UNKNOWN not in before and int(self._surely[before].sum()) < self._least
        forbidden = self._end if too_short else NO_TOKENS
        if self._most is None:
            return Exclusions(forbidden)
        known = np.flatnonzero(answer != UNKNOWN)
        last = max(position, int(known[-1]) if len(known) else 0)
        gaps = int(np.count_nonzero(answer[:last] == UNKNOWN)) - (position < last)
        room = max(0, self._most - self._sum(answer) - gaps * self._smallest)
        too_much = self._above(room)
        if too_short:
            return Exclusions(np.concatenate([forbidden, too_much]))
        ending = self._above(self._most - left)
        behind = np.setdiff1d(too_much, ending, assume_unique=True) if len(too_much) > len(ending) else NO_TOKENS
        return Exclusions(behind, ending)

    def _sum(self, tokens: IntArray) -> int:
        return int(self._amounts[tokens[tokens != UNKNOWN]].sum())


@dataclass(frozen=True)
class Exactly:
    """Make a token occur exactly `count` times before the end."""

    token: int
    count: int
    end_token: int

    def excluded(self, answer: IntArray, position: int) -> Exclusions:
        before = answer[:position]
        too_few = UNKNOWN not in before and int(np.count_nonzero(before == self.token)) < self.count
        too_many = int(np.count_nonzero(answer == self.token)) >= self.count
        return Exclusions(np.array([self.end_token] * too_few + [self.token] * too_many, np.int64))


@dataclass(frozen=True)
class Continued:
    """Apply a constraint to an answer whose beginning is context already."""

    constraint: Constraint
    start: tuple[int, ...]

    def excluded(self, answer: IntArray, position: int) -> Exclusions:
        whole = np.concatenate([np.array(self.start, np.int64), answer])
        return self.constraint.excluded(whole, len(self.start) + position)


def with_next_unknown(tokens: Sequence[int]) -> IntArray:
    """Return an answer of which these tokens are known, and the one behind them is asked for."""
    return np.array([*tokens, UNKNOWN], np.int64)


def jointly_excluded(constraints: Sequence[Constraint], answer: IntArray, position: int) -> Exclusions:
    """Return what any of the constraints excludes."""
    found = [constraint.excluded(answer, position) for constraint in constraints]
    return Exclusions(
        np.concatenate([NO_TOKENS, *(exclusions.forbidden for exclusions in found)]),
        np.concatenate([NO_TOKENS, *(exclusions.ending for exclusions in found)]),
    )


def forbidding(exclusions: Sequence[Exclusions]) -> TokenBias:
    """Return the bias that leaves no probability to the forbidden tokens of each row."""
    rows = np.repeat(np.arange(len(exclusions)), [len(row.forbidden) for row in exclusions])
    tokens = np.concatenate([NO_TOKENS, *(row.forbidden for row in exclusions)])
    return TokenBias(rows, tokens, np.full(len(rows), FORBIDDEN, np.float32))


@dataclass(frozen=True)
class Steering:
    """The constraints and guides of one run, applied to its passes.

    Attributes:
        last_fixed: the last position of the output that is given in advance, -1 without one; the end cannot come
            before it.
        never_empty: whether the end cannot be the first token of the output.
        end_bias: added to the end token's logit everywhere else, nats.
    """

    constraints: Sequence[Constraint]
    guides: Sequence[Guide]
    end_token: int
    last_fixed: int = -1
    never_empty: bool = False
    end_bias: float = 0.0

    def excluded(self, output: Sequence[int], canvas: Canvas, slot: int) -> Exclusions:
        """Return what cannot stand in a masked slot of the canvas behind `output`."""
        position = len(output) + slot
        found = Exclusions()
        if self.constraints and slot < canvas.length:
            shown = np.where(canvas.is_masked, UNKNOWN, canvas.tokens)[: canvas.length]
            found = jointly_excluded(self.constraints, np.append(np.array(output, np.int64), shown), position)
        if position >= self.last_fixed:
            return found
        # The end cannot come yet: what would end the answer is forbidden with it.
        return Exclusions(np.concatenate([found.forbidden, found.ending, [self.end_token]]))

    def behind_draft(self, output: Sequence[int], draft: Sequence[int]) -> list[Exclusions]:
        """Return what cannot stand behind `output` and behind each token of a draft, D + 1 of them.

        Each depends on the tokens before it alone, so that a draft changes nothing of what is written.
        """
        if not self.constraints:
            return [Exclusions()] * (len(draft) + 1)
        answers = [with_next_unknown([*output, *draft[:length]]) for length in range(len(draft) + 1)]
        return [jointly_excluded(self.constraints, answer, len(answer) - 1) for answer in answers]

    def bias(
        self, sequence: Sequence[int], canvas: IntArray, slots: IntArray, exclusions: Sequence[Exclusions]
    ) -> TokenBias:
        """Return what guides and constraints add to the logits of `slots` of a canvas behind `sequence`."""
        bias = forbidding(exclusions)
        if self.end_bias:
            bias = bias.joined(TokenBias.of_token(self.end_token, self.end_bias, len(slots)))
        for guide in self.guides:
            bias = bias.joined(guide.bias(sequence, canvas, slots))
        return bias

    def ended(self, predictions: Predictions, exclusions: Sequence[Exclusions]) -> Predictions:
        """Return the predictions with the end token in the place of tokens that end the answer."""
        if not self.constraints:
            return predictions
        tokens = predictions.tokens.copy()
        for row, excluded in zip(tokens, exclusions, strict=True):
            row[np.isin(row, excluded.ending)] = self.end_token
        return replace(predictions, tokens=tokens)

    def begun(self, predictions: Predictions) -> tuple[Predictions, float]:
        """Return the predictions, whose first row is the output's first token, without the end there; and its share.

        The share is the end's probability among the candidates, without the bias: how sure the model is that nothing
        is to be written.
        """
        tokens, probabilities = predictions.tokens.copy(), predictions.probabilities.copy()
        ends = tokens[0] == self.end_token
        share = float(probabilities[0][ends].sum())
        unbiased = share / (share + (1.0 - share) * np.exp(self.end_bias)) if share else 0.0
        if self.never_empty and share:
            # What is left is scaled up; a row in which nothing is left keeps a candidate of no probability.
            order = np.argsort(ends, kind="stable")
            kept = np.where(ends, 0.0, probabilities[0] / max(1.0 - share, 1e-6))
            tokens[0], probabilities[0] = tokens[0][order], kept[order].astype(np.float32)
            tokens[0][len(order) - int(ends.sum()) :] = tokens[0][0]
        return replace(predictions, tokens=tokens, probabilities=probabilities), float(unbiased)

    def compatible(
        self,
        output: Sequence[int],
        canvas: Canvas,
        slots: IntArray,
        tokens: IntArray,
        confidences: npt.NDArray[np.float32],
    ) -> IntArray:
        """Return which of the chosen slots may be fixed together, as ascending indices into `slots`, at least one.

        Each prediction knew the slots fixed before the step, not the others of the step. So they are tried one after
        the other, the surest first; the end last of all, and only where nothing before it stays masked.
        """
        if len(slots) < 2 or not self.constraints:
            return np.arange(len(slots))
        together = canvas.copy()
        kept = []
        for index in np.lexsort((-confidences, tokens == self.end_token)).tolist():
            slot, token = int(slots[index]), int(tokens[index])
            gap = token == self.end_token and bool(np.any(together.masked < slot))
            if not gap and self.excluded(output, together, slot).allows(token):
                together.fix(slots[[index]], tokens[[index]], confidences[[index]])
                kept.append(index)
        return np.array(sorted(kept))
