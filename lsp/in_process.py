"""An engine in this process, as the server sees it."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator

from coder.completion import Completion, CompletionRequest, EngineEvent, Score
from coder.edits import Edited, EditRequest, Filled, FillRequest, RepairRequest
from coder.engine import Engine, RuntimeName
from lsp.engine_client import EngineStatus


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
        self, request: CompletionRequest, cancelled: threading.Event | None = None, group: str | None = None
    ) -> Generator[EngineEvent, None, None]:
        return self._engine.stream(request, cancelled, group)

    def complete(
        self, request: CompletionRequest, cancelled: threading.Event | None = None, group: str | None = None
    ) -> Completion:
        return self._engine.complete(request, cancelled, group)

    def prefill(self, request: CompletionRequest, cancelled: threading.Event | None = None) -> bool:
        return self._engine.prefill(request, cancelled)

    def fill(self, request: FillRequest, cancelled: threading.Event | None = None) -> Filled:
        return self._engine.fill(request, cancelled)

    def edit(self, request: EditRequest, cancelled: threading.Event | None = None) -> Edited:
        return self._engine.edit(request, cancelled)

    def repair(self, request: RepairRequest, cancelled: threading.Event | None = None) -> Edited:
        return self._engine.repair(request, cancelled)

    def score(self, prefix: str, suffix: str, middle: str) -> Score:
        return self._engine.score(prefix, suffix, middle)

    def status(self) -> EngineStatus:
        engine = self._engine
        return EngineStatus(engine.model_name, engine.config.version, dict(engine.description), False, os.getpid())

    def close(self) -> None:
        self._engine.close()
