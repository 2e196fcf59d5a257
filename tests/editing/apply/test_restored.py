"""Edits of real files with pieces left out behind markers: the merge gives the file back, or refuses."""

from __future__ import annotations

import random
import sysconfig
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.apply import LazyEdit, Outcome, changed_anywhere, lazy_edits, outcome
from coder.syntax.languages import language_of
from tests.editing.apply.lazy import lazy_edit

STDLIB = Path(sysconfig.get_paths()["stdlib"])
FILES = [
    *sorted((Path(__file__).parent / "sources").iterdir()),
    *(STDLIB / name for name in ("bisect.py", "graphlib.py", "shlex.py", "cmd.py", "sched.py", "contextlib.py")),
]


def outcomes(files: Iterable[Path], edits: int, seed: int) -> Counter[Outcome]:
    found: Counter[Outcome] = Counter()
    for path in files:
        language = language_of(path.name)
        assert language is not None
        for edit in lazy_edits(path.read_text(encoding="utf-8"), language, edits, seed):
            result = outcome(edit, path.name)
            assert result != "lost", f"{path.name}, {edit.kind}:\n{edit.edit}"
            found[result] += 1
    return found


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(FILES), st.integers(0, 10_000))
def test_no_line_is_lost(path: Path, seed: int):
    outcomes([path], 3, seed)


@settings(max_examples=6, deadline=None)
@given(st.sampled_from(FILES), st.integers(0, 10_000))
def test_no_line_is_lost_where_several_things_change(path: Path, seed: int):
    language, generator = language_of(path.name), random.Random(seed)
    assert language is not None and language.comment is not None
    old = new = path.read_text(encoding="utf-8")
    for _ in range(3):
        new = changed_anywhere(new, language, generator) or new
    edit = lazy_edit(old, new, language.name, language.comment)
    assert outcome(LazyEdit("statement changed", old, new, edit, 1), path.name) != "lost", edit


def test_most_edits_are_restored_in_every_language():
    for path in FILES[:6]:
        found = outcomes([path], 10, seed=7)
        assert found.total() >= 5, path.name
        assert found["restored"] >= 0.7 * found.total(), (path.name, found)


@pytest.mark.slow
def test_no_line_of_the_standard_library_is_lost():
    files = [path for path in sorted(STDLIB.glob("[a-z]*.py")) if path.stat().st_size < 40_000]
    found = outcomes(files[::3], 4, seed=11)
    assert found.total() > 100
    assert found["restored"] >= 0.9 * found.total()
