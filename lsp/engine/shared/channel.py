"""Messages over a socket: four bytes of length, big-endian, then so many bytes."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

MOST_BYTES = 1 << 26
"""Bytes of one message."""

LENGTH = struct.Struct(">I")


class ChannelError(Exception):
    """Bytes that are no message were received; the channel cannot be used any more."""


class Channel:
    """A channel of messages over a socket. One thread receives, any may send."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()

    def send(self, body: bytes) -> None:
        """Raises OSError when the other side is gone, ChannelError for a body that it would not take."""
        if len(body) > MOST_BYTES:
            raise ChannelError(f"a message of {len(body)} bytes is longer than {MOST_BYTES}")
        with self._sending:
            self._connection.sendall(LENGTH.pack(len(body)) + body)

    def receive(self, most_bytes: int = MOST_BYTES) -> bytes | None:
        """The next message, as soon as it is there; None when there are no more.

        Raises: ChannelError for one that is too long or breaks off, OSError when the connection does.
        """
        head = self._read(LENGTH.size)
        if not head:
            return None
        (length,) = LENGTH.unpack(head) if len(head) == LENGTH.size else (0,)
        if not 0 < length <= most_bytes:
            raise ChannelError(f"a message of {length} bytes")
        body = self._read(length)
        if len(body) < length:
            raise ChannelError("a message that breaks off")
        return body

    def settimeout(self, seconds: float | None) -> None:
        """Set the time after which a step of `send` and `receive` raises TimeoutError."""
        self._connection.settimeout(seconds)

    def close(self) -> None:
        """End it for both sides; a thread that receives gets None."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _read(self, count: int) -> bytes:
        """Return so many bytes, or those that are left."""
        received = bytearray()
        while len(received) < count:
            piece = self._connection.recv(min(count - len(received), 1 << 20))
            if not piece:
                break
            received += piece
        return bytes(received)
