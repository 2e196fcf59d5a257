"""Runs the application on a socket until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from coder.engine import Engine
from coder.errors import InputError
from coder.serve.app import create_app
from coder.serve.service import Service
from coder.serve.settings import ServeSettings


def serve(engine: Engine, settings: ServeSettings, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or an interrupt; requests that came before are answered.

    Args:
        ready: called with the server's address once connections are accepted.

    Raises InputError when the address cannot be listened on.
    """
    service = Service(engine, settings)
    config = uvicorn.Config(
        create_app(service),
        lifespan="off",
        http="h11",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.drain),
    )
    with listen(settings) as listener:
        ready(address_of(listener))
        Server(config, service).run(sockets=[listener])


class Server(uvicorn.Server):
    """Lets requests under way end once it is told to stop, and takes no others."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._service.stopping = True
        super().handle_exit(sig, frame)


def listen(settings: ServeSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=1024)
    except OSError as error:
        raise InputError(
            f"{settings.host} port {settings.port} cannot be listened on ({error.strerror}); name another port, or 0 "
            "for a free one"
        ) from error


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
