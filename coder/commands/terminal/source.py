"""Source files exactly as they are: read with encoding and line breaks remembered, changed in one place, written whole
or not at all."""

from __future__ import annotations

import codecs
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from coder.errors import InputError

MAX_BYTES = 64 << 20
"""Larger files are data, not source."""

LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Source:
    """A text and how it was stored.

    Attributes:
        name: what to call it in messages.
        content: the bytes as read.
        text: the decoded text, without a byte order mark, its line breaks untouched.
        byte_order_mark: whether the content starts with one.
    """

    name: str
    content: bytes
    text: str
    byte_order_mark: bool

    @property
    def newline(self) -> str:
        """The line break used first; a line feed when there is none."""
        found = LINE_BREAK.search(self.text)
        return found.group() if found else "\n"

    def offset(self, line: int, column: int | None = None) -> int:
        """Index into `text` of a position; both are 1-based, `column` counts characters, None is the line's end.

        Raises InputError for a position outside the text.
        """
        start = self._line_start(line)
        found = LINE_BREAK.search(self.text, start)
        end = found.start() if found else len(self.text)
        if column is None:
            return end
        if not 1 <= column <= end - start + 1:
            raise InputError(
                f"{self.name}:{line} has {end - start} characters, so column {column} is outside it; "
                f"give a column from 1 to {end - start + 1}, or none for the end of the line"
            )
        return start + column - 1

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an index into `text`, both 1-based."""
        line, start = 1, 0
        for line_break in LINE_BREAK.finditer(self.text, 0, offset):
            line, start = line + 1, line_break.end()
        return line, offset - start + 1

    def changed(self, start: int, end: int, text: str) -> bytes:
        """The content with `text[start:end]` replaced, everything else byte for byte as it was.

        The line breaks of the new text become the source's own.
        """
        return self.stored(self.text[:start] + self.own_line_breaks(text) + self.text[end:])

    def own_line_breaks(self, text: str) -> str:
        """The text with the source's line breaks."""
        return unix_line_breaks(text).replace("\n", self.newline)

    def stored(self, text: str) -> bytes:
        """Return the bytes to store for the source to have this text."""
        return (codecs.BOM_UTF8 if self.byte_order_mark else b"") + text.encode()

    def _line_start(self, line: int) -> int:
        if line == 1:
            return 0
        count = 1
        for line_break in LINE_BREAK.finditer(self.text):
            count += 1
            if count == line:
                return line_break.end()
        raise InputError(f"line {line} is outside {self.name}, which has {count} lines; give a line from 1 to {count}")


def unix_line_breaks(text: str) -> str:
    """The text as a model sees it, whatever its system of origin."""
    return LINE_BREAK.sub("\n", text)


def read_source(path: Path) -> Source:
    """Read a file. Raises InputError when it is missing, no file, unreadable, too large or not UTF-8 text."""
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder; name a file in it")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path (it is relative to {Path.cwd()})") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    return decode_source(content, str(path))


def decode_source(content: bytes, name: str) -> Source:
    """Decode what was read from `name`. Raises InputError when it is too large or not UTF-8 text."""
    if len(content) > MAX_BYTES:
        raise InputError(f"{name} is larger than {MAX_BYTES >> 20} MB; that is data rather than source code")
    nul = content.find(b"\0")
    if nul >= 0:
        raise InputError(f"{name} is not a text file (NUL byte at offset {nul}); name a source file in UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        offset = error.start + len(content) - len(error.object)
        line = content.count(b"\n", 0, offset) + 1
        raise InputError(
            f"{name} is not valid UTF-8: byte 0x{content[offset]:02x} at offset {offset}, line {line}; "
            "convert the file to UTF-8 first"
        ) from error
    return Source(name, content, text, content.startswith(codecs.BOM_UTF8))


def replace_content(path: Path, source: Source, content: bytes) -> Path:
    """Write `content` in the place of what was read as `source`, at once and with the same permissions.

    The old content is kept beside the file, in `FILE.bak` or the first of `FILE.bak1`, `FILE.bak2`, ... that is free.
    A symbolic link stays one: the file it leads to is changed.

    Returns: the backup's path.
    Raises: InputError when the file has changed since it was read, or cannot be written; it is left as it was.
    """
    target = path.resolve()
    if read_source(target).content != source.content:
        raise InputError(f"{path} was changed by another program meanwhile; nothing was written, try again")
    try:
        backup = _write_backup(target, source.content)
        try:
            _write_at_once(target, content)
        except OSError:
            backup.unlink()
            raise
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}; nothing was changed") from error
    return backup


def _write_backup(path: Path, content: bytes) -> Path:
    number = 0
    while True:
        backup = path.with_name(f"{path.name}.bak{number or ''}")
        try:
            with backup.open("xb") as file:
                file.write(content)
        except FileExistsError:
            number += 1
        except OSError:
            backup.unlink(missing_ok=True)
            raise
        else:
            shutil.copymode(path, backup)
            return backup


def _write_at_once(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(path, temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
