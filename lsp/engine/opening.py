"""Opening the engine that the settings name: in this process, shared by all windows, or behind an address."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from lsp.engine.engine_client import EngineClient
from lsp.settings import Settings

KEY_VARIABLE = "QUICKFILL_API_KEY"
"""In the environment: the key of the server that `serverUrl` names, where `apiKey` does not tell it."""

EngineOpener = Callable[[Settings], EngineClient]


def open_engine(settings: Settings) -> EngineClient:
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
    from lsp.engine.in_process import InProcessEngine

    return InProcessEngine.load(settings.model, settings.runtime)


def opener_of(adapter: Path | None) -> EngineOpener:
    """Opens the engine that the settings ask for, with an adapter in its model if there is one."""

    def open_adapted(settings: Settings) -> EngineClient:
        folder = Path(settings.model)
        base = folder.resolve() if folder.is_dir() else settings.model
        return open_engine(settings.model_copy(update={"model": f"{base}+{adapter}"}))

    return open_engine if adapter is None else open_adapted
