"""The index of a folder: what is in it, when, how much it takes, and what never gets into it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coder.context import workspace_index
from coder.context.ngram_index import NgramIndex
from coder.context.workspace_index import IndexLimits, WorkspaceIndex, WorkspacePool
from coder.errors import InputError

WAIT = 30.0

Opener = Callable[..., WorkspaceIndex]


@pytest.fixture
def open_index(tmp_path: Path) -> Iterator[Opener]:
    opened: list[WorkspaceIndex] = []

    def open_now(root: Path = tmp_path, limits: IndexLimits | None = None) -> WorkspaceIndex:
        index = WorkspaceIndex(root, limits)
        opened.append(index)
        index.refresh()
        index.wait(WAIT)
        return index

    yield open_now
    for index in opened:
        index.close()


def follows(index: NgramIndex, before: str) -> set[str]:
    """Every text of up to two words that the index knows behind `before`."""
    return {text for match in index.matches(before, 2) for text in match.continuations}


def known(index: WorkspaceIndex, before: str) -> set[str]:
    return follows(index.around(None, ""), before)


def look_again(index: WorkspaceIndex) -> None:
    index.refresh(now=True)
    assert index.wait(WAIT)


def test_a_folder_is_indexed(tmp_path: Path, open_index: Opener):
    (tmp_path / "a.py").write_text("total = first + second\n")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.py").write_text("total = third\n")
    index = open_index()
    assert known(index, "total =") == {" first +", " third\n"}
    state = index.state
    assert (state.files, state.building, state.complete) == (2, False, True)
    assert state.words == 10 and state.bytes > 0 and state.seconds > 0


def test_what_changes_on_the_disk_is_found_at_the_next_look(tmp_path: Path, open_index: Opener):
    changed, removed, kept = (tmp_path / name for name in ("a.py", "b.py", "c.py"))
    changed.write_text("total = old\n")
    removed.write_text("total = gone\n")
    kept.write_text("total = kept\n")
    index = open_index()
    changed.write_text("total = new_one\n")
    removed.unlink()
    (tmp_path / "d.py").write_text("total = added\n")
    look_again(index)
    assert known(index, "total =") == {" new_one\n", " kept\n", " added\n"}


def test_a_file_that_has_not_changed_is_not_read_again(tmp_path: Path, open_index: Opener, monkeypatch):
    (tmp_path / "a.py").write_text("total = first\n")
    index = open_index()
    reads: list[Path] = []
    monkeypatch.setattr(workspace_index, "_text", lambda path: reads.append(path) or "")
    look_again(index)
    assert reads == []
    os.utime(tmp_path / "a.py", ns=(1, 1))
    look_again(index)
    assert reads == [(tmp_path / "a.py").resolve()]


def test_no_look_follows_another_at_once_unless_it_must(tmp_path: Path, open_index: Opener):
    index = open_index()
    (tmp_path / "a.py").write_text("total = first\n")
    index.refresh()
    index.wait(WAIT)
    assert known(index, "total =") == set()
    look_again(index)
    assert known(index, "total =") == {" first\n"}


def test_an_editors_text_counts_until_it_is_released(tmp_path: Path, open_index: Opener):
    file = tmp_path / "a.py"
    file.write_text("total = saved\n")
    index = open_index()
    index.update(file, "total = typed\n")
    look_again(index)
    assert known(index, "total =") == {" typed\n"}
    index.release(file)
    index.wait(WAIT)
    assert known(index, "total =") == {" saved\n"}


def test_an_editors_new_file_is_forgotten_when_it_is_never_saved(tmp_path: Path, open_index: Opener):
    index = open_index()
    index.update(tmp_path / "new.py", "total = typed\n")
    index.wait(WAIT)
    assert known(index, "total =") == {" typed\n"}
    index.release(tmp_path / "new.py")
    look_again(index)
    assert known(index, "total =") == set()


@pytest.mark.parametrize("name", [".env", "secrets.py", "id_rsa", "build/a.py", "ignored.py", "../elsewhere.py"])
def test_what_may_not_be_read_does_not_come_in_through_the_editor_either(tmp_path: Path, open_index: Opener, name: str):
    root = tmp_path / "root"
    root.mkdir()
    (root / ".gitignore").write_text("ignored.py\n")
    index = open_index(root)
    index.update(root / name, "password = hunter\n")
    index.wait(WAIT)
    assert known(index, "password =") == set()
    assert index.state.files == 0


def test_a_file_counts_no_more_once_the_editor_has_a_key_in_it(tmp_path: Path, open_index: Opener):
    (tmp_path / "a.py").write_text("total = saved\n")
    index = open_index()
    assert known(index, "total =") == {" saved\n"}
    index.update(tmp_path / "a.py", f"total = saved\nkey = '{'AKIA' + 'ABCDEFGH01234567'}'\n")
    index.wait(WAIT)
    look_again(index)
    assert known(index, "total =") == known(index, "key =") == set()


@pytest.mark.parametrize("spelling", ["{root}/a.py", "a.py", "{root}/b/../a.py", "{root}/link.py"])
def test_the_saved_text_of_the_file_that_is_written_does_not_tell_what_belongs_in_the_hole(
    tmp_path: Path, open_index: Opener, spelling: str
):
    (tmp_path / "a.py").write_text("alpha()\nanswer = forty_two\nomega()\n")
    (tmp_path / "b").mkdir()
    try:
        (tmp_path / "link.py").symlink_to(tmp_path / "a.py")
    except OSError:
        spelling = "a.py"  # a system where users may not make links
    index = open_index()
    assert known(index, "answer =") == {" forty_two\n"}
    around = index.around(spelling.format(root=tmp_path), "alpha()\n", "\nomega()\n")
    assert follows(around, "answer =") == set()
    assert follows(around, "alpha(") == {")\n"}, "what stands before the hole is known, and ends there"
    assert follows(around, "omega(") == {")\n"}


def test_no_continuation_reaches_over_a_hole(tmp_path: Path, open_index: Opener):
    around = open_index().around("a.py", "x = one;", "(two)\n", "[three]\n")
    assert follows(around, "x =") == {" one;"}
    assert follows(around, "(two)") == {"\n"}
    assert follows(around, "one;") == set()


def test_what_is_being_typed_is_not_remembered_letter_by_letter(tmp_path: Path, open_index: Opener):
    index = open_index()
    index.around("a.py", "answer = ", "\n")
    words = len(index.around("a.py", "answer = ", "\n").vocabulary)
    for length in range(len("forty_two")):
        around = index.around("a.py", "answer = " + "forty_two"[:length], "forty_two"[length:] + "\n")
        assert len(around.vocabulary) <= words + 1


def test_the_text_around_the_hole_is_bounded(tmp_path: Path, open_index: Opener):
    far, near = "far away\n", "near here\n"
    filling = "x\n" * workspace_index.OPEN_TEXT_CHARACTERS
    around = open_index().around("a.py", far + filling + near, near + filling + far)
    assert follows(around, "near") and not follows(around, "far")


def test_no_file_joins_beyond_the_limit_of_bytes(tmp_path: Path, open_index: Opener, monkeypatch):
    monkeypatch.setattr(workspace_index, "BATCH_CHARACTERS", 1000)
    for number in range(40):
        (tmp_path / f"{number}.py").write_text(f"value_{number} = word\n" * 100)
    whole = open_index().state
    state = open_index(limits=IndexLimits(bytes=whole.bytes // 2)).state
    assert 0 < state.files < whole.files == 40
    assert whole.complete and not state.complete
    assert state.bytes < whole.bytes // 2 + 20_000, "by no more than a batch"


def test_a_look_ends_after_its_seconds(tmp_path: Path, open_index: Opener):
    (tmp_path / "a.py").write_text("total = first\n")
    state = open_index(limits=IndexLimits(seconds=-1.0)).state
    assert (state.files, state.complete, state.building) == (0, False, False)


def test_files_missed_by_a_look_that_was_cut_short_are_not_taken_for_removed(
    tmp_path: Path, open_index: Opener, monkeypatch
):
    (tmp_path / "a.py").write_text("total = first\n")
    index = open_index()
    monkeypatch.setattr(index, "_limits", IndexLimits(seconds=-1.0))
    look_again(index)
    assert index.state.files == 1


def test_an_index_that_is_read_stays_as_it_is(tmp_path: Path, open_index: Opener):
    (tmp_path / "a.py").write_text("total = old\n")
    index = open_index()
    around = index.around(None, "")
    (tmp_path / "a.py").write_text("total = renamed\n")
    look_again(index)
    assert follows(around, "total =") == {" old\n"}


def test_a_file_that_cannot_be_indexed_does_not_stop_the_others(tmp_path: Path, open_index: Opener, monkeypatch):
    index = open_index()
    with monkeypatch.context() as patch:
        patch.setattr(workspace_index, "allowed", lambda path, root: 1 / 0)
        index.update(tmp_path / "a.py", "total = first\n")
        assert index.wait(WAIT)
    index.update(tmp_path / "a.py", "total = second\n")
    index.wait(WAIT)
    assert known(index, "total =") == {" second\n"}


def test_a_folder_that_does_not_exist_is_empty(tmp_path: Path, open_index: Opener):
    state = open_index(tmp_path / "nowhere").state
    assert (state.files, state.complete) == (0, True)


def test_closing_ends_the_building(tmp_path: Path, monkeypatch):
    started, go_on = threading.Event(), threading.Event()

    def slow_walk(root: Path) -> Iterator[Path]:
        started.set()
        go_on.wait(WAIT)
        yield tmp_path / "a.py"

    (tmp_path / "a.py").write_text("total = first\n")
    monkeypatch.setattr(workspace_index, "source_files", slow_walk)
    index = WorkspaceIndex(tmp_path)
    index.refresh()
    assert started.wait(WAIT)
    assert index.state.building
    index.close()
    go_on.set()
    index._thread.join(WAIT)
    assert not index._thread.is_alive()
    assert index.state.files == 0
    assert not index.wait(0.01)


def test_a_pool_keeps_the_folders_asked_for_lately(tmp_path: Path):
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    pool = WorkspacePool(most=2)
    first, second = pool.at(folders[0]), pool.at(folders[1])
    assert pool.at(str(folders[0] / ".." / "a")) is first
    pool.at(folders[2])
    assert pool.at(folders[0]) is first
    assert not second.wait(0.01) and first.wait(WAIT)
    pool.close()
    assert not first.wait(0.01)


def test_what_the_user_excludes_does_not_count(tmp_path: Path, open_index: Opener):
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "a.py").write_text("total = secret\n")
    (tmp_path / "b.py").write_text("total = public\n")
    index = open_index()
    assert known(index, "total =") == {" secret\n", " public\n"}
    assert follows(index.around(None, "", exclude=("/private/",)), "total =") == {" public\n"}
    index.update(tmp_path / "private" / "c.py", "total = opened\n")
    assert index.wait(WAIT)
    assert follows(index.around(None, "", exclude=("private/", "!b.py")), "total =") == {" public\n"}


def test_a_folder_that_no_system_has_is_refused():
    with pytest.raises(InputError, match="is no folder"):
        WorkspacePool().at("a\0b")
