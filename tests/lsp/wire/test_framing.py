"""Messages on a stream: whole ones come through, damaged ones are read past."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp.wire import framing
from lsp.wire.framing import MalformedMessageError, read_message, write_message

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.lists(json_values.filter(lambda value: value is not None)))
def test_what_is_written_is_read(messages):
    stream = io.BytesIO()
    for message in messages:
        write_message(stream, message)
    stream.seek(0)
    assert [read_message(stream) for _ in messages] == messages
    assert read_message(stream) is None


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: 2\r\n\r\n",
        b"content-length:2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n",
        b"nonsense\r\n\r\nContent-Length: -1\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: 7\r\nContent-Length: 2\n\n",
    ],
)
def test_headers_may_be_in_any_case_and_among_others(header):
    assert read_message(io.BytesIO(header + b"{}")) == {}


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000, b"", b"nul", b"null"])
def test_behind_a_body_that_is_no_json_comes_the_next_message(body):
    stream = io.BytesIO()
    stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    write_message(stream, {"next": True})
    stream.seek(0)
    with pytest.raises(MalformedMessageError):
        read_message(stream)
    assert read_message(stream) == {"next": True}


def test_a_message_too_long_to_be_one_is_read_past(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(framing, "MOST_BYTES", 100)
    stream = io.BytesIO()
    write_message(stream, "x" * 200_000)
    write_message(stream, {"next": True})
    stream.seek(0)
    with pytest.raises(MalformedMessageError, match="longer than"):
        read_message(stream)
    assert read_message(stream) == {"next": True}


@given(st.binary(max_size=60))
def test_any_bytes_end_somewhere(content):
    stream = io.BytesIO(content)
    for _ in range(len(content) + 1):
        try:
            if read_message(stream) is None:
                break
        except MalformedMessageError:
            continue
    assert not stream.read()


def test_a_body_cut_off_is_the_end():
    body = json.dumps({"a": 1}).encode()
    assert read_message(io.BytesIO(b"Content-Length: %d\r\n\r\n%s" % (len(body) + 1, body))) is None
