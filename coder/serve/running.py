"""Runs the application on a socket until it is told to stop."""

from __future__ import annotations

import math
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from coder.api.completion import CompletionRequest, Decoding
from coder.errors import InputError
from coder.serve.app import create_app
from coder.serve.http.patience import patient_protocol
from coder.serve.served_engine import ServedEngine
from coder.serve.service import Service
from coder.serve.settings import ServeSettings

IDLE_SECONDS = 75
"""Seconds that a connection may stay open without a request."""

WARM_UP = CompletionRequest("def ", decoding=Decoding(max_tokens=2))


def serve(engine: ServedEngine, settings: ServeSettings, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or an interrupt; requests that came before are answered, a second interrupt exits at once.

    Args:
        ready: called with the server's address once connections are accepted.

    Raises InputError when the address cannot be listened on.
    """
    service = Service(engine, settings)
    config = uvicorn.Config(
        create_app(service),
        lifespan="off",
        http=patient_protocol(settings.stall),
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=settings.connections,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.drain),
    )
    with listen(settings) as listener:
        # What is measured or built once, before anybody waits for it.
        engine.complete_many([WARM_UP, WARM_UP])
        ready(address_of(listener))
        Server(config, service).run(sockets=[listener])


class Server(uvicorn.Server):
    """A uvicorn server that, told to stop, ends the requests under way, takes no others, and exits normally."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._service.stopping = True
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def listen(settings: ServeSettings) -> socket.socket:
    """A socket that connections may come to from now on."""
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
