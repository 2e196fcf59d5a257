"""A model that likes some texts better than others and writes what it was told to: for tests of what asks it."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, EngineEvent, Slot, TokenScore
from coder.diffusion.events import Statistics

WORD = re.compile(r"\s*\w+|\s*[^\w\s]+|\s+")


@dataclass
class ScriptedModel:
    """Each of `likes` that a text contains is worth 10 nats to it, each word costs one. Asked for alternatives to a
    word, it names `alternatives`, all as likely as can be."""

    likes: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    answer: str = ""
    edits: bool = False
    requests: list[CompletionRequest] = field(default_factory=list)
    scored: list[str] = field(default_factory=list)

    @property
    def config(self) -> Any:
        return SimpleNamespace(abilities=SimpleNamespace(edits=self.edits))

    def score_tokens(self, prefix: str, suffix: str, text: str) -> tuple[TokenScore, ...]:
        self.scored.append(text)
        bonus = 10.0 * sum(like in text for like in self.likes)
        words = list(WORD.finditer(text))
        choices = tuple((alternative, 0.0) for alternative in self.alternatives)
        return tuple(
            TokenScore(word.start(), word.end(), -1.0 + (bonus if index == 0 else 0.0), choices)
            for index, word in enumerate(words)
        )

    def complete(self, request: CompletionRequest, cancelled: object = None) -> Completion:
        *_, completion = self.stream(request, cancelled)
        assert isinstance(completion, Completion)
        return completion

    def stream(self, request: CompletionRequest, cancelled: object = None) -> Generator[EngineEvent, None, None]:
        self.requests.append(request)
        yield CanvasUpdate("", (Slot(None),), 0, 0)
        yield Completion(self.answer, "end", 0, 0.0, Statistics("scripted", canvas_passes=1))
