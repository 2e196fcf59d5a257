"""Messages between processes that do not trust each other: JSON, with its length in front."""

from __future__ import annotations

import json
import socket
import struct

PLAY, RUN, END, END_SOON = b"+", b"r", b"-", b"."
"""The host's orders to a zygote."""

HEADER = struct.Struct(">I")


class PeerError(Exception):
    """The other side is gone, or what it sent is not a message."""


class PeerGoneError(PeerError):
    """The other side is gone."""

    def __init__(self) -> None:
        super().__init__("the other side is gone")


class MessageSocket:
    """JSON values over a stream socket.

    Args:
        stream: a connected socket; its timeout holds for every single wait, and shows as TimeoutError.
        most_bytes: the longest message to send or to accept.
    """

    def __init__(self, stream: socket.socket, most_bytes: int) -> None:
        self.stream = stream
        self.most_bytes = most_bytes

    def send(self, message: object) -> None:
        """Raises ChannelError when the message is too long, or when nobody is there to receive it."""
        data = json.dumps(message, separators=(",", ":")).encode("ascii")
        if len(data) > self.most_bytes:
            raise PeerError(f"{len(data)} bytes at once are too many; the limit is {self.most_bytes}")
        try:
            self.stream.sendall(HEADER.pack(len(data)) + data)
        except (BrokenPipeError, ConnectionError) as error:
            raise PeerGoneError() from error

    def receive(self) -> object:
        """The next message. Raises ChannelError when there is none any more, or when it is not one."""
        (length,) = HEADER.unpack(self._read(HEADER.size))
        if length > self.most_bytes:
            raise PeerError(f"a message of {length} bytes is too long; the limit is {self.most_bytes}")
        try:
            return json.loads(self._read(length))
        except (ValueError, RecursionError) as error:
            raise PeerError("what arrived is not a message") from error

    def _read(self, length: int) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            try:
                part = self.stream.recv(min(length - len(parts), 1 << 16))
            except ConnectionError as error:
                raise PeerGoneError() from error
            if not part:
                raise PeerGoneError()
            parts += part
        return bytes(parts)
