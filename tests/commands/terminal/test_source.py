"""Source files: read exactly, changed in one place, written whole or not at all."""

from __future__ import annotations

import codecs
import stat
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.commands.terminal.source import MAX_BYTES, decode_source, read_source, replace_content, unix_line_breaks
from coder.errors import InputError

lines = st.lists(st.text(st.sampled_from("ab\té漢😀 "), max_size=8), min_size=1, max_size=6)
newlines = st.sampled_from(["\n", "\r\n", "\r"])
marks = st.sampled_from([b"", codecs.BOM_UTF8])


@given(lines, newlines, marks)
def test_changing_nothing_gives_the_same_bytes(rows, newline, mark):
    content = mark + newline.join(rows).encode()
    source = decode_source(content, "file")
    assert source.changed(0, 0, "") == content


@given(lines, newlines, marks, st.data())
def test_a_change_touches_nothing_else_and_takes_the_files_line_breaks(rows, newline, mark, data):
    text = newline.join(rows)
    source = decode_source(mark + text.encode(), "file")
    line = data.draw(st.integers(1, len(rows)))
    column = data.draw(st.integers(1, len(rows[line - 1]) + 1))
    offset = source.offset(line, column)
    changed = source.changed(offset, offset, "new\nlines\r\n")
    own = newline if len(rows) > 1 else "\n"
    assert changed == mark + (text[:offset] + f"new{own}lines{own}" + text[offset:]).encode()


@given(lines, newlines, st.data())
def test_positions_and_offsets_are_inverse(rows, newline, data):
    source = decode_source(newline.join(rows).encode(), "file")
    line = data.draw(st.integers(1, len(rows)))
    column = data.draw(st.integers(1, len(rows[line - 1]) + 1))
    assert source.position(source.offset(line, column)) == (line, column)
    assert source.position(source.offset(line)) == (line, len(rows[line - 1]) + 1)


@given(st.text(st.sampled_from("a\r\n"), max_size=12))
def test_unix_line_breaks_leave_the_lines(text):
    assert unix_line_breaks(text).split("\n") == [*(text + "x").splitlines()[:-1], (text + "x").splitlines()[-1][:-1]]


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        (3, None, "which has 2 lines"),
        (10**8, 1, "which has 2 lines"),
        (1, 6, "give a column from 1 to 5"),
        (2, 2, "give a column from 1 to 1"),
    ],
)
def test_a_position_outside_says_what_there_is(line, column, message):
    with pytest.raises(InputError, match=message):
        decode_source(b"abcd\n", "file").offset(line, column)


def test_an_empty_file_has_one_position():
    source = decode_source(b"", "file")
    assert source.offset(1) == source.offset(1, 1) == 0
    assert source.changed(0, 0, "a\nb") == b"a\nb"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"fine\nbad \xff byte", "byte 0xff at offset 9, line 2"),
        (codecs.BOM_UTF8 + b"\n\n\xe4", "byte 0xe4 at offset 5, line 3"),
        (b"\x7fELF\x00\x00", "NUL byte at offset 4"),
        ("a".encode("utf-16"), "not a text file"),
    ],
)
def test_what_is_no_utf8_text_is_refused(content, message):
    with pytest.raises(InputError, match=message):
        decode_source(content, "file")


def test_unreadable_paths_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"missing\.py does not exist"):
        read_source(tmp_path / "missing.py")
    with pytest.raises(InputError, match="is a folder"):
        read_source(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_source(tmp_path / ("x" * 5000))


def test_data_is_not_source(tmp_path):
    large = tmp_path / "large.py"
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InputError, match="larger than 64 MB"):
        read_source(large)


def test_writing_keeps_the_old_version_and_the_mode(tmp_path):
    path = tmp_path / "script.py"
    path.write_bytes(b"old\r\n")
    path.chmod(0o744)
    mode = stat.S_IMODE(path.stat().st_mode)

    backups = []
    for content in (b"first\r\n", b"second\r\n", b"third\r\n"):
        backups.append(replace_content(path, read_source(path), content))
        assert path.read_bytes() == content

    assert [backup.name for backup in backups] == ["script.py.bak", "script.py.bak1", "script.py.bak2"]
    assert [backup.read_bytes() for backup in backups] == [b"old\r\n", b"first\r\n", b"second\r\n"]
    assert sorted(tmp_path.iterdir()) == sorted([path, *backups])
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {mode}


def test_a_file_changed_meanwhile_is_left_alone(tmp_path):
    path = tmp_path / "file.py"
    path.write_bytes(b"read\n")
    source = read_source(path)
    path.write_bytes(b"edited elsewhere\n")
    with pytest.raises(InputError, match="changed by another program"):
        replace_content(path, source, b"new\n")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"file.py": b"edited elsewhere\n"}


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege there")
def test_a_link_stays_a_link(tmp_path):
    target = tmp_path / "target.py"
    target.write_bytes(b"old\n")
    link = tmp_path / "link.py"
    link.symlink_to(target)
    backup = replace_content(link, read_source(link), b"new\n")
    assert link.is_symlink()
    assert target.read_bytes() == b"new\n"
    assert backup == target.with_name("target.py.bak")


def test_a_failed_write_leaves_everything_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "file.py"
    path.write_bytes(b"old\n")
    source = read_source(path)

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(InputError, match="No space left on device; nothing was changed"):
        replace_content(path, source, b"new\n")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"file.py": b"old\n"}
