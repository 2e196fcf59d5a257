"""The interface between the sampler and a model, whatever framework runs it (design: two runtimes, one interface).

A runtime answers *passes*. A pass puts M new positions on top of a cache and returns predictions for the wanted ones:
the few best tokens, the entropy and the log-probability of given tokens, reduced inside the runtime, since moving
M x vocabulary logits out would cost more than the pass itself. A pool keeps a few caches, so that what was computed for
one request serves the next ones.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from coder.model.checkpoint.config import ModelConfig

CANDIDATES = 8
"""Number of the best tokens that a prediction names."""


@dataclass(frozen=True)
class TokenBias:
    """A sparse addition to the logits: `values[i]` joins the logit of `tokens[i]` at wanted position `rows[i]`.

    All three are one-dimensional and of the same length; rows and tokens int64, values float32.
    """

    rows: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]

    @staticmethod
    def none() -> TokenBias:
        return TokenBias(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))

    @staticmethod
    def of_token(token: int, value: float, count: int) -> TokenBias:
        """The same addition to one token's logit at each of `count` wanted positions."""
        return TokenBias(np.arange(count), np.full(count, token, np.int64), np.full(count, value, np.float32))

    def joined(self, other: TokenBias) -> TokenBias:
        """Both; what they say of the same logit adds up."""
        return TokenBias(
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.tokens, other.tokens]),
            np.concatenate([self.values, other.values]),
        )


@dataclass(frozen=True)
class Pass:
    """One forward pass of `tokens` (M ids) on top of a cache.

    The output at a position predicts the *next* token, in both kinds of pass, or its own (`config.shift`). RoPE
    positions continue from the cache.

    Attributes:
        tokens: the M new token ids.
        wanted: indices into `tokens` whose prediction is returned, W of them, ascending.
        causal: True for a context pass (each position sees the cache and what `config.attention` lets it see of the
            M), False for a canvas pass (each position sees the cache and all M).
        commit: how many leading positions join the cache. Only a causal pass may commit.
        given: a token per wanted position whose log-probability is returned.
        control_tokens: control tokens that may be predicted besides ordinary ones; all others get probability 0.
        bias: added to the logits of the wanted positions.
        states: whether the hidden states of the wanted positions are returned, for local steps.
        start, visible: an approximate pass over a part of what the pass before it covered: its tokens have the
            positions from `start`, and see the first `visible` ones as that pass left them (Fast-dLLM,
            arXiv:2505.22618). It commits nothing.
        unconditional: M other ids, of the same positions without what the answer is to depend on, and `guidance`, how
            far the logits are moved away from theirs: u + (guidance + 1) (l - u) (classifier-free guidance).
    """

    tokens: Sequence[int]
    wanted: Sequence[int] = ()
    causal: bool = True
    commit: int = 0
    given: Sequence[int] | None = None
    control_tokens: tuple[int, ...] = ()
    bias: TokenBias = field(default_factory=TokenBias.none)
    states: bool = False
    start: int | None = None
    visible: int | None = None
    unconditional: Sequence[int] | None = None
    guidance: float = 0.0

    @property
    def count(self) -> int:
        """W."""
        return len(self.wanted)

    def __post_init__(self) -> None:
        if self.commit and not self.causal:
            raise ValueError("keys and values of a canvas pass never join the cache")
        if self.unconditional is not None and len(self.unconditional) != len(self.tokens):
            raise ValueError(f"{len(self.unconditional)} unconditional tokens for {len(self.tokens)} tokens")
        if not 0 <= self.commit <= len(self.tokens):
            raise ValueError(f"cannot commit {self.commit} of {len(self.tokens)} positions")
        if self.given is not None and len(self.given) != len(self.wanted):
            raise ValueError(f"{len(self.given)} given tokens for {len(self.wanted)} wanted positions")


@dataclass(frozen=True)
class LocalStep:
    """One step of the local autoregression: W slots of a canvas, each given the two tokens before it.

    The slots of a canvas pass are predicted independently of each other. A small network on a slot's hidden state and
    the embeddings of the two tokens before it predicts the slot anew, given what was decided for its neighbours:
    h + W2 silu(W1 [rms(h); e(x-1); e(x-2)] + b1), through the model's own head (after CoDiLA, arXiv:2603.20216, and
    Hydra heads, arXiv:2402.05109). It takes about as long as the head, a small part of a pass.

    Attributes:
        states: rows of `Predictions.states`, W of them.
        before: the token before each slot and the one before that.
        given, control_tokens, bias: as a `Pass` has them.
    """

    states: Any
    before: Sequence[tuple[int, int]]
    given: Sequence[int] | None = None
    control_tokens: tuple[int, ...] = ()
    bias: TokenBias = field(default_factory=TokenBias.none)

    @property
    def count(self) -> int:
        """W."""
        return len(self.before)


