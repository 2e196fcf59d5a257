"""Settings of all tests, and what many of them share: a tiny checkpoint, its runtime and its engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.tiny import write_tiny_checkpoint

if TYPE_CHECKING:  # most tests need neither
    from coder.engine.engine import Engine
    from coder.model.runtime import Runtime

# Properties are about results, never about time.
settings.register_profile("quickfill", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("quickfill")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint."""
    return write_tiny_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def own_cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder of the module's own: pass costs are measured into it, not into the user's."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def runtime(tiny: Path) -> Runtime:
    """The runtime of the module's `engine`."""
    from coder.engine.runtimes import load_runtime
    from coder.model.checkpoint.opening import open_checkpoint

    return load_runtime(open_checkpoint(str(tiny)), "onnx", 1)


@pytest.fixture(scope="module")
def engine(tiny: Path, runtime: Runtime, own_cache_folder: Path) -> Iterator[Engine]:
    """An engine with the tiny checkpoint, in int8 on one thread."""
    from coder.engine.engine import Engine
    from coder.model.checkpoint.opening import open_checkpoint

    engine = Engine(runtime, open_checkpoint(str(tiny)), str(tiny))
    yield engine
    engine.close()
