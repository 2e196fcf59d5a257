"""Keeping the kinds of examples in the shares that are wanted, whatever a single document has to offer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from data.pack.settings import Kind


class Shares:
    """How many examples of each kind there are, against the weights that they should have."""

    def __init__(self, weights: Mapping[Kind, float]) -> None:
        total = sum(weights.values())
        self._wanted = {kind: weight / total for kind, weight in weights.items() if weight > 0}
        self._counts: Counter[Kind] = Counter()

    def count(self, kind: Kind) -> None:
        self._counts[kind] += 1

    def by_need(self) -> list[Kind]:
        """The kinds that are wanted at all, the one that lacks most first."""
        next_total = self._counts.total() + 1
        return sorted(self._wanted, key=lambda kind: self._counts[kind] - self._wanted[kind] * next_total)
