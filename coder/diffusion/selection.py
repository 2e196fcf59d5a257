"""Which token a slot gets: the most likely one, or a draw."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coder.model.runtime import Predictions

TokenArray = npt.NDArray[np.int64]
ProbabilityArray = npt.NDArray[np.float32]


def select_tokens(
    predictions: Predictions, temperature: float, top_p: float, generator: np.random.Generator
) -> tuple[TokenArray, ProbabilityArray]:
    """A token for each of the W predicted positions, and its probability.

    At temperature 0 it is the best token. Otherwise it is drawn among the candidates of the prediction: first cut to
    the nucleus, the fewest best tokens whose probabilities sum to `top_p` (Holtzman et al., arXiv:1904.09751), or all
    candidates where they do not reach it; then reweighted by p^(1 / temperature).

    Returns:
        tokens int64 [W] and their probabilities float32 [W], those of the model: neither temperature nor nucleus
        changes how confident it is.
    """
    if temperature == 0.0:
        return predictions.tokens[:, 0], predictions.probabilities[:, 0]
    probabilities = predictions.probabilities.astype(np.float64)
    better = np.cumsum(probabilities, axis=1) - probabilities
    # Relative to the best token, so that a low temperature cannot underflow every weight.
    weights = (probabilities / probabilities[:, :1]) ** (1.0 / temperature)
    weights[better >= top_p] = 0.0
    cumulative = np.cumsum(weights, axis=1)
    draws = generator.random((len(weights), 1)) * cumulative[:, -1:]
    rows, chosen = np.arange(len(weights)), np.argmax(cumulative > draws, axis=1)
    return predictions.tokens[rows, chosen], predictions.probabilities[rows, chosen]
