"""Places in documents, for tests."""

from __future__ import annotations

from lsp.documents import Document
from lsp.suggest.surroundings import Cursor, cursor_in


def cursor_at(text: str, uri: str = "file:///a.py", language: str = "python") -> Cursor:
    """The cursor where `|` stands in the text."""
    before, after = text.split("|")
    return cursor_in(Document(uri, language, 1, before + after), len(before), len(before))
