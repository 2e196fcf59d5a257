"""One example: what somebody asks, and the right answer."""

from __future__ import annotations

from dataclasses import dataclass

from coder.api.completion import CompletionRequest
from coder.api.edits import FillRequest
from data.pack.settings import Kind


@dataclass(frozen=True)
class RecentEdit:
    """What was changed somewhere else before: a few lines as they were, and as they are."""

    old: str
    new: str


@dataclass(frozen=True)
class Example:
    """Attributes:
    request: as it is put to the engine; its prefix and suffix are no longer than what may be shown.
    answers: one for each hole.
    is_whole: whether nothing comes behind the answer. A text left to right is cut where its row ends, whole or not.
    repository: its name stands before everything; empty for none.
    recent_edits: the newest last.
    """

    kind: Kind
    request: CompletionRequest | FillRequest
    answers: tuple[str, ...]
    is_whole: bool = True
    repository: str = ""
    recent_edits: tuple[RecentEdit, ...] = ()
