"""The operations that every engine has, wherever its model runs."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from coder.api.completion import Completion, CompletionRequest, EngineEvent, Score
from coder.api.streams import Cancellation
from coder.api.text_requests import Edited, EditEvent, EditRequest, FillEvent, FillRequest, RepairRequest

if TYPE_CHECKING:
    from coder.context.workspace_index import IndexState


@dataclass(frozen=True)
class EngineStatus:
    """A description of an engine.

    Attributes:
        model: its name as it was asked for. version: of the checkpoint.
        runtime: facts about what runs it, for people.
        abilities: what the checkpoint was trained for, by name, and `rewrites`: whether it can rewrite code.
        shared: whether others use the same engine.
        process_id: of the process that the model is loaded in; None where that is behind a server.
    """

    model: str
    version: str
    runtime: dict[str, str]
    abilities: dict[str, bool]
    shared: bool
    process_id: int | None


class TextEngine(Protocol):
    """`Engine` in this process, `VllmEngine`, the language server's `SharedEngine` and `RemoteEngine`.

    Any thread may call any method. A set `cancelled` answers the caller at once, and the work ends with the pass under
    way. Every method but `close` raises `InputError` for what cannot be asked so; an engine of another process raises
    the errors of `lsp.engine.errors` besides.
    """

    def stream(
        self, request: CompletionRequest, cancelled: Cancellation | None = None
    ) -> Generator[EngineEvent, None, None]:
        """Yield canvas updates, then the completion. Closing the generator cancels the request."""
        ...

    def complete(self, request: CompletionRequest, cancelled: Cancellation | None = None) -> Completion:
        """Return the completion when it is finished, stopped or out of time."""
        ...

    def prefill(self, request: CompletionRequest, cancelled: Cancellation | None = None) -> bool:
        """Bring the context of a request that may come soon into the cache; any other request, of any client, goes
        first and ends this one. Return whether the whole context is there."""
        ...

    def stream_fill(
        self, request: FillRequest, cancelled: Cancellation | None = None
    ) -> Generator[FillEvent, None, None]:
        """Yield updates of holes, then the answers."""
        ...

    def stream_edit(
        self, request: EditRequest, cancelled: Cancellation | None = None
    ) -> Generator[EditEvent, None, None]:
        """Yield updates of the region, then the text with it written anew."""
        ...

    def repair(self, request: RepairRequest, cancelled: Cancellation | None = None) -> Edited:
        """Return the text with what is wrong in it replaced, or as it was."""
        ...

    def score(self, prefix: str, suffix: str, middle: str) -> Score:
        """Return how likely the model finds `middle` between the two, by the autoregressive pass."""
        ...

    def index_state(self, folder: str) -> IndexState:
        """Return what the index of a workspace folder holds, which begins to be built when it is first asked for."""
        ...

    def status(self) -> EngineStatus: ...

    def close(self) -> None:
        """Let go of the engine. Requests under way end as cancelled."""
        ...
