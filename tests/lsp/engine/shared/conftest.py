"""Real engines, in processes of their own, of a tiny checkpoint, in folders of the test's own."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from lsp.engine.shared.address import lock_file
from lsp.engine.shared.client import SharedEngine
from lsp.engine.shared.identity import EngineIdentity
from lsp.engine.shared.opening import open_shared_engine
from lsp.engine.shared.private_folder import runtime_folder
from tests.tiny import write_tiny_checkpoint

SECONDS_TO_LEAVE = 30

Opener = Callable[..., SharedEngine]


@pytest.fixture(scope="module", autouse=True)
def own_folders() -> Iterator[None]:
    """Short paths, since that of a socket is limited."""
    folder = Path(tempfile.mkdtemp(prefix="quickfill-"))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            (folder / name).mkdir(mode=0o700)
            patch.setenv(name, str(folder / name))
        yield
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def identity(checkpoint: Path, own_folders: None) -> Iterator[EngineIdentity]:
    """Of an engine that is gone when the tests of a module are through."""
    identity = EngineIdentity.of(str(checkpoint), "onnx")
    yield identity
    wait_until_gone(identity)


@pytest.fixture
def opened(identity: EngineIdentity) -> Iterator[Opener]:
    """Opens clients, and closes them behind the test."""
    clients: list[SharedEngine] = []
    lock = threading.Lock()

    def opened(on_loading: Callable[[], None] = lambda: None, idle_seconds: float = 1.5) -> SharedEngine:
        client = open_shared_engine(identity, on_loading, idle_seconds)
        with lock:
            clients.append(client)
        return client

    yield opened
    for client in clients:
        client.close()


def wait_until_gone(identity: EngineIdentity) -> None:
    """An engine holds its lock as long as it lives. Raises filelock.Timeout if it stays."""
    with FileLock(lock_file(runtime_folder(), identity)).acquire(timeout=SECONDS_TO_LEAVE):
        pass
