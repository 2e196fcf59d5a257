"""A model that writes what it was told to and likes some texts better than others: for tests of what asks it."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, EngineEvent, Score, Slot, TokenScore
from coder.api.streams import Cancellation
from coder.api.text_requests import Edited, EditRequest, FillEvent, FillRequest, HoleUpdate, RepairRequest
from coder.context.workspace_index import WorkspaceIndex, WorkspacePool
from coder.diffusion.events import UNLIMITED, FinishReason, Statistics, TimeLimits
from coder.editing.changes import changes
from coder.editing.fill import filled
from coder.model.checkpoint.config import Abilities

WORD = re.compile(r"\s*\w+|\s*[^\w\s]+|\s+")


def completion(text: str, finish_reason: FinishReason = "end", replaces: int = 0, **more: Any) -> Completion:
    statistics = Statistics(policy="threshold(0.9), canvas 16", tokens=4, canvas_passes=2, mean_confidence=0.75)
    return Completion(text, finish_reason, replaces, 0.5, statistics, **more)


@dataclass
class ScriptedModel:
    """Answers requests with `answers`, one after the other and then the last one again, and remembers its requests.

    Attributes:
        likes: each of them that a text contains is worth 10 nats to it; each word costs one.
        edits: whether it was trained on edits. instructions: whether it follows them.
        scored: prefix, suffix and text of everything that it was to score.
        alternatives: named when it is asked for alternatives to a word, all as likely as can be.
        interrupted: the user interrupts every answer.
        replacement: what an edit or a repair replaces, and by what. unused: why it replaces nothing.
    """

    answers: list[Completion] = field(default_factory=lambda: [completion("")])
    likes: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    edits: bool = False
    instructions: bool = False
    interrupted: bool = False
    replacement: tuple[str, str] = ("wrong", "right")
    unused: str = ""
    edit_requests: list[RepairRequest | EditRequest] = field(default_factory=list)
    requests: list[CompletionRequest] = field(default_factory=list)
    scored: list[tuple[str, str, str]] = field(default_factory=list)
    fills: list[FillRequest] = field(default_factory=list)
    cancelled: Cancellation | None = None
    workspaces: WorkspacePool = field(default_factory=WorkspacePool)
    model_name: str = "fake"
    description: dict[str, str] = field(default_factory=lambda: {"runtime": "none"})
    checkpoint: Any = field(default_factory=lambda: SimpleNamespace(folder=Path("nowhere")))

    @property
    def config(self) -> Any:
        abilities = Abilities(edits=self.edits, instructions=self.instructions)
        sizes = {"num_layers": 2, "hidden_size": 8, "vocab_size": 300, "max_positions": 64, "block_sizes": (8, 16)}
        return SimpleNamespace(version="v0", adapted=True, abilities=abilities, **sizes)

    def stream(
        self, request: CompletionRequest, cancelled: Cancellation | None = None
    ) -> Generator[EngineEvent, None, None]:
        self.cancelled = cancelled
        self.requests.append(request)
        yield CanvasUpdate("", (Slot("ans", 0.9, new=True), Slot(None)), 1, 0)
        if self.interrupted:
            raise KeyboardInterrupt
        yield self.answers[min(len(self.requests), len(self.answers)) - 1]

    def complete(self, request: CompletionRequest, cancelled: Cancellation | None = None) -> Completion:
        *_, completion = self.stream(request, cancelled)
        assert isinstance(completion, Completion)
        return completion

    def score_tokens(
        self, prefix: str, suffix: str, text: str, limits: TimeLimits = UNLIMITED
    ) -> tuple[TokenScore, ...]:
        self.scored.append((prefix, suffix, text))
        bonus = 10.0 * sum(like in text for like in self.likes)
        words = list(WORD.finditer(text))
        choices = tuple((alternative, 0.0) for alternative in self.alternatives)
        return tuple(
            TokenScore(word.start(), word.end(), -1.0 + (bonus if index == 0 else 0.0), choices)
            for index, word in enumerate(words)
        )

    def workspace_index(self, folder: str) -> WorkspaceIndex:
        return self.workspaces.at(folder)

    def repair(self, request: RepairRequest, cancelled: Cancellation | None = None) -> Edited:
        return self._edited(request, cancelled)

    def edit(self, request: EditRequest, cancelled: Cancellation | None = None) -> Edited:
        return self._edited(request, cancelled)

    def _edited(self, request: RepairRequest | EditRequest, cancelled: Cancellation | None) -> Edited:
        self.cancelled = cancelled
        self.edit_requests.append(request)
        if self.interrupted:
            raise KeyboardInterrupt
        text = request.text if self.unused else request.text.replace(*self.replacement)
        return Edited(text, changes(request.text, text), -9.0, -2.0, 5, 0.25, unused=self.unused)

    def stream_fill(self, request: FillRequest, cancelled: Cancellation | None = None) -> Iterator[FillEvent]:
        self.cancelled = cancelled
        self.fills.append(request)
        yield HoleUpdate(0, CanvasUpdate("", (Slot("ans", 0.9, new=True), Slot(None)), 1, 0))
        if self.interrupted:
            raise KeyboardInterrupt
        middles = [self.answers[min(hole, len(self.answers) - 1)] for hole in range(len(request.texts) - 1)]
        yield filled(request, middles, joint=False, seconds=0.5)

    def score(self, prefix: str, suffix: str, middle: str, limits: TimeLimits = UNLIMITED) -> Score:
        self.scored.append((prefix, suffix, middle))
        return Score(log_probability=-6.0, end_log_probability=-0.5, tokens=3)
