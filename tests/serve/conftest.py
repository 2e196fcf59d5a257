"""One tiny checkpoint, an engine in this process, and a server in a process of its own, for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from coder.engine.engine import Engine
from tests.serve.running_server import RunningServer, running
from tests.tiny import write_tiny_checkpoint


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def engine(checkpoint: Path, cache_folder: Path) -> Iterator[Engine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache_folder))
        engine = Engine.load(str(checkpoint), runtime="onnx", threads=1)
        yield engine
        engine.close()


@pytest.fixture(scope="session")
def server(checkpoint: Path, cache_folder: Path) -> Iterator[RunningServer]:
    with running(checkpoint, cache_folder) as server:
        yield server


@pytest.fixture
def client(server: RunningServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client
