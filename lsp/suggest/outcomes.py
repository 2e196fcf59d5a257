"""What becomes of suggestions: accepted, partially accepted, typed, dismissed.

An editor may say so, by the accept command or by the notifications that Copilot's server knows. Where it does not, the
next change of the document tells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from lsp.documents import Document
from lsp.suggest.cursor import Cursor
from lsp.suggest.suggestion_cache import Suggestion


class Outcome(Enum):
    SHOWN = "shown"
    ACCEPTED = "accepted"
    PARTIALLY_ACCEPTED = "partially_accepted"
    TYPED = "typed"
    """The user typed all of it."""
    DISMISSED = "dismissed"


@dataclass
class _Pending:
    """A suggestion that is on the screen.

    Attributes:
        cursor: where it was made. text: the whole text that it would put there.
        taken: characters of it that are in the document by now.
        partially: whether some of them were accepted, not typed.
    """

    suggestion: Suggestion
    cursor: Cursor
    text: str
    taken: int = 0
    partially: bool = False


class Outcomes:
    """Follows the suggestions of the latest answer until each has one outcome.

    Args:
        record: called with each outcome and the document's language.
    """

    def __init__(self, record: Callable[[Outcome, str], None]) -> None:
        self._record = record
        self._pending: dict[str, _Pending] = {}

    def shown(self, cursor: Cursor, suggestions: tuple[Suggestion, ...]) -> None:
        """Suggestions were sent to the editor. What it showed before is replaced, if it is not among them."""
        names = {suggestion.id for suggestion in suggestions}
        if not names & self._pending.keys():
            self.dismiss()
            if suggestions:
                self._record(Outcome.SHOWN, cursor.document.language)
        for suggestion in suggestions:
            if suggestion.id not in self._pending:
                self._pending[suggestion.id] = _Pending(suggestion, cursor, cursor.selected + suggestion.text)

    def accepted(self, id: str) -> None:
        if id in self._pending:
            self._finish(Outcome.ACCEPTED, self._pending[id])

    def partially_accepted(self, id: str) -> None:
        if id in self._pending:
            self._pending[id].partially = True

    def changed(self, document: Document) -> None:
        """A document has a new text: which of its suggestions are going on, which are over?"""
        following = [pending for pending in self._pending.values() if pending.cursor.document.uri == document.uri]
        alive = {}
        for pending in following:
            taken = _taken(pending, document.unix.text)
            if taken is None:
                continue
            pending.partially |= 1 < taken - pending.taken < len(pending.text)
            if taken == len(pending.text):
                typed = pending.taken + 1 == taken and not pending.partially
                self._finish(Outcome.TYPED if typed else Outcome.ACCEPTED, pending)
                return
            pending.taken = taken
            alive[pending.suggestion.id] = pending
        if following and not alive:
            self.dismiss()

    def dismiss(self) -> None:
        """Nothing is on the screen any more. Alternatives count as one suggestion."""
        if self._pending:
            best = max(self._pending.values(), key=lambda pending: pending.partially)
            self._finish(Outcome.PARTIALLY_ACCEPTED if best.partially else Outcome.DISMISSED, best)

    def _finish(self, outcome: Outcome, pending: _Pending) -> None:
        self._pending.clear()
        self._record(outcome, pending.cursor.document.language)


def _taken(pending: _Pending, text: str) -> int | None:
    """How many characters of a suggestion stand in the document; None where it was changed in another way."""
    cursor = pending.cursor
    before = cursor.document.text[: cursor.start]
    # Brackets that the suggestion stands in for are replaced when it is accepted, and still there while it is typed.
    for behind in (cursor.suffix[pending.suggestion.replaces :], cursor.suffix):
        middle = text[len(before) : len(text) - len(behind)]
        fits = len(text) == len(before) + len(middle) + len(behind)
        if fits and pending.text.startswith(middle) and text.startswith(before) and text.endswith(behind):
            return len(middle)
    return None
