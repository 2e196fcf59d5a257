"""Bytes to text: the encoding that a file declares, one kind of line end, and code that its language accepts."""

from __future__ import annotations

import codecs
import io
import tokenize
from dataclasses import dataclass

from coder.syntax.languages import language_of
from coder.syntax.soundness import is_sound
from data.document import CorpusDocument, Dropped, Kept, SourceFile, Verdict, sha256_of

BINARY = "binary"
UNDECODABLE = "undecodable"
BROKEN_SYNTAX = "broken syntax"
NO_LANGUAGE = "no known language"
EMPTY = "empty"

NOT_FOR_FILES = frozenset(("idna", "punycode", "raw_unicode_escape", "unicode_escape"))
"""Python's names of encodings that no editor writes. Some take a time that grows with the square of a text."""

BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class Decode:
    """Raw files to documents. A language without an installed grammar goes on unparsed."""

    name = "decode"

    def __call__(self, file: SourceFile) -> Verdict:
        language = language_of(file.path)
        if language is None:
            return Dropped(NO_LANGUAGE)
        try:
            text = decode(file.content, language.name)
        except (UnicodeError, LookupError, SyntaxError):
            return Dropped(UNDECODABLE)
        if "\0" in text:
            return Dropped(BINARY)
        if not text.strip():
            return Dropped(EMPTY)
        if is_sound(text, language.name) is False:
            return Dropped(BROKEN_SYNTAX)
        document = CorpusDocument(
            text, language.name, file.path, file.package, file.version, file.license, sha256=sha256_of(text)
        )
        return Kept(document)


def decode(content: bytes, language: str) -> str:
    """The text of a file, without a byte order mark, each line ended by `\\n`.

    A byte order mark tells the encoding; in Python a cookie does (PEP 263); everything else is UTF-8.
    Raises UnicodeError, LookupError or SyntaxError where that is not so.
    """
    mark, encoding = next(((mark, name) for mark, name in BYTE_ORDER_MARKS if content.startswith(mark)), (b"", "utf-8"))
    if language == "python" and encoding == "utf-8":
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        if codecs.lookup(encoding).name.replace("-", "_") in NOT_FOR_FILES:
            raise LookupError(encoding)
    if encoding == "utf-16":
        text = content.decode(encoding)
    else:
        text = content.removeprefix(mark).decode(encoding.removesuffix("-sig"))
    text.encode()  # half a surrogate pair is no text
    return text.replace("\r\n", "\n").replace("\r", "\n")
