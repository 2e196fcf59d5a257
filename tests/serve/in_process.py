"""The server on a real socket, its engine in this process: for what a test has to see or hold up inside of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn

from coder.model.onnx.runtime import OnnxRuntime
from coder.model.runtime import Cache, Pass, Predictions
from coder.serve.app import create_app
from coder.serve.http.patience import patient_protocol
from coder.serve.running import address_of, listen
from coder.serve.served_engine import ServedEngine
from coder.serve.service import Service
from coder.serve.settings import ServeSettings
from tests.serve.running_server import PATIENCE


class HeldRuntime(OnnxRuntime):
    """Runs no pass before it is allowed. For `monkeypatch.setattr(runtime, "__class__", HeldRuntime)`."""

    allowed = threading.Semaphore(0)
    passes = 0

    def forward(self, cache: Cache, request: Pass) -> Predictions:
        assert HeldRuntime.allowed.acquire(timeout=PATIENCE)
        HeldRuntime.passes += 1
        return super().forward(cache, request)


@dataclass
class InProcessServer:
    service: Service
    address: str

    def client(self, **options) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=PATIENCE, trust_env=False, **options)


@contextmanager
def serving(engine: ServedEngine, **settings: Any) -> Iterator[InProcessServer]:
    made = ServeSettings.model_validate({"port": 0} | settings)
    service = Service(engine, made)
    config = uvicorn.Config(
        create_app(service), lifespan="off", http=patient_protocol(made.stall), ws="none", log_level="warning"
    )
    server = uvicorn.Server(config)
    with listen(made) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield InProcessServer(service, address_of(listener))
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
            assert not thread.is_alive()


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)
