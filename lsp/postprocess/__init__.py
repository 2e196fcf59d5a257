"""Placeholder until the filters are there."""

from __future__ import annotations

from dataclasses import dataclass

from coder.completion import FinishReason


@dataclass(frozen=True)
class PostprocessContext:
    prefix: str
    suffix: str
    language: str
    mode: str = "block"
    finish_reason: FinishReason = "end"
    replaces: int = 0


def postprocess(completion_text: str, context: PostprocessContext) -> str | None:
    return completion_text if completion_text.strip() else None
