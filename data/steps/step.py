"""What every step that looks at one document at a time does."""

from __future__ import annotations

from typing import Any, Protocol

from data.document import Verdict


class Step(Protocol):
    """A step. It travels to other processes, so it holds settings and works out the rest when first asked."""

    name: str

    def __call__(self, row: Any, /) -> Verdict:
        """Whether a row, a document or for the first step a file, goes on, and as what."""
        ...
