"""Messages on a stream of bytes: a header that says how long the JSON behind it is (LSP 3.18, "Base Protocol").

Few imports, since the first message is answered before anything else is loaded.
"""

from __future__ import annotations

import json
from typing import BinaryIO

MOST_BYTES = 1 << 26
"""Of one message. A longer one is skipped, so that it does not fill the memory; no editor sends it."""

LONGEST_HEADER_LINE = 4096


class MalformedMessageError(Exception):
    """Bytes that are not a message. The stream is behind them."""


def read_message(stream: BinaryIO) -> object | None:
    """The next message as JSON, whatever it holds; None where the stream ends.

    Raises:
        MalformedMessageError: a body that is no JSON, or far too long.
    """
    length = _read_header(stream)
    if length is None:
        return None
    if length > MOST_BYTES:
        if not _skip(stream, length):
            return None
        raise MalformedMessageError(f"a message of {length} bytes is longer than the {MOST_BYTES} that are read")
    body = stream.read(length)
    if len(body) < length:
        return None
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedMessageError(f"a message that is no JSON: {error}") from error
    if message is None:
        raise MalformedMessageError("a message that is null")
    return message


def write_message(stream: BinaryIO, message: object) -> None:
    body = json.dumps(message, separators=(",", ":")).encode()
    stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    stream.flush()


def _read_header(stream: BinaryIO) -> int | None:
    """The body's length. Lines that make no sense are read past, up to a blank line behind one that gave a length."""
    length: int | None = None
    while line := stream.readline(LONGEST_HEADER_LINE):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            length = int(value.strip()[:20])
        elif not line.strip() and length is not None:
            return length
    return None


def _skip(stream: BinaryIO, length: int) -> bool:
    """Read past so many bytes; False if the stream ends before."""
    while length > 0:
        chunk = stream.read(min(length, 1 << 16))
        if not chunk:
            return False
        length -= len(chunk)
    return True
