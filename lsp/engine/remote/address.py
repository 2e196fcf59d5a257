"""The address of a server."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class ServerAddress:
    """The parts of a URL.

    Attributes:
        folder: what stands before the paths of the API; mostly nothing.
    """

    url: str
    secure: bool
    host: str
    port: int
    folder: str = ""

    @staticmethod
    def parse(url: str) -> ServerAddress:
        """Parse a URL. Raises ValueError for one that is no address of a server."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must begin with http:// or https:// and name a machine")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must be an address alone; a key belongs into apiKey or QUICKFILL_API_KEY")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        folder = parts.path.rstrip("/")
        if not f"{parts.hostname}{folder}".isprintable() or " " in folder or not folder.isascii():
            raise ValueError("has characters that no address has")
        return ServerAddress(url, parts.scheme == "https", parts.hostname, port, folder)

    def connection(self) -> http.client.HTTPConnection:
        """A connection that is not open yet. It uses no proxy."""
        if self.secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self.host, self.port, timeout=CONNECT_SECONDS, context=context)
        return http.client.HTTPConnection(self.host, self.port, timeout=CONNECT_SECONDS)
