"""The state that the handlers of one editor's session share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lsprotocol import types

from coder.api.text_requests import Change
from lsp.documents import Document, Documents
from lsp.edit.edit_task import EditTask
from lsp.edit.next.next_editor import NextEditor
from lsp.engine.engine_host import EngineHost
from lsp.engine.opening import EngineOpener
from lsp.settings import Settings, read_settings
from lsp.suggest.gate import Gate, TypingSpeed
from lsp.suggest.metrics import Outcome, Outcomes, SuggestionMetrics, read_counts, state_folder, total
from lsp.suggest.suggester import Suggester
from lsp.suggest.surroundings import SurroundingsSource
from lsp.wire.client import Client
from lsp.wire.messages import (
    DID_CHANGE_STATUS,
    DID_FIND_SUGGESTION,
    IndexReport,
    StatusReport,
    SuggestionFound,
    VersionedDocument,
)

Notify = Callable[[str, Any], None]


class EditorSession:
    """State of a session, on the event loop's thread.

    Attributes:
        last_place: the document and the range of it that was asked about last.
        refused: the last edit that the editor did not apply, and its changes.
        indexes: the last known state of the workspace's.

    Args:
        report_error: shows the user a message.
    """

    def __init__(
        self, client: Client, opener: EngineOpener, notify: Notify, report_error: Callable[[str], None]
    ) -> None:
        self.client = client
        self.folders = list(client.folders)
        self.documents = Documents()
        self.surroundings = SurroundingsSource()
        self.settings, _ = read_settings(client.options)
        self.metrics = SuggestionMetrics(state_folder())
        self.outcomes = Outcomes(self._record)
        self.typing = TypingSpeed()
        self.gate = _gate_of_this_user()
        self.host = EngineHost(lambda: opener(self.settings), self._status_changed, self._opening)
        self.suggester = Suggester(self.host, self.gate, self.typing, self._tell_of_more)
        self.next_editor = NextEditor()
        self.last_place: tuple[str, types.Range] | None = None
        self.refused: tuple[EditTask, tuple[Change, ...]] | None = None
        self.indexes: list[IndexReport] = []
        self._notify, self._report_error = notify, report_error
        self._reported = ""

    def use(self, settings: Settings) -> None:
        """Replace the settings. Another model is loaded in the background."""
        before, self.settings = self.settings, settings
        self.gate.chosen = settings.gate
        self.metrics.enabled = settings.metrics
        if _engine_settings(before) != _engine_settings(settings):
            self.suggester.interrupt()
            self.suggester.cache.clear()
            self.host.close()
            self.host.recover()

    def close(self) -> None:
        self.suggester.interrupt()
        self.outcomes.dismiss()
        self.metrics.flush()
        self.host.close()

    @property
    def status(self) -> StatusReport:
        engine = self.host.status
        return StatusReport(
            state=self.host.state,
            message=self.host.message,
            model=engine.model if engine else self.settings.model,
            version=engine.version if engine else None,
            runtime=engine.runtime if engine else {},
            abilities=engine.abilities if engine else None,
            shared=engine.shared if engine else False,
            process_id=engine.process_id if engine else None,
            next_edit=self.settings.next_edit,
            indexes=self.indexes,
        )

    def can(self, ability: str) -> bool:
        """Return whether the model is known to have an ability."""
        engine = self.host.status
        return engine is not None and engine.abilities.get(ability, False)

    def _tell_of_more(self, document: Document) -> None:
        if self.client.asks_again:
            found = SuggestionFound(text_document=VersionedDocument(uri=document.uri, version=document.version))
            self._notify(DID_FIND_SUGGESTION, found.to_json())

    def _status_changed(self) -> None:
        self._notify(DID_CHANGE_STATUS, self.status.to_json())
        if self.host.state == "error" and self.host.message != self._reported:
            self._report_error(self.host.message)
        if self.host.state != "loading":
            self._reported = self.host.message

    def _opening(self) -> str:
        return f"asking {self.settings.server_url}" if self.settings.server_url else "loading the model"

    def _record(self, outcome: Outcome, language: str) -> None:
        self.metrics.count(outcome.value, language)
        self.gate.shown += outcome is Outcome.SHOWN
        self.gate.accepted += outcome in (Outcome.ACCEPTED, Outcome.PARTIALLY_ACCEPTED, Outcome.TYPED)


def _engine_settings(settings: Settings) -> tuple[object, ...]:
    return settings.model, settings.runtime, settings.engine, settings.server_url, settings.api_key


def _gate_of_this_user() -> Gate:
    counts = total(read_counts(state_folder())).counts
    accepted = counts["accepted"] + counts["partially_accepted"] + counts["typed"]
    return Gate(shown=counts["shown"], accepted=accepted)
