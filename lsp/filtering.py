"""Placeholder."""

from __future__ import annotations

from lsp.cursor import Cursor


def filtered(text: str, cursor: Cursor) -> str | None:
    return text if text.strip() else None
