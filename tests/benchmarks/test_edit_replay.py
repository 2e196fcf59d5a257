"""The replay of edit sessions: how sessions are made, and what counts as right."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.edit_replay import by_kind, by_source, is_right, is_there, replay
from benchmarks.edit_sessions import EditSession, edits
from benchmarks.releases import CHOSEN_ON, DEVELOPED_ON, JUDGED_ON, Pair, changed_files, release
from coder.editing.changes import apply_changes
from coder.errors import InputError
from lsp.edit.next.likelihood import LIKELIHOOD
from lsp.edit.next.suggestions import NextEdit

OLD = "def total(count):\n    assert count\n    return count\n\n\nx = 1\n"
NEW = OLD.replace("count", "amount").replace("x = 1", "y = 2")

LINES = st.lists(st.sampled_from(["a = b\n", "a = c\n", "d\n", "\n"]), max_size=8).map("".join)


def next_edit(text: str, old: str, new: str) -> NextEdit:
    start = text.index(old)
    return NextEdit(start, start + len(old), new, "repeat", "", 1.0)


@given(LINES, LINES)
def test_all_edits_together_lead_to_the_goal(old: str, new: str):
    changes = [change for edit in edits(old, new) for change in edit]
    assert apply_changes(old, changes) == new


def test_what_is_on_one_line_is_one_edit():
    assert [len(edit) for edit in edits("a = b + c\nd\ne = f\n", "x = y + c\nd\ne = g\n")] == [2, 1]


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


def test_a_pair_is_named_by_package_and_two_releases():
    assert Pair.parse("click:8.0.4:8.1.0") == Pair("click", "8.0.4", "8.1.0")
    with pytest.raises(InputError, match="NAME:OLD:NEW"):
        Pair.parse("click:8.0.4")


def test_no_package_serves_twice():
    packages = [pair.package for pair in (*DEVELOPED_ON, *CHOSEN_ON, *JUDGED_ON)]
    assert len(packages) == len(set(packages))


def test_files_that_differ_are_found_in_the_cache(tmp_path: Path):
    for version, text in (("1", OLD), ("2", NEW)):
        folder = tmp_path / f"package-{version}" / "package"
        folder.mkdir(parents=True)
        (folder / "a.py").write_text(text, encoding="utf-8")
        (folder / "same.py").write_text("x = 1\n", encoding="utf-8")
    (file,) = changed_files(Pair("package", "1", "2"), tmp_path)
    assert (file.path, file.old, file.new) == ("package/a.py", OLD, NEW)


def test_a_release_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "package-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("package/a.py", OLD)
        wheel.writestr("package-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: package\nVersion: 1\n")
        wheel.writestr("package-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("package-1.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    folder = release("package", "1", tmp_path / "cache")
    assert (folder / "package" / "a.py").read_text(encoding="utf-8") == OLD
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert release("package", "1", tmp_path / "cache") == folder
    with pytest.raises(InputError, match="cannot download"):
        release("package", "2", tmp_path / "cache")
