"""An engine that runs in a process of its own and is shared with other windows, as the server sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import TypeVar

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, EngineEvent, Score, Statistics
from coder.api.streams import Cancellation, last
from coder.api.text_engine import EngineStatus
from coder.api.text_requests import (
    Edited,
    EditEvent,
    EditRequest,
    Filled,
    FillEvent,
    FillRequest,
    HoleUpdate,
    RegionUpdate,
    RepairRequest,
)
from coder.context.workspace_index import IndexState
from lsp.engine.errors import EngineLostError
from lsp.engine.shared.channel import Channel
from lsp.engine.shared.messages import (
    CompleteCall,
    EditCall,
    FillCall,
    IndexCall,
    PrefillCall,
    RepairCall,
    ScoreCall,
    Task,
    TaskAnswer,
    TaskUpdate,
)
from lsp.engine.shared.tasks import Tasks

Result = TypeVar("Result")
Step = TypeVar("Step", HoleUpdate, RegionUpdate)


class SharedEngine:
    """A `TextEngine`. `lsp.engine.shared.opening` finds the engine.

    Args:
        channel: to the engine, behind the handshake.
        on_loading: called if the model is not loaded yet; then it is waited for.

    Raises:
        CheckpointError, MissingDependencyError: why the model cannot be loaded.
        EngineLostError: the engine stopped meanwhile.
    """

    def __init__(self, channel: Channel, on_loading: Callable[[], None] = lambda: None) -> None:
        self._tasks = Tasks(channel, on_loading)

    def stream(
        self, request: CompletionRequest, cancelled: Cancellation | None = None
    ) -> Generator[EngineEvent, None, None]:
        return self._complete(CompleteCall(request, updates=True), cancelled)

    def complete(self, request: CompletionRequest, cancelled: Cancellation | None = None) -> Completion:
        return last(self._complete(CompleteCall(request, updates=False), cancelled), Completion)

    def prefill(self, request: CompletionRequest, cancelled: Cancellation | None = None) -> bool:
        return self._answer(PrefillCall(request), bool, cancelled)

    def stream_fill(
        self, request: FillRequest, cancelled: Cancellation | None = None
    ) -> Generator[FillEvent, None, None]:
        return self._stream(FillCall(request), HoleUpdate, Filled, cancelled)

    def stream_edit(
        self, request: EditRequest, cancelled: Cancellation | None = None
    ) -> Generator[EditEvent, None, None]:
        return self._stream(EditCall(request), RegionUpdate, Edited, cancelled)

    def repair(self, request: RepairRequest, cancelled: Cancellation | None = None) -> Edited:
        return self._answer(RepairCall(request), Edited, cancelled)

    def score(self, prefix: str, suffix: str, middle: str) -> Score:
        return self._answer(ScoreCall(prefix, suffix, middle), Score)

    def index_state(self, folder: str) -> IndexState:
        return self._answer(IndexCall(folder), IndexState)

    def status(self) -> EngineStatus:
        ready = self._tasks.ready
        return EngineStatus(ready.model, ready.version, ready.runtime, ready.abilities, True, ready.process_id)

    def close(self) -> None:
        self._tasks.close()

    def _complete(self, task: CompleteCall, cancelled: Cancellation | None) -> Generator[EngineEvent, None, None]:
        """Updates, if they are wanted, and the completion. A caller that cancels does not wait for the engine."""
        started = time.monotonic()
        with closing(self._tasks.messages(task, cancelled)) as messages:
            for message in messages:
                if isinstance(message, TaskUpdate):
                    yield _expected(message.update, CanvasUpdate)
                elif isinstance(message, TaskAnswer):
                    yield _expected(message.answer, Completion)
                    return
                else:
                    break
        yield Completion(
            "", "cancelled", 0, time.monotonic() - started, Statistics(policy=task.request.decoding.policy)
        )

    def _answer(self, task: Task, result: type[Result], cancelled: Cancellation | None = None) -> Result:
        """The answer to a task. One that is cancelled is answered by the engine, as far as it has come."""
        for message in self._tasks.messages(task, cancelled):
            if isinstance(message, TaskAnswer):
                return _expected(message.answer, result)
        raise self._tasks.lost

    def _stream(
        self, task: Task, update: type[Step], result: type[Result], cancelled: Cancellation | None
    ) -> Generator[Step | Result, None, None]:
        """Updates of a task, and its answer, which also a cancelled one has."""
        with closing(self._tasks.messages(task, cancelled)) as messages:
            for message in messages:
                if isinstance(message, TaskUpdate):
                    yield _expected(message.update, update)
                elif isinstance(message, TaskAnswer):
                    yield _expected(message.answer, result)
                    return
        raise self._tasks.lost


def _expected(came: object, wanted: type[Result]) -> Result:
    if not isinstance(came, wanted):
        raise EngineLostError(f"the engine answered with a {type(came).__name__}; it is of no use any more")
    return came
