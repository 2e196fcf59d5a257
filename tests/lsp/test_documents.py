"""Buffers are exactly what the editor has, whatever encoding its columns count in."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp.documents import Document
from lsp.language_server import QuickfillServer
from lsp.server import FEATURES
from lsp.wire.client import Client
from lsp.wire.protocol import QuickfillProtocol
from tests.lsp.scripted import ScriptedEngine

ENCODINGS = ["utf-8", "utf-16", "utf-32"]
CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}

texts = st.text(st.sampled_from("ab \t(\n\r\f\v\x1c\x85\u2028äß漢😋𝔘"), max_size=40)
places = st.tuples(st.integers(0, 12), st.integers(0, 30))
changes = st.lists(st.tuples(places, places, texts) | texts, max_size=6)


def plain_offset(text: str, line: int, column: int, encoding: str) -> int:
    """The model: cut the text at the protocol's line breaks, count a line's code units by encoding it."""
    start = 0
    for _ in range(line):
        ends = [(text.find(end, start), end) for end in ("\r\n", "\n", "\r") if text.find(end, start) >= 0]
        if not ends:
            return len(text)
        at, end = min(ends, key=lambda found: (found[0], -len(found[1])))
        start = at + len(end)
    rest = text[start:].replace("\r", "\n").split("\n")[0]
    codec, width = CODECS[encoding]
    count = 0
    while count < len(rest) and len(rest[: count + 1].encode(codec)) // width <= column:
        count += 1
    return start + count


@given(texts, changes, st.sampled_from(ENCODINGS))
def test_a_buffer_follows_its_editor_through_any_changes(text, changes, encoding):
    uri = "file:///a.py"
    server = QuickfillServer(Client(position_encoding=encoding), FEATURES, lambda settings: ScriptedEngine())
    item = {"uri": uri, "languageId": "python", "version": 0, "text": text}
    notify(server, "textDocument/didOpen", {"textDocument": item})
    for version, change in enumerate(changes, start=1):
        if isinstance(change, str):
            text, event = change, {"text": change}
        else:
            start, end = sorted(change[:2])
            first, last = (plain_offset(text, line, column, encoding) for line, column in (start, end))
            text = text[:first] + change[2] + text[last:]
            event = {"range": {"start": position(start), "end": position(end)}, "text": change[2]}
        identifier = {"uri": uri, "version": version}
        notify(server, "textDocument/didChange", {"textDocument": identifier, "contentChanges": [event]})
        document = server.session.documents.get(uri)
        assert document is not None
        assert (document.text, document.version) == (text, version)


@given(texts, st.data(), st.sampled_from(ENCODINGS))
def test_positions_and_offsets_are_the_same_places(text, data, encoding):
    document = Document("a", "python", 0, text, encoding)
    offset = data.draw(st.integers(0, len(text)))
    if text[max(0, offset - 1) : offset + 1] != "\r\n":  # no place of the protocol lies between the two
        assert document.offset(*document.position(offset)) == offset


@given(texts, places, st.sampled_from(ENCODINGS))
def test_line_breaks_do_not_move_positions(text, place, encoding):
    document = Document("a", "python", 0, text, encoding)
    there, here = document.unix.offset(*place), document.offset(*place)
    assert document.unix.position(there) == document.position(here)
    assert "\r" not in document.unix.text


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 7), ("utf-16", 5), ("utf-32", 4)])
def test_columns_count_units_of_the_encoding(encoding, column):
    document = Document("a", "python", 0, 'x="😋"', encoding)
    assert document.offset(0, column) == 4
    assert document.position(4) == (0, column)


def test_a_change_of_a_document_that_is_not_open_is_nobodys():
    server = QuickfillServer(Client(), FEATURES, lambda settings: ScriptedEngine())
    notify(
        server,
        "textDocument/didChange",
        {"textDocument": {"uri": "file:///b.py", "version": 1}, "contentChanges": [{"text": "x"}]},
    )
    assert server.session.documents.by_uri == {}


def position(place: tuple[int, int]) -> dict[str, int]:
    return {"line": place[0], "character": place[1]}


def notify(server: QuickfillServer, method: str, params: dict) -> None:
    cast(QuickfillProtocol, server.protocol).receive({"jsonrpc": "2.0", "method": method, "params": params})
