"""Next edits of a session: what was changed in each document, what was offered, and what was not wanted."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lsp.documents import Document, TextChange, path_named
from lsp.edit.next.elsewhere import EditedFile, changed_interface, followed
from lsp.edit.next.history import EditHistory
from lsp.edit.next.likelihood import LIKELIHOOD
from lsp.edit.next.suggestions import LONGEST_TEXT, NextEdit, next_edits

MOST_OFFERED = 3

MOST_DISMISSED = 200


@dataclass(frozen=True)
class Offered:
    """A next edit of a version of a document. `id` names it in commands; `because_of` the document whose change it
    follows, if that is another one."""

    id: str
    document: Document
    edit: NextEdit
    because_of: str | None = None

    @property
    def text_after(self) -> str:
        """The whole text, with line feeds alone, when it is accepted."""
        text = self.document.unix.text
        return text[: self.edit.start] + self.edit.text + text[self.edit.end :]

    @property
    def key(self) -> tuple[str, str, str]:
        """The identity of an offer, the same when it is offered again: the line and the new text; in other documents
        than the changed one, the change."""
        if self.because_of is not None:
            return self.because_of, self.edit.title, ""
        text, start = self.document.unix.text, self.edit.start
        return self.document.uri, text[text.rfind("\n", 0, start) + 1 :].partition("\n")[0], self.edit.text


class NextEditor:
    """On the event loop's thread, but for the search itself, which is another's."""

    def __init__(self) -> None:
        self._histories: dict[str, EditHistory] = {}
        self._offered: dict[str, Offered] = {}
        self._dismissed: dict[tuple[str, str, str], None] = {}

    def note(self, before: Document, changes: Sequence[TextChange]) -> None:
        """A document is changed by its user: by accepting what was offered, or by something else, in which case that
        was not wanted."""
        history = self._histories.get(before.uri, EditHistory())
        document = before
        for change in changes:
            after = document.changed([change], document.version)
            if len(after.text) > LONGEST_TEXT or change.range is None:
                history = EditHistory()
            else:
                history = history.after(document.unix.text, after.unix.text)
            document = after
        self._histories[before.uri] = history
        offered = self._offered.pop(before.uri, None)
        self._offered = {uri: other for uri, other in self._offered.items() if other is not offered}
        is_made = (
            offered is not None and offered.document.uri == before.uri and document.unix.text == offered.text_after
        )
        if offered is not None and not is_made:
            self._dismissed[offered.key] = None
            while len(self._dismissed) > MOST_DISMISSED:
                self._dismissed.pop(next(iter(self._dismissed)))

    def close(self, uri: str) -> None:
        self._histories.pop(uri, None)
        self._offered.pop(uri, None)

    def search(self, document: Document, *, invoked: bool) -> Callable[[], list[Offered]]:
        """Finds what may be changed next, when it is called, in any thread: some ten milliseconds. Unasked, that is
        what is likely enough and was not dismissed."""
        history, dismissed = self._histories.get(document.uri, EditHistory()), set(self._dismissed)

        def found() -> list[Offered]:
            edits = next_edits(document.unix.text, document.language, history)
            offered = [Offered(uuid.uuid4().hex, document, edit) for edit in edits]
            if not invoked:
                offered = [
                    each
                    for each in offered
                    if each.edit.probability >= LIKELIHOOD.threshold and each.key not in dismissed
                ]
            return offered[:MOST_OFFERED]

        return found

    def search_elsewhere(self, documents: Sequence[Document], *, invoked: bool) -> Callable[[], list[Offered]]:
        """The same for what has to follow in other ones of these documents, all that are open; sure, so that the first
        one found is enough. What was changed last in any of them counts, whichever the user is in."""
        histories, dismissed = dict(self._histories), set(self._dismissed)
        files = [
            (
                document,
                EditedFile(
                    path_named(document.uri),
                    document.unix.text,
                    document.language,
                    histories.get(document.uri, EditHistory()),
                ),
            )
            for document in documents
        ]

        def found() -> list[Offered]:
            for changed, module in files:
                for change in changed_interface(module):
                    for document, file in files:
                        for edit in followed(file, module.path, change) if document is not changed else ():
                            offered = Offered(uuid.uuid4().hex, document, edit, because_of=changed.uri)
                            if invoked or offered.key not in dismissed:
                                return [offered]
            return []

        return found

    def shown(self, document: Document, offered: Sequence[Offered]) -> None:
        """These were sent to the editor of a document, the first one to be seen."""
        for first in offered[:1]:
            self._offered[document.uri] = self._offered[first.document.uri] = first
