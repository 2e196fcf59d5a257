"""Opening the engine that the settings name: in this process, shared by all windows, or behind an address."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from coder.api.text_engine import TextEngine
from lsp.settings import Settings

if TYPE_CHECKING:
    from coder.engine.engine import Engine, RuntimeName

KEY_VARIABLE = "QUICKFILL_API_KEY"
"""In the environment: the key of the server that `serverUrl` names, where `apiKey` does not tell it."""

EngineOpener = Callable[[Settings], TextEngine]


def open_engine(settings: Settings) -> TextEngine:
    """The engine that the settings ask for. Raises QuickfillError."""
    if settings.server_url is not None:
        from lsp.engine.remote.address import ServerAddress
        from lsp.engine.remote.client import RemoteEngine

        key = settings.api_key.get_secret_value() if settings.api_key else os.environ.get(KEY_VARIABLE)
        return RemoteEngine(ServerAddress.parse(settings.server_url), key)
    if settings.engine == "shared":
        from lsp.engine.shared.identity import EngineIdentity
        from lsp.engine.shared.opening import open_shared_engine

        return open_shared_engine(EngineIdentity.of(settings.model, settings.runtime))
    return load_in_process(settings.model, settings.runtime)


def load_in_process(model: str, runtime: RuntimeName) -> Engine:
    """Load an engine into this process. Raises CheckpointError, MissingDependencyError."""
    from coder.engine.engine import Engine

    engine = Engine.load(model, runtime=runtime)
    engine.warm_up()
    return engine


def opener_of(adapter: Path | None) -> EngineOpener:
    """Opens the engine that the settings ask for, with an adapter in its model if there is one."""

    def open_adapted(settings: Settings) -> TextEngine:
        folder = Path(settings.model)
        base = folder.resolve() if folder.is_dir() else settings.model
        return open_engine(settings.model_copy(update={"model": f"{base}+{adapter}"}))

    return open_engine if adapter is None else open_adapted
