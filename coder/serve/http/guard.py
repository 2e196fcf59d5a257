"""Access to the server: by the name that it is called by, the page that calls it, and the key.

A browser sends every page's requests to a loopback server, and a page may have its own name point there (DNS
rebinding). So the server answers to names that only it has, and to no page but its own.
"""

from __future__ import annotations

import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from coder.serve.http.operations import failure_response
from coder.serve.http.refusals import ForbiddenError, RefusedError, UnauthorizedError
from coder.serve.settings import ServeSettings


class Guard:
    """Refuses what is addressed to another name, or comes from another page."""

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check(Headers(scope=scope))
        except RefusedError as refusal:
            await failure_response(refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, headers: Headers) -> None:
        host = headers.get("host", "")
        if not is_own_name(host, self._settings):
            raise ForbiddenError("this server is not called so; start it with --allow-host NAME")
        origin = headers.get("origin")
        if origin is not None and not is_own_page(origin, host, self._settings):
            raise ForbiddenError("other web pages may not use this server; start it with --allow-origin ORIGIN")


class KeyCheck:
    """Asks for a key, where there is one."""

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self._app = app
        self._keys = [key.get_secret_value().encode() for key in settings.keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._keys and not self._knows(given_key(Headers(scope=scope))):
            refusal = UnauthorizedError("an API key is needed: `Authorization: Bearer KEY`")
            await failure_response(refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _knows(self, key: str) -> bool:
        """Return whether a key is right, in constant time: the time does not tell how much of it is."""
        matches = [hmac.compare_digest(key.encode(), known) for known in self._keys]
        return any(matches)


def given_key(headers: Headers) -> str:
    """The key of a request: a bearer token, or `X-Api-Key`."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def is_own_name(host: str, settings: ServeSettings) -> bool:
    """Return whether a `Host` header names this server. No foreign name can stand for a bare address."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    if not name:
        return False
    return name in {"localhost", settings.host, *settings.allowed_hosts} or is_address(name)


def is_own_page(origin: str, host: str, settings: ServeSettings) -> bool:
    """Return whether a page that calls comes from this server, or from where it is allowed to."""
    return origin in settings.allowed_origins or origin in {f"http://{host}", f"https://{host}"}


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
