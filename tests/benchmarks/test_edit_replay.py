"""The replay of edit sessions: how sessions are made, and what counts as right."""

from __future__ import annotations

from pathlib import Path

from benchmarks.edit_replay import by_kind, by_source, is_right, is_there, replay
from benchmarks.edit_sessions import EditSession
from benchmarks.releases import CHOSEN_ON, DEVELOPED_ON, JUDGED_ON
from data.settings import HELD_OUT_PACKAGES
from data.sources.releases import read_pairs
from lsp.edit.next.likelihood import LIKELIHOOD
from lsp.edit.next.suggestions import NextEdit

OLD = "def total(count):\n    assert count\n    return count\n\n\nx = 1\n"
NEW = OLD.replace("count", "amount").replace("x = 1", "y = 2")

ROOT = Path(__file__).parents[2]


def next_edit(text: str, old: str, new: str) -> NextEdit:
    start = text.index(old)
    return NextEdit(start, start + len(old), new, "repeat", "", 1.0)


def test_right_is_what_is_a_part_of_the_change():
    assert is_right(OLD, NEW, next_edit(OLD, "count)", "amount)"))
    assert not is_right(OLD, NEW, next_edit(OLD, "count)", "amounts)"))
    assert not is_right(OLD, NEW, next_edit(OLD, "assert", "require"))
    assert is_there(OLD, NEW, next_edit(OLD, "assert", "require"))
    assert not is_there(OLD, NEW.replace("y = 2", "x = 1"), next_edit(OLD, "x = 1", "x = 2"))


def test_a_rename_is_made_once_and_accepted_for_the_rest():
    session = EditSession("package", "a.py", "rename", OLD, OLD.replace("count", "amount"))
    replayed = replay(session, LIKELIHOOD, threshold=0.0)
    assert (replayed.made, replayed.accepted) == (1, 2)
    assert [asked.what for asked in replayed.asked] == [True, True, False]
    assert replayed.asked[-1].shown is None
    (all_sessions, _) = by_kind([replayed])
    assert (all_sessions["shown"], all_sessions["what"], all_sessions["edits_saved"]) == (2, 1.0, 2 / 3)
    assert by_source([replayed]) == [{"source": "rename", "shown": 2, "where": 1.0, "what": 1.0}]


def test_what_is_wrong_is_not_offered_twice():
    session = EditSession("package", "a.py", "release", OLD, OLD.replace("total(count)", "total(amount)"))
    replayed = replay(session, LIKELIHOOD, threshold=0.0)
    assert (replayed.made, replayed.accepted, len(replayed.asked)) == (1, 0, 1)


def test_no_package_serves_twice():
    packages = [pair.package for pair in (*DEVELOPED_ON, *CHOSEN_ON, *JUDGED_ON)]
    assert len(packages) == len(set(packages))


def test_no_model_learns_from_the_packages_that_are_judged():
    learned = {pair.package for pair in read_pairs(ROOT / "data" / "releases.txt")}
    assert learned.isdisjoint(pair.package for pair in (*DEVELOPED_ON, *CHOSEN_ON, *JUDGED_ON))
    assert learned.isdisjoint(HELD_OUT_PACKAGES)
