"""The operations that the server asks of an engine, beyond those of every engine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from coder.api.completion import Completion, CompletionRequest, Score, TokenScore
from coder.api.streams import Cancellation
from coder.api.text_engine import TextEngine
from coder.api.text_requests import Applied, ApplyRequest, Edited, EditRequest
from coder.diffusion.events import UNLIMITED, TimeLimits
from coder.model.checkpoint.config import ModelConfig


class ServedEngine(TextEngine, Protocol):
    """As `coder.engine.engine.Engine` describes each of them."""

    model_name: str

    @property
    def config(self) -> ModelConfig: ...

    @property
    def description(self) -> dict[str, str]: ...

    def complete_many(self, requests: Sequence[CompletionRequest], /) -> list[Completion]: ...

    def edit(self, request: EditRequest, cancelled: Cancellation | None = None, /) -> Edited: ...

    def score(self, prefix: str, suffix: str, middle: str, limits: TimeLimits = UNLIMITED) -> Score: ...

    def score_tokens(
        self, prefix: str, suffix: str, text: str, limits: TimeLimits = UNLIMITED, /
    ) -> tuple[TokenScore, ...]: ...

    def apply(self, request: ApplyRequest, cancelled: Cancellation | None = None, /) -> Applied: ...

    def count_tokens(self, text: str, /) -> int: ...

    def joined(self) -> AbstractContextManager[None]: ...
