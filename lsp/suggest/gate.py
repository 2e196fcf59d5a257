"""Whether a suggestion is likely enough to be right to be shown unasked."""

from __future__ import annotations

import math
from dataclasses import dataclass

from coder.postprocess.context import Mode
from lsp.suggest.candidate import Candidate


@dataclass(frozen=True)
class Calibration:
    """A logistic model: the probability that a suggestion's first line is what the user types next.

    How the constants were got: `python -m benchmarks.gate_calibration --sessions 60` asks the embedded model at 457
    keystrokes in code of pygls, records whether the rest of the line came true, and fits a logistic regression. At 456
    keystrokes in code of pathspec and typer it then draws precision against show rate; at the threshold a third of the
    suggestions is shown, and 55 % of those are right. A new checkpoint needs new constants.

    Attributes:
        bias: of the log-odds.
        mean: weight of the mean log-probability of the tokens, nats.
        total: weight of the sum of the tokens' log-probabilities, nats.
        block: added for a suggestion that may have several lines.
        threshold: the default gate, chosen from the curve of precision against show rate.
    """

    bias: float = 1.404
    mean: float = 5.086
    total: float = 0.336
    block: float = -1.241
    threshold: float = 0.2

    def probability(self, candidate: Candidate, mode: Mode) -> float:
        """That the candidate is right, from 0 to 1."""
        mean = math.log(min(1.0, max(candidate.confidence, 1e-6)))
        log_odds = self.bias + self.mean * mean + self.total * mean * candidate.tokens + self.block * (mode == "block")
        return 0.5 + 0.5 * math.tanh(log_odds / 2.0)


CALIBRATION = Calibration()

LOWEST, HIGHEST = -0.1, 0.2
"""How far a user's habit moves the threshold at most."""

EXPECTED_ACCEPTANCE = 0.25
"""Share of shown suggestions that are accepted; a user who accepts just that leaves the threshold where it is."""

PRIOR = 50
"""So many shown suggestions of a user weigh as much as the expectation."""


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
