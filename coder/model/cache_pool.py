"""A few key-value caches, so that what was computed for one request serves the next ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

from coder.model.runtime import Cache, common_prefix_length

MAX_BYTES = 192 * 1024 * 1024

FORGETTABLE = 96
"""Tokens that a cache may lose and still be reused in place, if it keeps as many: it loses mostly generated ones."""


class CachePool:
    """The least recently used set of caches, bounded in bytes. Not thread-safe, but threads may take turns.

    The cache that a thread took last is its own until it takes another one or ends: others get copies of it.

    Args:
        new_cache: makes an empty cache.
        max_bytes: the caches together stay below this, except that the one in use is always kept.
    """

    def __init__(self, new_cache: Callable[[], Cache], max_bytes: int = MAX_BYTES) -> None:
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

    def trim(self) -> None:
        """Drop the least recently used caches until the others fit; caches grow while they are used."""
        while len(self._caches) > 1 and self.nbytes > self._max_bytes:
            del self._caches[0]

    def _is_anothers(self, cache: Cache) -> bool:
        """Return whether another thread took the cache last, which may be waiting inside a run that uses it."""
        me = threading.current_thread()
        return any(owned is cache and thread is not me for thread, owned in self._owned.items())
