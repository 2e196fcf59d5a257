"""A language model of a few lines: deterministic, tiny, and as sensitive to its whole context as a real one.

A state is a hash of all tokens so far, and the next token's logits are random numbers seeded by it, so a cache that
holds the wrong tokens, or a pass at the wrong place, changes everything that follows. A canvas pass predicts what the
context passes would, disturbed by the slots it sees: a drafter that is often right, never always.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from coder.model.checkpoint.config import Abilities, ControlTokens, ModelConfig
from coder.model.runtime import CANDIDATES, Cache, LocalStep, Pass, Predictions

CONTROL = ControlTokens(0, 1, 2, 3, 4, 11, 10, 5, 6, 7, 8, 9, all=tuple(range(12)))
MASK, END, HOLE = CONTROL.mask, CONTROL.fim_end, CONTROL.hole
ORDINARY = range(12, 32)
START = 0
IMPOSSIBLE = -1e9

CONFIG = ModelConfig(
    version="toy",
    hidden_size=8,
    intermediate_size=8,
    num_layers=1,
    num_heads=1,
    num_key_value_heads=1,
    head_dim=8,
    vocab_size=len(ORDINARY) + len(CONTROL.all),
    max_positions=1024,
    rope_theta=10_000.0,
    norm_epsilon=1e-5,
    tied_embeddings=True,
    block_sizes=(8,),
    abilities=Abilities(),
    decoding=(),
    control=CONTROL,
)


def next_state(state: int, token: int) -> int:
    return hash((state, token))


def state_after(tokens: Sequence[int], state: int = START) -> int:
    for token in tokens:
        state = next_state(state, token)
    return state


@lru_cache(maxsize=50_000)
def random_logits(state: int) -> npt.NDArray[np.float64]:
    return np.random.default_rng(state % 2**63).normal(0.0, 3.0, CONFIG.vocab_size)


def allowed_only(logits: npt.NDArray[np.float64], control_tokens: tuple[int, ...]) -> npt.NDArray[np.float64]:
    forbidden = [token for token in CONTROL.all if token not in control_tokens]
    logits = logits.copy()
    logits[forbidden] = IMPOSSIBLE
    return logits


def greedy_continuation(context: Sequence[int], max_tokens: int) -> list[int]:
    """What greedy autoregressive decoding produces, by definition: the end token ends it and is left out."""
    state, output = state_after(context), []
    while len(output) < max_tokens:
        token = int(np.argmax(allowed_only(random_logits(state), (END,))))
        if token == END:
            break
        output.append(token)
        state = next_state(state, token)
    return output


class ToyCache:
    """Tokens, and for each the state that was computed when it was committed."""

    def __init__(self, tokens: Sequence[int] = (), states: Sequence[int] = ()) -> None:
        self.tokens = list(tokens)
        self.states = list(states)

    @property
    def nbytes(self) -> int:
        return 16 * len(self.tokens)

    def truncate(self, length: int) -> None:
        assert 0 <= length <= len(self.tokens)
        del self.tokens[length:], self.states[length:]

    def copy_prefix(self, length: int) -> ToyCache:
        return ToyCache(self.tokens[:length], self.states[:length])


class ToyRuntime:
    """Remembers the passes it was asked for, and refuses those that make no sense."""

    def __init__(
        self, max_positions: int = CONFIG.max_positions, abilities: Abilities = CONFIG.abilities, local_width: int = 0
    ) -> None:
        self.passes: list[Pass] = []
        self._config = replace(CONFIG, max_positions=max_positions, abilities=abilities, local_width=local_width)

    @property
    def config(self) -> ModelConfig:
        return self._config

    @property
    def description(self) -> dict[str, str]:
        return {"runtime": "toy"}

    def new_cache(self) -> ToyCache:
        return ToyCache()

    def forward(self, cache: Cache, request: Pass) -> Predictions:
        assert isinstance(cache, ToyCache)
        self.passes.append(request)
        assert request.tokens, "an empty pass"
        assert len(cache.tokens) + len(request.tokens) <= self.config.max_positions
        assert list(request.wanted) == sorted(set(request.wanted))
        assert all(0 <= index < len(request.tokens) for index in request.wanted)
        start = cache.states[-1] if cache.states else START
        logits = self._causal(cache, start, request) if request.causal else self._canvas(start, request)
        np.add.at(logits, (request.bias.rows, request.bias.tokens), request.bias.values)
        answer = predictions(logits, request)
        states = np.array([hash((start, index)) for index in request.wanted])
        return replace(answer, states=states) if request.states else answer

    def forward_local(self, step: LocalStep) -> Predictions:
        states = zip(step.states.tolist(), step.before, strict=True)
        logits = np.array([random_logits(next_state(next_state(state, two), one)) for state, (one, two) in states])
        np.add.at(logits, (step.bias.rows, step.bias.tokens), step.bias.values)
        return predictions(logits, step)

    def forward_batch(self, caches: Sequence[Cache], requests: Sequence[Pass]) -> list[Predictions]:
        assert len({id(cache) for cache in caches}) == len(caches), "one cache for two sequences"
        return [self.forward(cache, request) for cache, request in zip(caches, requests, strict=True)]

    def _causal(self, cache: ToyCache, state: int, request: Pass) -> npt.NDArray[np.float64]:
        assert MASK not in request.tokens, "a mask is no context"
        states = []
        for token in request.tokens:
            state = next_state(state, token)
            states.append(state)
        cache.tokens.extend(request.tokens[: request.commit])
        cache.states.extend(states[: request.commit])
        return np.array([random_logits(states[index]) for index in request.wanted]).reshape(-1, CONFIG.vocab_size)

    def _canvas(self, state: int, request: Pass) -> npt.NDArray[np.float64]:
        anchor, *slots = request.tokens
        assert anchor != MASK
        assert all(slots[index] == MASK for index in request.wanted), "a prediction that nobody needs"
        state = next_state(state, anchor)
        seen = hash((state, *slots))
        rows = []
        for index, token in enumerate(slots):
            own = random_logits(state)
            if index in request.wanted:
                rows.append(own + 0.3 * random_logits(hash((seen, index))))
            state = next_state(state, token if token != MASK else int(np.argmax(allowed_only(own, (END,)))))
        return np.array(rows)


def predictions(logits: npt.NDArray[np.float64], request: Pass | LocalStep) -> Predictions:
    """The reduction that every runtime does: float64 [W, vocabulary] to what the contract names."""
    wanted = request.count
    logits = np.array([allowed_only(row, request.control_tokens) for row in logits]).reshape(wanted, CONFIG.vocab_size)
    shifted = logits - logits.max(axis=1, keepdims=True, initial=IMPOSSIBLE)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    probabilities = np.exp(log_probabilities)
    best = np.argsort(-logits, axis=1, kind="stable")[:, :CANDIDATES]
    rows = np.arange(wanted)
    return Predictions(
        tokens=best,
        probabilities=np.take_along_axis(probabilities, best, axis=1).astype(np.float32),
        entropy=-(probabilities * log_probabilities).sum(axis=1).astype(np.float32),
        log_probability=log_probabilities[rows, best[:, 0] if request.given is None else list(request.given)].astype(
            np.float32
        ),
    )


def log_probability_of(context: Sequence[int], token: int, control_tokens: tuple[int, ...]) -> float:
    """Of `token` after `context`, by definition."""
    logits = allowed_only(random_logits(state_after(context)), control_tokens)
    peak = max(logits)
    return float(logits[token] - peak - math.log(sum(math.exp(value - peak) for value in logits)))
