"""Next edits over a session: what was changed is remembered, what was not wanted as well."""

from __future__ import annotations

from dataclasses import replace

from lsp.documents import Document, TextChange
from lsp.edit.next.next_editor import NextEditor
from lsp.edit.next.suggestions import LONGEST_TEXT

OLD = "def total(count):\n    assert count\n    return count\n"


class Typing:
    """A user who changes a document."""

    def __init__(self, text: str = OLD) -> None:
        self.editor = NextEditor()
        self.document = Document("file:///a.py", "python", 1, text)

    def replace(self, start: int, end: int, text: str) -> None:
        positions = self.document.position(start), self.document.position(end)
        self.apply([TextChange(text, positions)])

    def apply(self, changes: list[TextChange]) -> None:
        before, self.document = self.document, self.document.changed(changes, self.document.version + 1)
        self.editor.note(before, changes)

    def rename(self) -> None:
        self.replace(10, 15, "amount")

    def offered(self, *, invoked: bool = False):
        found = self.editor.search(self.document, invoked=invoked)()
        self.editor.shown(self.document, found)
        return found


def test_what_is_accepted_leads_to_what_is_left():
    user = Typing()
    user.rename()
    for left in (2, 1, 0):
        found = user.offered()
        assert len(found) == left
        if found:
            user.replace(found[0].edit.start, found[0].edit.end, found[0].edit.text)
    assert user.document.text == OLD.replace("count", "amount")


def test_what_is_not_wanted_is_offered_again_only_to_who_asks():
    user = Typing()
    user.rename()
    unwanted, *_ = user.offered()
    user.replace(0, 0, "# a comment\n")
    line = unwanted.key[1]
    assert line not in [offered.key[1] for offered in user.offered()]
    assert line in [offered.key[1] for offered in user.offered(invoked=True)]


def test_several_cursors_are_several_edits():
    user = Typing("a.warn(1)\nb.warn(2)\nc.warn(3)\n")
    user.apply([TextChange("ing", ((1, 6), (1, 6))), TextChange("ing", ((0, 6), (0, 6)))])
    (found,) = user.offered(invoked=True)
    assert (found.edit.text, user.document.text[: found.edit.start].count("\n")) == ("warning", 2)


def test_a_text_that_is_replaced_as_a_whole_has_no_history():
    user = Typing()
    user.rename()
    user.apply([TextChange(OLD)])
    assert user.offered(invoked=True) == []


def test_a_text_that_is_too_long_has_none():
    user = Typing(OLD + "#" * LONGEST_TEXT)
    user.rename()
    assert user.offered(invoked=True) == []


def test_what_is_closed_is_forgotten():
    user = Typing()
    user.rename()
    user.editor.close(user.document.uri)
    assert user.offered(invoked=True) == []


def test_carriage_returns_do_not_matter():
    user = Typing(OLD.replace("\n", "\r\n"))
    user.rename()
    assert [offered.edit.text for offered in user.offered()] == ["amount", "amount"]


def test_the_text_after_an_offer_is_the_one_it_announces():
    user = Typing()
    user.rename()
    first, *_ = user.offered()
    after = replace(user.document, text=first.text_after)
    user.replace(first.edit.start, first.edit.end, first.edit.text)
    assert user.document.text == after.text
