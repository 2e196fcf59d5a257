"""One request to a server and what comes back, which another thread may end at any time."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Generator, Iterator
from typing import Any

from coder.api.streams import NEVER, Cancellation, Mailbox
from coder.errors import InputError, QuickfillError
from lsp.engine.errors import EngineRefusedError, ServerLostError
from lsp.engine.remote.address import ServerAddress

LONGEST_LINE = 32 << 20
"""Bytes of an answer or an event; a server that sends more is not a Quickfill server."""


class Exchange:
    """A request under way, in a thread and on a connection of its own, so that closing that ends it.

    Args:
        body: JSON; None to get what is there.
        seconds: that the server may be silent.
    """

    def __init__(self, address: ServerAddress, key: str | None, path: str, body: bytes | None, seconds: float) -> None:
        self._address, self._path, self._body, self._seconds = address, path, body, seconds
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._connection = address.connection()
        self._socket: socket.socket | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._lines = Mailbox[bytes]()
        threading.Thread(target=self._work, name="quickfill-server", daemon=True).start()

    def lines(self, cancelled: Cancellation = NEVER) -> Generator[bytes, None, bool]:
        """Yield the lines of the answer. Return whether it is complete; it is not where somebody cancelled.

        Raises:
            InputError, RefusedError: what the server says of the request.
            ServerLostError: it cannot be reached, or the connection broke.
        """
        try:
            return (yield from self._lines.items(cancelled)) and not self._closed
        finally:
            self.close()

    def close(self) -> None:
        """End it: the server sees the client leave, and stops."""
        with self._lock:
            self._closed = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def _work(self) -> None:
        try:
            for line in self._received():
                self._lines.put(line)
            self._lines.end()
        except QuickfillError as error:
            self._lines.end(error)
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            lost = ServerLostError(f"the server at {self._address.url} does not answer: {reason}")
            self._lines.end(None if self._closed else lost)
        finally:
            self._connection.close()

    def _received(self) -> Iterator[bytes]:
        self._connection.connect()
        with self._lock:
            self._socket = self._connection.sock
            if self._closed or self._socket is None:
                return
            self._socket.settimeout(self._seconds)
        method = "GET" if self._body is None else "POST"
        self._connection.request(method, f"{self._address.folder}{self._path}", self._body, self._headers)
        response = self._connection.getresponse()
        if response.status != http.client.OK:
            raise _refusal(response, self._address)
        while line := response.readline(LONGEST_LINE):
            if not line.endswith(b"\n") and len(line) == LONGEST_LINE:
                raise ValueError("it sends more than an answer can be")
            yield line


def _refusal(response: http.client.HTTPResponse, address: ServerAddress) -> QuickfillError:
    """Return the error that a status means. Redirects are not followed."""
    status, message = response.status, _message(response.read(1 << 16))
    match status:
        case 400 | 413:
            return InputError(message or "the server cannot answer this request")
        case 408 | 429 | 500 | 503:
            return EngineRefusedError(message or f"the server is busy (status {status})")
        case 401 | 403:
            return QuickfillError(
                f"the server at {address.url} lets nobody in without its key ({message}): set apiKey or "
                "QUICKFILL_API_KEY"
            )
    return QuickfillError(f"there is no Quickfill server at {address.url} (status {status})")


def _message(content: bytes) -> str:
    """Return the error message of the server, if it is a Quickfill server."""
    try:
        answer: Any = json.loads(content)
        return str(answer["error"]["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return ""