@dataclass(frozen=True)
class Predictions:
    """The predictions of a pass for its W wanted positions, at temperature 1.

    Attributes:
        tokens: int64 [W, CANDIDATES], best first.
        probabilities: float32 [W, CANDIDATES], of those tokens under the whole vocabulary's softmax.
        entropy: float32 [W], nats, of the whole distribution.
        log_probability: float32 [W], nats, of the `given` tokens (of the best token where none were given).
        states: [W, hidden size], for `LocalStep`, where the pass asked for them: an array or tensor of the runtime's
            own, which means nothing to others.
    """

    tokens: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float32]
    entropy: npt.NDArray[np.float32]
    log_probability: npt.NDArray[np.float32]
    states: Any = None


class Cache(Protocol):
    """Keys and values of the committed tokens of one sequence, in preallocated buffers that grow when needed."""

    @property
    def tokens(self) -> list[int]:
        """The committed tokens, in order."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes held by the buffers."""
        ...

    def truncate(self, length: int) -> None:
        """Forget all but the first `length` tokens, and of those all but whole blocks of the attention's pattern."""
        ...

    def copy_prefix(self, length: int) -> Cache:
        """A new cache holding the first `length` tokens, cut in the same way."""
        ...


class Runtime(Protocol):
    """A loaded model. Not thread-safe: the engine gives it one worker."""

    @property
    def config(self) -> ModelConfig: ...

    @property
    def description(self) -> dict[str, str]:
        """Facts for `quickfill info`: runtime, precision, threads, processor features used."""
        ...

    def new_cache(self) -> Cache: ...

    def forward(self, cache: Cache, request: Pass) -> Predictions:
        """Run one pass, appending `request.commit` tokens to `cache`."""
        ...

    def forward_batch(self, caches: Sequence[Cache], requests: Sequence[Pass]) -> list[Predictions]:
        """Run a pass for each of several different caches, together where that is faster.

        Widths, kinds and cache lengths may differ. The answers are those of one pass after the other, up to rounding.
        """
        ...

    def forward_local(self, step: LocalStep) -> Predictions:
        """Predict slots anew from their states and the tokens before them. Only where `config.local_width` is not 0."""
        ...


def common_prefix_length(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how many tokens two sequences share at their start."""
    length = min(len(first), len(second))
    differing = np.flatnonzero(np.asarray(first[:length]) != np.asarray(second[:length]))
    return int(differing[0]) if len(differing) else length


MAX_CACHE_BYTES = 192 * 1024 * 1024

FORGETTABLE = 96
"""Tokens that a cache may lose and still be reused in place, if it keeps as many: it loses mostly generated ones."""


class CachePool:
    """The least recently used set of caches, bounded in bytes. Not thread-safe, but threads may take turns.

    The cache that a thread took last is its own until it takes another one or ends: others get copies of it.

    Args:
        new_cache: makes an empty cache.
        max_bytes: the caches together stay below this, or below what those in use take.
    """

    def __init__(self, new_cache: Callable[[], Cache], max_bytes: int = MAX_CACHE_BYTES) -> None:
        self._new_cache = new_cache
        self._max_bytes = max_bytes
        self._caches: list[Cache] = []
        """The most recently used one last."""
        self._owned: WeakKeyDictionary[threading.Thread, Cache] = WeakKeyDictionary()

    @property
    def nbytes(self) -> int:
        return sum(cache.nbytes for cache in self._caches)

    def take(self, tokens: Sequence[int]) -> Cache:
        """Return the cache that holds the longest prefix of `tokens`, cut to it.

        Where another sequence would lose much by that, the shared prefix is copied and the other one kept.
        """
        shared, best = max(
            ((common_prefix_length(cache.tokens, tokens), cache) for cache in self._caches),
            key=lambda found: found[0],
            default=(0, None),
        )
        if best is None:
            cache = self._new_cache()
        elif len(best.tokens) - shared <= min(FORGETTABLE, shared) and not self._is_anothers(best):
            self._caches.remove(best)
            best.truncate(shared)
            cache = best
        else:
            cache = best.copy_prefix(shared) if shared else self._new_cache()
        self._caches.append(cache)
        self._owned[threading.current_thread()] = cache
        self.trim()
        return cache

    def missing(self, tokens: Sequence[int]) -> int:
        """Return how many of `tokens` are in no cache."""
        return len(tokens) - max((common_prefix_length(cache.tokens, tokens) for cache in self._caches), default=0)

    def limit(self, max_bytes: int) -> None:
        """Let the caches stay below this from now on."""
        self._max_bytes = max_bytes
        self.trim()

    def trim(self) -> None:
        """Drop the least recently used caches until the others fit; caches grow while they are used. One that a thread
        works with would stay in memory without being counted."""
        for cache in [idle for idle in self._caches[:-1] if not self._is_anothers(idle)]:
            if self.nbytes <= self._max_bytes:
                break
            self._caches.remove(cache)

    def _is_anothers(self, cache: Cache) -> bool:
        """Return whether another thread took the cache last, which may be waiting inside a run that uses it."""
        me = threading.current_thread()
        return any(owned is cache and thread is not me for thread, owned in self._owned.items())
