"""Serves the arena's page until there is nothing left to vote on."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

import uvicorn

from coder.errors import InputError
from evals.arena.pairs import Pair
from evals.arena.server import make_app
from evals.arena.votes import Votes

LOOPBACK = "127.0.0.1"


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
