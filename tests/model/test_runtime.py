"""The pool of caches: what two requests share is never computed twice, and memory stays bounded."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from coder.model.runtime import FORGETTABLE, CachePool, common_prefix_length


@dataclass(eq=False)
class ListCache:
    tokens: list[int] = field(default_factory=list)
    nbytes: int = 10

    def truncate(self, length: int) -> None:
        del self.tokens[length:]

    def copy_prefix(self, length: int) -> ListCache:
        return ListCache(self.tokens[:length])


def run(pool: CachePool, tokens: list[int]) -> int:
    """What a request does with its cache; returns how many tokens it had to compute."""
    cache = pool.take(tokens)
    known = len(cache.tokens)
    assert cache.tokens == tokens[:known]
    cache.tokens.extend(tokens[known:])
    return len(tokens) - known


@given(st.lists(st.lists(st.integers(0, 2), max_size=8), min_size=2, max_size=12))
def test_the_longest_prefix_any_cache_knows_is_reused(requests: list[list[int]]):
    pool = CachePool(ListCache)
    previous: list[int] = []
    for tokens in requests:
        computed = run(pool, tokens)
        assert computed <= len(tokens) - common_prefix_length(previous, tokens)
        previous = tokens


def test_typing_goes_on_in_the_same_cache():
    pool = CachePool(ListCache)
    text = list(range(300))
    assert run(pool, text) == 300
    assert run(pool, [*text, 7]) == 1
    assert run(pool, [*text[:290], 8]) == 1
    assert pool.nbytes == 10


def test_another_place_in_the_file_keeps_both_places_cached():
    pool = CachePool(ListCache)
    here, there = list(range(300)), [*range(50), *range(1000, 1300)]
    run(pool, here)
    assert len(here) - 50 > FORGETTABLE
    assert run(pool, there) == 300
    assert run(pool, here) == 0
    assert run(pool, there) == 0


def test_the_least_recently_used_goes_first():
    pool = CachePool(ListCache, max_bytes=20)
    first, second, third = ([start, *range(200)] for start in (1000, 2000, 3000))
    for tokens in (first, second, first, third):
        run(pool, tokens)
    assert pool.nbytes == 20
    assert run(pool, first) == 0
    assert run(pool, second) == 201


def test_a_lower_limit_keeps_what_was_used_last():
    pool = CachePool(ListCache)
    first, second = ([start, *range(200)] for start in (1000, 2000))
    run(pool, first)
    run(pool, second)
    pool.limit(10)
    assert pool.nbytes == 10
    assert run(pool, second) == 0


def test_what_another_thread_works_with_is_copied_until_it_ends():
    pool = CachePool(ListCache)
    text = list(range(300))
    run(pool, text)
    caches: list[object] = []

    def take() -> None:
        caches.append(pool.take([*text, 7]))

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    mine = pool.take(text)
    assert caches[0] is not mine
    assert mine.tokens == text
    del thread
    assert run(pool, [*text, 8]) == 1
    assert pool.take([*text, 7]) is mine


def test_what_other_threads_work_with_counts_and_idle_caches_give_way():
    pool = CachePool(ListCache, max_bytes=20)
    idle, theirs, mine = ([start, *range(200)] for start in (1000, 2000, 3000))
    run(pool, idle)
    taken, done = threading.Event(), threading.Event()

    def work() -> None:
        run(pool, theirs)
        taken.set()
        done.wait()

    thread = threading.Thread(target=work)
    thread.start()
    taken.wait()
    run(pool, mine)
    assert pool.nbytes == 20
    done.set()
    thread.join()
    assert (run(pool, theirs), run(pool, idle)) == (0, 201)
