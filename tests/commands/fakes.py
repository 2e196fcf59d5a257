"""An engine that knows its answer, and what a run of the command line left behind."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, EngineEvent, Score, Slot
from coder.api.edits import Edited, EditRequest, FillEvent, FillRequest, HoleUpdate, RepairRequest
from coder.context.workspace_index import WorkspaceIndex, WorkspacePool
from coder.diffusion.events import FinishReason, Statistics
from coder.editing.changes import changes
from coder.editing.fill import filled


def completion(text: str, finish_reason: FinishReason = "end", replaces: int = 0, **more: Any) -> Completion:
    statistics = Statistics(policy="threshold(0.9), canvas 16", tokens=4, canvas_passes=2, mean_confidence=0.75)
    return Completion(text, finish_reason, replaces, 0.5, statistics, **more)


@dataclass
class FakeEngine:
    """Answers every request with `answers`, one after the other, and remembers what it was asked."""

    answers: list[Completion] = field(default_factory=lambda: [completion("answer")])
    interrupted: bool = False
    replacement: tuple[str, str] = ("wrong", "right")
    edit_requests: list[RepairRequest | EditRequest] = field(default_factory=list)
    requests: list[CompletionRequest] = field(default_factory=list)
    fills: list[FillRequest] = field(default_factory=list)
    cancelled: threading.Event | None = None
    workspaces: WorkspacePool = field(default_factory=WorkspacePool)
    model_name: str = "fake"
    description: dict[str, str] = field(default_factory=lambda: {"runtime": "none"})
    checkpoint: Any = field(default_factory=lambda: SimpleNamespace(folder=Path("nowhere")))
    config: Any = field(
        default_factory=lambda: SimpleNamespace(
            version="v0",
            num_layers=2,
            hidden_size=8,
            vocab_size=300,
            max_positions=64,
            block_sizes=(8, 16),
            adapted=True,
            abilities=SimpleNamespace(holes=False, edits=True, correction=False, context=False),
        )
    )

    def stream(self, request: CompletionRequest, cancelled: threading.Event | None = None) -> Iterator[EngineEvent]:
        self.cancelled = cancelled
        self.requests.append(request)
        yield CanvasUpdate("", (Slot("ans", 0.9, new=True), Slot(None)), 1, 0)
        if self.interrupted:
            raise KeyboardInterrupt
        yield self.answers[min(len(self.requests), len(self.answers)) - 1]

    def workspace_index(self, folder: str) -> WorkspaceIndex:
        return self.workspaces.at(folder)

    def repair(self, request: RepairRequest, cancelled: threading.Event | None = None) -> Edited:
        return self._edited(request, cancelled)

    def edit(self, request: EditRequest, cancelled: threading.Event | None = None) -> Edited:
        return self._edited(request, cancelled)

    def _edited(self, request: RepairRequest | EditRequest, cancelled: threading.Event | None) -> Edited:
        self.cancelled = cancelled
        self.edit_requests.append(request)
        if self.interrupted:
            raise KeyboardInterrupt
        text = request.text.replace(*self.replacement)
        return Edited(text, changes(request.text, text), -9.0, -2.0, 5, 0.25)

    def stream_fill(self, request: FillRequest, cancelled: threading.Event | None = None) -> Iterator[FillEvent]:
        self.cancelled = cancelled
        self.fills.append(request)
        yield HoleUpdate(0, CanvasUpdate("", (Slot("ans", 0.9, new=True), Slot(None)), 1, 0))
        if self.interrupted:
            raise KeyboardInterrupt
        middles = [self.answers[min(hole, len(self.answers) - 1)] for hole in range(len(request.texts) - 1)]
        yield filled(request, middles, joint=False, seconds=0.5)

    def score(self, prefix: str, suffix: str, middle: str) -> Score:
        self.scored = (prefix, suffix, middle)
        return Score(log_probability=-6.0, end_log_probability=-0.5, tokens=3)


@dataclass(frozen=True)
class Result:
    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.stdout)


Quickfill = Callable[..., Result]
