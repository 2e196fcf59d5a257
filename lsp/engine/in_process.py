"""An engine in this process, as the server sees it."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from dataclasses import asdict

from coder.api.completion import Completion, CompletionRequest, EngineEvent, Score
from coder.api.edits import Edited, EditEvent, EditRequest, FillEvent, FillRequest, RepairRequest
from coder.context.workspace_index import IndexState
from coder.engine.engine import Engine, RuntimeName
from lsp.engine.engine_client import EngineStatus


class InProcessEngine:
    """An `EngineClient` that owns its engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @staticmethod
    def load(model: str, runtime: RuntimeName) -> InProcessEngine:
        """Raises CheckpointError, MissingDependencyError."""
        engine = Engine.load(model, runtime=runtime)
        # A first request pays for memory to be touched and for what passes cost to be measured: better now.
        engine.complete(CompletionRequest("x = ", max_tokens=1))
        return InProcessEngine(engine)

    def stream(
        self, request: CompletionRequest, cancelled: threading.Event | None = None
    ) -> Generator[EngineEvent, None, None]:
        return self._engine.stream(request, cancelled)

    def complete(self, request: CompletionRequest, cancelled: threading.Event | None = None) -> Completion:
        return self._engine.complete(request, cancelled)

    def prefill(self, request: CompletionRequest, cancelled: threading.Event | None = None) -> bool:
        return self._engine.prefill(request, cancelled)

    def stream_fill(
        self, request: FillRequest, cancelled: threading.Event | None = None
    ) -> Generator[FillEvent, None, None]:
        return self._engine.stream_fill(request, cancelled)

    def stream_edit(
        self, request: EditRequest, cancelled: threading.Event | None = None
    ) -> Generator[EditEvent, None, None]:
        return self._engine.stream_edit(request, cancelled)

    def repair(self, request: RepairRequest, cancelled: threading.Event | None = None) -> Edited:
        return self._engine.repair(request, cancelled)

    def score(self, prefix: str, suffix: str, middle: str) -> Score:
        return self._engine.score(prefix, suffix, middle)

    def index_state(self, folder: str) -> IndexState:
        return self._engine.workspace_index(folder).state

    def status(self) -> EngineStatus:
        engine = self._engine
        return EngineStatus(
            model=engine.model_name,
            version=engine.config.version,
            runtime=dict(engine.description),
            abilities=asdict(engine.config.abilities),
            shared=False,
            process_id=os.getpid(),
        )

    def close(self) -> None:
        self._engine.close()
