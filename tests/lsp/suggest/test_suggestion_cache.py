"""Forward keys: what was suggested serves while its beginning is typed, and no longer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp.suggest.suggestion_cache import REMEMBERED, Suggestion, SuggestionCache
from tests.lsp.places import cursor_at

FULL = "return first + second"


def remembered(text: str = "def add(first, second):\n    |\n", *texts: str) -> SuggestionCache:
    cache = SuggestionCache()
    cache.put(cursor_at(text), tuple(Suggestion(name, name) for name in texts or (FULL,)))
    return cache


@given(st.integers(0, len(FULL) - 1))
def test_typing_a_suggestion_leaves_its_rest(typed):
    found = remembered().get(cursor_at(f"def add(first, second):\n    {FULL[:typed]}|\n"))
    assert found == (Suggestion(FULL, FULL[typed:]),)


def test_typing_another_thing_needs_the_model():
    cache = remembered()
    assert cache.get(cursor_at("def add(first, second):\n    raise|\n")) is None
    assert cache.get(cursor_at(f"def add(first, second):\n    {FULL}|\n")) is None
    assert cache.get(cursor_at("def add(first, other):\n    |\n")) is None
    assert cache.get(cursor_at("def add(first, second):\n    |\nx = 1")) is None
    assert cache.get(cursor_at("def add(first, second):\n    |\n", uri="file:///b.py")) is None


def test_of_several_suggestions_those_stay_that_fit():
    cache = remembered("x = |", "abc", "abd", "xyz")
    assert cache.get(cursor_at("x = ab|")) == (Suggestion("abc", "c"), Suggestion("abd", "d"))


def test_nothing_is_remembered_for_its_own_place_alone():
    cache = SuggestionCache()
    cache.put(cursor_at("x = |"), ())
    assert cache.get(cursor_at("x = |")) == ()
    assert cache.get(cursor_at("x = 1|")) is None


def test_the_latest_suggestion_wins():
    cache = remembered("x = |", "old text")
    cache.put(cursor_at("x = o|"), (Suggestion("new", "ld friend"),))
    assert cache.get(cursor_at("x = ol|")) == (Suggestion("new", "d friend"),)


def test_only_the_latest_are_remembered():
    cache = remembered("first = |", "1")
    for number in range(REMEMBERED):
        cache.put(cursor_at(f"x{number} = |"), (Suggestion("", "1"),))
    assert cache.get(cursor_at("first = |")) is None
    assert cache.get(cursor_at("x0 = |")) is not None


def test_text_far_away_does_not_matter():
    far = "y = 2\n" * 1000
    assert remembered(f"{far}x = |{far}").get(cursor_at(f"{far.replace('y', 'z', 1)}x = |{far}# end")) is not None


def test_after_a_part_of_an_alternative_its_rest_goes_first():
    cache = remembered("total = |\n", "sum(values)", "sum(prices) + tax")
    cache.prefer("sum(prices) + tax")
    found = cache.get(cursor_at("total = sum|\n"))
    assert found is not None and [suggestion.text for suggestion in found] == ["(prices) + tax", "(values)"]
