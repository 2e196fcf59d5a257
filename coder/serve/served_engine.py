"""What the server asks of an engine, wherever its model runs."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from coder.api.cancellation import Cancellation
from coder.api.completion import Completion, CompletionRequest, EngineEvent, Score, TokenScore
from coder.api.edits import Applied, ApplyRequest, Edited, EditRequest, FillEvent, FillRequest, RepairRequest
from coder.model.checkpoint.config import ModelConfig


class ServedEngine(Protocol):
    """As `coder.engine.engine.Engine` describes each of them."""

    model_name: str

    @property
    def config(self) -> ModelConfig: ...

    @property
    def description(self) -> dict[str, str]: ...

    def complete_many(self, requests: Sequence[CompletionRequest], /) -> list[Completion]: ...

    def stream(
        self, request: CompletionRequest, cancelled: Cancellation | None = None, /
    ) -> Generator[EngineEvent, None, None]: ...

    def stream_fill(
        self, request: FillRequest, cancelled: Cancellation | None = None, /
    ) -> Generator[FillEvent, None, None]: ...

    def edit(self, request: EditRequest, cancelled: Cancellation | None = None, /) -> Edited: ...

    def repair(self, request: RepairRequest, cancelled: Cancellation | None = None, /) -> Edited: ...

    def prefill(self, request: CompletionRequest, cancelled: Cancellation | None = None, /) -> bool: ...

    def score_tokens(self, prefix: str, suffix: str, text: str, /) -> tuple[TokenScore, ...]: ...

    def score(self, prefix: str, suffix: str, middle: str, /) -> Score: ...

    def apply(self, request: ApplyRequest, cancelled: Cancellation | None = None, /) -> Applied: ...

    def count_tokens(self, text: str, /) -> int: ...

    def joined(self) -> AbstractContextManager[None]: ...
