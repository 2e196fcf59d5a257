"""Strengths from votes (Bradley and Terry 1952, Biometrika 39), with bootstrap intervals.

P(i is preferred to j) = s_i / (s_i + s_j). A tie is half a win for each. Every pair of runs is given one tie that
nobody voted, so that a run that always wins has a finite strength.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evals.arena.pairs import Vote

PRIOR_TIES = 1.0
RESAMPLES = 2000
CONFIDENCE = 0.95
SEED = 7
TOLERANCE = 1e-10

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Strength:
    """The strength of a run.

    Attributes:
        log_strength: natural logarithm; the mean over runs is 0. A difference d means a preference of 1 / (1 + e^-d).
        low, high: its 95 % interval.
    """

    run: str
    log_strength: float
    low: float
    high: float


def strengths(votes: Sequence[Vote]) -> list[Strength]:
    """The strength of every run that was voted on, strongest first. Empty when all votes were skipped."""
    counted = [vote for vote in votes if vote.choice != "skip"]
    runs = sorted({run for vote in counted for run in (vote.left_run, vote.right_run)})
    if not runs:
        return []
    games = [_wins([vote], runs) for vote in counted]
    best = fit(sum(games, np.zeros((len(runs), len(runs)))))
    draw = np.random.default_rng(SEED)
    stacked = np.stack(games)
    again = [
        fit(np.tensordot(draw.multinomial(len(games), np.full(len(games), 1 / len(games))), stacked, axes=1))
        for _ in range(RESAMPLES)
    ]
    edges = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.stack(again), (edges, 1 - edges), axis=0)
    found = [Strength(run, *map(float, values)) for run, *values in zip(runs, best, low, high, strict=True)]
    return sorted(found, key=lambda strength: -strength.log_strength)


def fit(wins: Matrix) -> npt.NDArray[np.float64]:
    """The likeliest log-strengths, shape [runs], by the minorisation of Hunter (2004, Annals of Statistics 32).

    Args:
        wins: shape [runs, runs]; how often the row's run was preferred to the column's.
    """
    wins = wins + PRIOR_TIES / 2 * (1 - np.eye(len(wins)))
    games = wins + wins.T
    strength = np.ones(len(wins))
    while True:
        weights = games / (strength[:, None] + strength[None, :])
        new = wins.sum(axis=1) / weights.sum(axis=1)
        new /= np.exp(np.log(new).mean())
        if np.abs(np.log(new / strength)).max() < TOLERANCE:
            return np.log(new)
        strength = new


def _wins(votes: Sequence[Vote], runs: Sequence[str]) -> Matrix:
    wins = np.zeros((len(runs), len(runs)))
    shares = {"left": 1.0, "right": 0.0, "tie": 0.5}
    for vote in votes:
        left, right = runs.index(vote.left_run), runs.index(vote.right_run)
        wins[left, right] += shares[vote.choice]
        wins[right, left] += 1 - shares[vote.choice]
    return wins
