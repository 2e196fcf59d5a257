"""Splits are made of packages."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from data.document import HELD_OUT, TRAIN, VALIDATION
from data.splitting import Split
from tests.data.trees import document

names = st.text(st.sampled_from("abcdefgh-"), min_size=1, max_size=6)


@given(st.lists(st.tuples(names, st.text(max_size=5)), max_size=30), st.floats(0.0, 0.9), st.integers())
def test_a_package_is_never_divided(files: list[tuple[str, str]], validation: float, seed: int):
    split = Split(frozenset(("a",)), validation, seed)
    found: dict[str, set[str]] = {}
    for package, path in files:
        found.setdefault(package, set()).add(split(document("x = 1\n", path, package)).document.split)
    assert all(len(splits) == 1 for splits in found.values())
    assert found.get("a", {HELD_OUT}) == {HELD_OUT}


def test_the_share_of_validation_is_about_what_was_asked_for():
    split = Split(frozenset(), 0.2)
    counts = Counter(split.of(f"package-{number}") for number in range(1000))
    assert 150 < counts[VALIDATION] < 250
    assert counts[TRAIN] == 1000 - counts[VALIDATION]


def test_without_validation_everything_else_is_for_training():
    split = Split(frozenset(("b",)))
    assert [split.of(name) for name in ("a", "b", "c")] == [TRAIN, HELD_OUT, TRAIN]


def test_another_seed_draws_other_packages():
    drawn = [{n for n in range(300) if Split(frozenset(), 0.3, seed).of(str(n)) == VALIDATION} for seed in (0, 1)]
    assert drawn[0] != drawn[1]
