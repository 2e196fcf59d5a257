"""A server in a process of its own, with the tiny checkpoint, for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.serve.running_server import RunningServer, running


@pytest.fixture(scope="session")
def checkpoint(tiny: Path) -> Path:
    return tiny


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def server(checkpoint: Path, cache_folder: Path) -> Iterator[RunningServer]:
    with running(checkpoint, cache_folder) as server:
        yield server


@pytest.fixture
def client(server: RunningServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client
