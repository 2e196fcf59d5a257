"""Suggestions that were found lately, for the places that are reached by typing their beginnings."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from lsp.suggest.surroundings import Cursor

REMEMBERED = 64

CHARACTERS_BEFORE, CHARACTERS_BEHIND = 2000, 500
"""Characters around a suggestion that have to be the same for it to be used again."""


@dataclass(frozen=True)
class Suggestion:
    """A text to be shown.

    Attributes:
        id: names it in commands and notifications.
        text: what is inserted at the cursor, with line feeds alone.
        replaces: how many characters of the suffix it stands in for.
        probability: that it is right, as calibrated.
        parses: false where it leaves the document broken.
    """

    id: str
    text: str
    replaces: int = 0
    probability: float = 0.0
    parses: bool = True

    def without(self, typed: str) -> Suggestion:
        return replace(self, text=self.text[len(typed) :])


@dataclass(frozen=True)
class CursorPlace:
    """A cursor by the text around it."""

    uri: str
    selected: str
    length: int
    before: str
    behind: str

    @staticmethod
    def of(cursor: Cursor) -> CursorPlace:
        prefix = cursor.prefix
        before, behind = prefix[-CHARACTERS_BEFORE:], cursor.suffix[:CHARACTERS_BEHIND]
        return CursorPlace(cursor.document.uri, cursor.selected, len(prefix), before, behind)

    def typed_since(self, cursor: Cursor) -> str | None:
        """The text typed at this place since; None where anything else has changed."""
        prefix = cursor.prefix
        same_place = (
            self.uri == cursor.document.uri
            and self.selected == cursor.selected
            and self.behind == cursor.suffix[:CHARACTERS_BEHIND]
            and self.length <= len(prefix)
            and prefix.endswith(self.before, 0, self.length)
        )
        return prefix[self.length :] if same_place else None


class SuggestionCache:
    """The latest suggestions. One serves its own place and every place that is reached by typing its beginning."""

    def __init__(self) -> None:
        self._found: OrderedDict[CursorPlace, tuple[Suggestion, ...]] = OrderedDict()

    def put(self, cursor: Cursor, suggestions: tuple[Suggestion, ...]) -> None:
        """Remember the suggestions of a place; none, too, so that the model is not asked twice."""
        place = CursorPlace.of(cursor)
        self._found[place] = suggestions
        self._found.move_to_end(place)
        while len(self._found) > REMEMBERED:
            self._found.popitem(last=False)

    def get(self, cursor: Cursor) -> tuple[Suggestion, ...] | None:
        """Suggestions for a place, the latest first; None where the model has to be asked."""
        for place, suggestions in reversed(self._found.items()):
            typed = place.typed_since(cursor)
            if typed is None:
                continue
            fitting = tuple(
                suggestion.without(typed)
                for suggestion in suggestions
                if suggestion.text.startswith(typed) and suggestion.text != typed
            )
            if fitting or not typed:
                return fitting
        return None

    def prefer(self, id: str) -> None:
        """Put a suggestion first at its place: a part of it was accepted, so the rest is what the user wants to see."""
        for place, suggestions in self._found.items():
            if any(suggestion.id == id for suggestion in suggestions):
                self._found[place] = tuple(sorted(suggestions, key=lambda suggestion: suggestion.id != id))

    def clear(self) -> None:
        self._found.clear()
