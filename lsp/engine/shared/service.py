"""The process of a shared engine, which serves clients until there have been none for a while."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from concurrent.futures import Future

from coder.api.text_engine import TextEngine
from lsp.engine.shared.address import Address, connect
from lsp.engine.shared.channel import Channel, ChannelError
from lsp.engine.shared.connection import Connection
from lsp.engine.shared.handshake import greet_client

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.1
"""Before the next client is let in, where one could not be."""


class SharedEngineService:
    """Waits for clients without polling, and serves each in a thread.

    Args:
        loaded: the engine, as soon as it is there, or why it will never be.
        idle_seconds: so long without a client, and `run` returns.
    """

    def __init__(self, address: Address, version: str, loaded: Future[TextEngine], idle_seconds: float) -> None:
        self._address = address
        self._version = version
        self._loaded = loaded
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._clients = 0
        self._last_left = time.monotonic()
        self._useless = False

    def run(self, listener: socket.socket) -> None:
        """Returns when it was idle long enough, or when the model cannot be loaded and whoever waited for it knows."""
        while (seconds := self._seconds_left()) > 0:
            listener.settimeout(seconds)
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError as error:  # there are too many connections, or who came has left
                log.warning("nobody was let in: %s", error)
                time.sleep(PAUSE_SECONDS)
                continue
            with self._lock:
                if self._useless:
                    connection.close()
                    return
                self._clients += 1
            threading.Thread(target=self._serve, args=(Channel(connection),), daemon=True).start()

    def _seconds_left(self) -> float:
        with self._lock:
            if self._clients:
                return self._idle_seconds
            return self._idle_seconds - (time.monotonic() - self._last_left)

    def _serve(self, channel: Channel) -> None:
        try:
            greet_client(channel, self._address.secret, self._version)
            Connection(channel, self._loaded).serve()
        except (ChannelError, OSError) as error:
            log.warning("a client was let go: %s", error)
        finally:
            channel.close()
            with self._lock:
                self._clients -= 1
                self._last_left = time.monotonic()
                self._useless = not self._clients and self._loaded.done() and self._loaded.exception() is not None
            if self._useless:
                with contextlib.suppress(OSError):
                    connect(self._address).close()  # wakes who accepts
