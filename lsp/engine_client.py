"""What the server needs of an engine, whether it runs in this process or in another one."""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

from coder.completion import Completion, CompletionRequest, EngineEvent, Score
from coder.edits import Edited, EditRequest, Filled, FillRequest, RepairRequest
from coder.errors import QuickfillError


class EngineLostError(QuickfillError):
    """The engine is gone: its process ended, or the connection to it broke. A new client may find a new one."""


class ServerLostError(EngineLostError):
    """The server that the settings name cannot be reached. It may come back by itself."""


class RefusedError(QuickfillError):
    """The engine is there, but does not answer this request: it has too much to do, or failed at it."""


@dataclass(frozen=True)
class EngineStatus:
    """What runs the model.

    Attributes:
        model: its name as it was asked for. version: of the checkpoint.
        runtime: facts about the runtime, for people.
        shared: whether others use the same engine.
        process_id: of the process that the model is loaded in; None where that is behind a server.
    """

    model: str
    version: str
    runtime: dict[str, str]
    shared: bool
    process_id: int | None


class EngineClient(Protocol):
    """Any thread may call any method. A set `cancelled` answers the caller at once, and the work ends with the pass
    under way.

    Every method but `close` raises `InputError` for what cannot be asked so, `RefusedError` for what is not answered
    now, and `EngineLostError` when the engine is gone; the client is of no use after that.
    """

    def stream(
        self, request: CompletionRequest, cancelled: threading.Event | None = None, group: str | None = None
    ) -> Generator[EngineEvent, None, None]:
        """Canvas updates, then the completion. Closing the generator cancels the request. A newer request of the
        same `group` cancels this one; groups of different clients never meet."""
        ...

    def complete(
        self, request: CompletionRequest, cancelled: threading.Event | None = None, group: str | None = None
    ) -> Completion: ...

    def prefill(self, request: CompletionRequest, cancelled: threading.Event | None = None) -> bool:
        """Bring the context of a request that may come into the cache; any other request, of any client, goes first
        and ends this one. Returns whether the whole context is there."""
        ...

    def fill(self, request: FillRequest, cancelled: threading.Event | None = None) -> Filled: ...

    def edit(self, request: EditRequest, cancelled: threading.Event | None = None) -> Edited: ...

    def repair(self, request: RepairRequest, cancelled: threading.Event | None = None) -> Edited: ...

    def score(self, prefix: str, suffix: str, middle: str) -> Score: ...

    def status(self) -> EngineStatus: ...

    def close(self) -> None:
        """Let go of the engine. Requests under way end as cancelled."""
        ...
