"""What the server needs of an engine, whether it runs in this process or in another one."""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from coder.api.completion import Completion, CompletionRequest, EngineEvent, Score
from coder.api.edits import Edited, EditEvent, EditRequest, FillEvent, FillRequest, RepairRequest
from coder.errors import QuickfillError

if TYPE_CHECKING:
    from coder.context.workspace_index import IndexState


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
        abilities: what the checkpoint was trained for, by name.
        shared: whether others use the same engine.
        process_id: of the process that the model is loaded in; None where that is behind a server.
    """

    model: str
    version: str
    runtime: dict[str, str]
    abilities: dict[str, bool]
    shared: bool
    process_id: int | None


class EngineClient(Protocol):
    """Any thread may call any method. A set `cancelled` answers the caller at once, and the work ends with the pass
    under way.

    Every method but `close` raises `InputError` for what cannot be asked so, `RefusedError` for what is not answered
    now, and `EngineLostError` when the engine is gone; the client is of no use after that.
    """

    def stream(
        self, request: CompletionRequest, cancelled: threading.Event | None = None
    ) -> Generator[EngineEvent, None, None]:
        """Canvas updates, then the completion. Closing the generator cancels the request."""
        ...

    def complete(self, request: CompletionRequest, cancelled: threading.Event | None = None) -> Completion: ...

    def prefill(self, request: CompletionRequest, cancelled: threading.Event | None = None) -> bool:
        """Bring the context of a request that may come into the cache; any other request, of any client, goes first
        and ends this one. Returns whether the whole context is there."""
        ...

    def stream_fill(
        self, request: FillRequest, cancelled: threading.Event | None = None
    ) -> Generator[FillEvent, None, None]:
        """Updates of holes, then the answers."""
        ...

    def stream_edit(
        self, request: EditRequest, cancelled: threading.Event | None = None
    ) -> Generator[EditEvent, None, None]:
        """Updates of the region, then the answer."""
        ...

    def repair(self, request: RepairRequest, cancelled: threading.Event | None = None) -> Edited: ...

    def score(self, prefix: str, suffix: str, middle: str) -> Score: ...

    def index_state(self, folder: str) -> IndexState:
        """What the index of a workspace folder holds, which begins to be built when it is first asked for."""
        ...

    def status(self) -> EngineStatus: ...

    def close(self) -> None:
        """Let go of the engine. Requests under way end as cancelled."""
        ...
