"""What the handlers of one editor's session share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from coder.errors import QuickfillError
from lsp.client import Client
from lsp.debounce import TypingSpeed
from lsp.documents import Documents
from lsp.engine_client import EngineClient
from lsp.engine_host import EngineHost
from lsp.gate import Gate
from lsp.messages import DID_CHANGE_STATUS, StatusReport
from lsp.settings import Settings, read_settings
from lsp.suggester import Suggester

log = logging.getLogger("lsp")

EngineOpener = Callable[[Settings], EngineClient]
Notify = Callable[[str, Any], None]


class Session:
    """State of a session, on the event loop's thread."""

    def __init__(self, client: Client, opener: EngineOpener, notify: Notify) -> None:
        self.client = client
        self.notify = notify
        self.settings, self.problems = read_settings(client.options)
        self.documents = Documents()
        self.folders = list(client.folders)
        self.host = EngineHost(lambda: opener(self.settings), self._status_changed)
        self.typing = TypingSpeed()
        self.suggester = Suggester(self.host, Gate(chosen=self.settings.gate), self.typing)

    @property
    def status(self) -> StatusReport:
        engine = self.host.status
        return StatusReport(
            state=self.host.state,
            message=self.host.message,
            model=engine.model if engine else self.settings.model,
            version=engine.version if engine else None,
            runtime=engine.runtime if engine else {},
            shared=engine.shared if engine else False,
            process_id=engine.process_id if engine else None,
        )

    def _status_changed(self) -> None:
        self.notify(DID_CHANGE_STATUS, self.status.model_dump(by_alias=True, mode="json"))


def open_engine(settings: Settings) -> EngineClient:
    """The engine that the settings ask for. Raises QuickfillError."""
    if settings.server_url is not None:
        raise QuickfillError("serverUrl is not available yet: remove the setting to use the model on this machine")
    from lsp.in_process import InProcessEngine

    return InProcessEngine.load(settings.model, settings.runtime)
