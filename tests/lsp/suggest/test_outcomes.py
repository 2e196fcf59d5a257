"""What became of a suggestion, told by the editor or by the document."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lsp.documents import Document, TextChange
from lsp.suggest.metrics import Outcome, Outcomes
from lsp.suggest.suggestion_cache import Suggestion
from lsp.suggest.surroundings import Cursor, cursor_in

TEXT = "return first + second"
BEFORE = "def add(first, second):\n    "
Step = Callable[[Outcomes, Cursor], None]


def becomes(middle: str, behind: str = "\n\nx = 1\n") -> Step:
    """The document is changed so that this stands at the cursor."""

    def step(outcomes: Outcomes, cursor: Cursor) -> None:
        outcomes.changed(Document(cursor.document.uri, "python", 2, BEFORE + middle + behind))

    return step


def accept(outcomes: Outcomes, cursor: Cursor) -> None:
    outcomes.accepted("one")


def accept_partially(outcomes: Outcomes, cursor: Cursor) -> None:
    outcomes.partially_accepted("one")


def show_another(outcomes: Outcomes, cursor: Cursor) -> None:
    outcomes.shown(cursor, (Suggestion("other", "pass"),))


def show_again(outcomes: Outcomes, cursor: Cursor) -> None:
    outcomes.shown(cursor, (Suggestion("one", TEXT),))


def typed(text: str) -> list[Step]:
    return [becomes(text[:length]) for length in range(1, len(text) + 1)]


@pytest.mark.parametrize(
    ("steps", "outcomes"),
    [
        ([], []),
        ([accept], ["accepted"]),
        ([becomes(TEXT), accept], ["accepted"]),
        ([becomes(TEXT)], ["accepted"]),
        ([*typed("ret"), becomes(TEXT)], ["accepted"]),
        (typed(TEXT), ["typed"]),
        (typed("ret"), []),
        ([*typed("ret"), becomes("retx")], ["dismissed"]),
        ([becomes("return"), becomes("return None")], ["partially_accepted"]),
        ([accept_partially, becomes("pass")], ["partially_accepted"]),
        ([becomes("", "\n")], ["dismissed"]),
        ([show_another], ["dismissed", "shown"]),
        ([show_again, accept, accept], ["accepted"]),
    ],
)
def test_a_suggestion_has_one_outcome(steps: list[Step], outcomes: list[str]):
    recorded: list[str] = []
    followed = Outcomes(lambda outcome, language: recorded.append(outcome.value))
    cursor = cursor_in(Document("file:///a.py", "python", 1, f"{BEFORE}\n\nx = 1\n"), len(BEFORE), len(BEFORE))
    followed.shown(cursor, (Suggestion("one", TEXT), Suggestion("two", "raise NotImplementedError")))
    for step in steps:
        step(followed, cursor)
    assert recorded == ["shown", *outcomes]


def test_a_change_elsewhere_is_another_documents():
    recorded: list[Outcome] = []
    followed = Outcomes(lambda outcome, language: recorded.append(outcome))
    cursor = cursor_in(Document("file:///a.py", "python", 1, ""), 0, 0)
    followed.shown(cursor, (Suggestion("one", TEXT),))
    followed.changed(Document("file:///b.py", "python", 1, "").changed([TextChange("new")], 2))
    assert recorded == [Outcome.SHOWN]


def test_a_suggestion_that_replaces_brackets_is_recognised():
    recorded: list[Outcome] = []
    followed = Outcomes(lambda outcome, language: recorded.append(outcome))
    cursor = cursor_in(Document("file:///a.py", "python", 1, "print()\n"), 6, 6)
    followed.shown(cursor, (Suggestion("one", "total)", replaces=1),))
    followed.changed(Document("file:///a.py", "python", 2, "print(total)\n"))
    assert recorded == [Outcome.SHOWN, Outcome.ACCEPTED]


def test_typing_before_brackets_that_are_replaced_goes_on():
    recorded: list[Outcome] = []
    followed = Outcomes(lambda outcome, language: recorded.append(outcome))
    cursor = cursor_in(Document("file:///a.py", "python", 1, "print()\n"), 6, 6)
    followed.shown(cursor, (Suggestion("one", "total)", replaces=1),))
    followed.changed(Document("file:///a.py", "python", 2, "print(t)\n"))
    assert recorded == [Outcome.SHOWN]
