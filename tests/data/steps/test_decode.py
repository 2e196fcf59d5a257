"""Bytes to text."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.document import CorpusDocument, Dropped, Kept, SourceFile, sha256_of
from data.steps.decode import BINARY, BROKEN_SYNTAX, EMPTY, NO_LANGUAGE, UNDECODABLE, Decode, decode

TEXT = 'name = "Grüße, мир"\n'


def decoded(content: bytes, path: str = "a.py") -> CorpusDocument | str:
    verdict = Decode()(SourceFile(path, content, "package", "1", "MIT"))
    return verdict.document if isinstance(verdict, Kept) else verdict.reason


def text_of(content: bytes, path: str = "a.py") -> str:
    document = decoded(content, path)
    assert isinstance(document, CorpusDocument), document
    return document.text


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
    ],
)
def test_every_encoding_gives_the_same_text(content: bytes):
    assert text_of(content) == TEXT


def test_a_cookie_tells_the_encoding_of_python_alone():
    latin = "# -*- coding: latin-1 -*-\nname = 'Grüße'\n"
    assert text_of(latin.encode("latin-1")) == latin
    assert decoded("// coding: latin-1\nvar name = 'Grüße';\n".encode("latin-1"), "a.js") == UNDECODABLE


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"name = '\xff'\n", UNDECODABLE),
        (b"# coding: no-such-encoding\n", UNDECODABLE),
        (b"# coding: rot13\n", UNDECODABLE),
        (b"# coding: punycode\n" + b"x" * 100_000, UNDECODABLE),
        (b"a = 1\0\n", BINARY),
        (b" \n\n", EMPTY),
        (b"", EMPTY),
        (b"print 'Python 2'\n", BROKEN_SYNTAX),
        (b"def f(:\n", BROKEN_SYNTAX),
        (b"return 1\n", BROKEN_SYNTAX),
        (b"(" * 5000, BROKEN_SYNTAX),
    ],
)
def test_what_is_no_text_or_no_code_is_dropped(content: bytes, reason: str):
    assert decoded(content) == reason


def test_other_languages_are_parsed_too():
    assert text_of(b"func main() {}\n", "a.go") == "func main() {}\n"
    assert decoded(b"func main( {\n", "a.go") == BROKEN_SYNTAX
    assert decoded(b"words", "a.words") == NO_LANGUAGE


def test_a_document_keeps_what_is_known_of_its_file():
    document = decoded(TEXT.encode(), "pkg/a.py")
    assert document == CorpusDocument(TEXT, "python", "pkg/a.py", "package", "1", "MIT", sha256_of(TEXT))


@given(st.binary(max_size=200))
def test_no_bytes_break_it(content: bytes):
    verdict = Decode()(SourceFile("a.py", content, "package", "1", "MIT"))
    assert isinstance(verdict, Kept | Dropped)


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\ufeff")))
def test_text_without_a_cookie_comes_back_as_it_was(text: str):
    assert decode(text.encode(), "markdown") == text
