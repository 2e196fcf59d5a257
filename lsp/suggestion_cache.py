"""Suggestions remembered by what may be typed into them: while the user types the ghost text, no model is asked."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from lsp.cursor import Cursor

REMEMBERED = 64

CHARACTERS_BEFORE, CHARACTERS_BEHIND = 2000, 500
"""How much of the text around a suggestion has to be the same for it to be good still."""


@dataclass(frozen=True)
class Suggestion:
    """A text to be shown.

    Attributes:
        id: names it in commands and notifications.
        text: what is inserted at the cursor. replaces: how many characters of the suffix it stands in for.
    """

    id: str
    text: str
    replaces: int = 0

    def without(self, typed: str) -> Suggestion:
        return replace(self, text=self.text[len(typed) :])


@dataclass(frozen=True)
class _Entry:
    cursor: Cursor
    suggestions: tuple[Suggestion, ...]


class SuggestionCache:
    """The latest suggestions, with their forward keys: a suggestion serves its own place and every place that is
    reached by typing its beginning."""

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[str, str, int], _Entry] = OrderedDict()

    def put(self, cursor: Cursor, suggestions: tuple[Suggestion, ...]) -> None:
        """Remember what was found; nothing, too, so that it is not looked for twice."""
        key = (cursor.uri, cursor.prefix[-CHARACTERS_BEFORE:], len(cursor.prefix))
        self._entries[key] = _Entry(cursor, suggestions)
        self._entries.move_to_end(key)
        while len(self._entries) > REMEMBERED:
            self._entries.popitem(last=False)

    def get(self, cursor: Cursor) -> tuple[Suggestion, ...] | None:
        """Suggestions for a place, the latest first; None where the model has to be asked."""
        for entry in reversed(self._entries.values()):
            typed = _typed_since(entry.cursor, cursor)
            if typed is None:
                continue
            fitting = tuple(
                suggestion.without(typed)
                for suggestion in entry.suggestions
                if suggestion.text.startswith(typed) and suggestion.text != typed
            )
            if fitting or not typed:
                return fitting
        return None

    def clear(self) -> None:
        self._entries.clear()


def _typed_since(earlier: Cursor, later: Cursor) -> str | None:
    """What was typed at the earlier place to come to the later one; None where something else has changed."""
    length = len(later.prefix) - len(earlier.prefix)
    if (
        length < 0
        or earlier.uri != later.uri
        or earlier.selected != later.selected
        or earlier.suffix[:CHARACTERS_BEHIND] != later.suffix[:CHARACTERS_BEHIND]
    ):
        return None
    before = later.prefix[: len(earlier.prefix)][-CHARACTERS_BEFORE:]
    return later.prefix[len(earlier.prefix) :] if before == earlier.prefix[-CHARACTERS_BEFORE:] else None
