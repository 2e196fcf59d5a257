"""One local page that shows pairs and takes votes.

It listens on the loopback interface alone and answers only who calls it by that name, so that no other page that a
browser has open can read answers or vote.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.resources import files
from typing import get_args

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from coder.errors import InputError
from evals.arena.pairs import Choice, Pair, Votes

LOOPBACK = "127.0.0.1"
HOSTS = [LOOPBACK, "localhost"]
MOST_BODY_BYTES = 4096
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def make_app(pairs: Sequence[Pair], votes: Votes, finished: Callable[[], None]) -> Starlette:
    """The application.

    Args:
        finished: called once when nothing is left to vote on, or when the person has had enough.
    """
    page = files("evals.arena").joinpath("page.html").read_text(encoding="utf-8")
    by_name = {pair.name: pair for pair in pairs}

    async def show_page(request: Request) -> Response:
        return HTMLResponse(page, headers=HEADERS)

    async def next_pair(request: Request) -> Response:
        missing = votes.missing(pairs)
        progress = {"done": len(pairs) - len(missing), "total": len(pairs)}
        if not missing:
            return JSONResponse({"pair": None, **progress}, headers=HEADERS)
        return JSONResponse({"pair": shown(missing[0]), **progress}, headers=HEADERS)

    async def vote(request: Request) -> Response:
        asked = await read_vote(request)
        if asked is None or asked[0] not in by_name:
            return JSONResponse({"error": "not a vote"}, status_code=400)
        pair = by_name[asked[0]]
        if pair in votes.missing(pairs):
            votes.add(pair, asked[1])
        return await next_pair(request)

    async def finish(request: Request) -> Response:
        if not is_ours(request):
            return JSONResponse({"error": "not from this page"}, status_code=400)
        finished()
        return JSONResponse({}, headers=HEADERS)

    return Starlette(
        routes=[
            Route("/", show_page),
            Route("/pair", next_pair),
            Route("/vote", vote, methods=["POST"]),
            Route("/finish", finish, methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)],
    )


def shown(pair: Pair) -> dict[str, str]:
    """The parts of a pair that a person may see: not whose answers they are."""
    fields = ("name", "instruction", "before", "left", "right", "after")
    return {field: getattr(pair, field) for field in fields}


def is_ours(request: Request) -> bool:
    """Return whether a request comes from our own page: a foreign one cannot send JSON without asking first, nor hide
    where it comes from."""
    origin = request.headers.get("origin")
    json = request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"
    return json and (origin is None or origin == f"http://{request.headers['host']}")


async def read_vote(request: Request) -> tuple[str, Choice] | None:
    """The pair's name and the choice, or None for anything else."""
    if not is_ours(request) or int(request.headers.get("content-length", MOST_BODY_BYTES + 1)) > MOST_BODY_BYTES:
        return None
    try:
        body = await request.json()
    except ValueError:
        return None
    match body:
        case {"pair": str(name), "choice": str(choice)} if choice in get_args(Choice):
            return name, choice  # pyright: ignore[reportReturnType]
    return None


def serve(pairs: Sequence[Pair], votes: Votes, port: int, ready: Callable[[str], None]) -> None:
    """Serve until the last vote, or until the person has had enough, or interrupts.

    Args:
        ready: called with the page's address once connections are accepted.

    Raises InputError when the port is taken.
    """
    try:
        listener = socket.create_server((LOOPBACK, port))
    except OSError as error:
        raise InputError(f"port {port} cannot be listened on ({error.strerror}); name another one, or 0") from error
    server: uvicorn.Server

    def finish() -> None:
        server.should_exit = True

    config = uvicorn.Config(make_app(pairs, votes, finish), log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    with listener:
        ready(f"http://{LOOPBACK}:{listener.getsockname()[1]}/")
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
