"""The doubt about each line, and what of a text is shown for it."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, EngineEvent
from coder.api.streams import Cancellation
from coder.diffusion.events import Statistics
from lsp.settings import Settings
from lsp.suggest.drafts import SuggestionQuery
from lsp.suggest.gate import Calibration, Gate, WrittenDoubt, first_lines
from lsp.suggest.search import Search
from tests.lsp.places import cursor_at
from tests.lsp.scripted import ScriptedEngine

GATE = Gate(Calibration(bias=0.0, doubt=-2.0), chosen=0.4)
"""It lets pass what is expected to have about one wrong token at most, whatever the constants of the day."""

Written = Sequence[tuple[str, float]]
"""The text of each pass, one token each, and its probability."""


def updates(written: Written) -> list[CanvasUpdate]:
    made, text, total = [], "", 0.0
    for number, (piece, probability) in enumerate(written, 1):
        text, total = text + piece, total + probability
        made.append(CanvasUpdate(text, (), number, number, total / number, stays=text.rpartition("\n")[0]))
    return made


pieces = st.lists(st.tuples(st.sampled_from(["a", " b", "\n", "\n    ", "c\nd"]), st.floats(0.0, 1.0)), min_size=1)


@given(pieces)
def test_lines_are_together_no_more_doubtful_than_the_text(written: Written):
    doubt = WrittenDoubt()
    for update in updates(written):
        doubt.note(update)
    text = "".join(piece for piece, _ in written)
    lines = [*doubt.lines(text)]
    assert len(lines) == len([line for line in text.split("\n") if line.strip()])
    assert all(line >= 0.0 for line in lines)
    assert sum(lines) <= sum(1.0 - probability for _, probability in written) + 1e-6


def test_each_line_has_the_doubt_about_its_own_tokens():
    doubt = WrittenDoubt()
    for update in updates([("x", 0.8), (" = 1", 0.6), ("\ny", 0.2), (" = 2", 0.4)]):
        doubt.note(update)
    assert [*doubt.lines("x = 1\ny = 2")] == pytest.approx([0.2 + 0.4, 0.8 + 0.6])
    assert [*doubt.lines("x")] == pytest.approx([0.2]), "what is not shown does not count"


def test_a_pass_across_a_line_break_counts_to_both_lines():
    doubt = WrittenDoubt()
    for update in updates([("x = ", 0.9), ("1\nyz", 0.2)]):
        doubt.note(update)
    assert [*doubt.lines("x = 1")] == pytest.approx([0.1 + 0.8 / 4])
    assert [*doubt.lines("x = 1\nyz")] == pytest.approx([0.1 + 0.8 / 4, 0.8 * 3 / 4])


@given(st.text("a \n"), st.integers(0, 5))
def test_the_first_lines_of_a_text_are_its_beginning(text: str, count: int):
    first = first_lines(text, count)
    assert text.startswith(first)
    assert len([line for line in first.split("\n") if line.strip()]) <= count


class Writer(ScriptedEngine):
    """Writes pieces with these probabilities, until it is stopped."""

    def __init__(self, written: Written, answer: str | None = None) -> None:
        super().__init__()
        self.written, self.answer, self.passes = written, answer, 0

    def stream(
        self, request: CompletionRequest, cancelled: Cancellation | None = None
    ) -> Generator[EngineEvent, None, None]:
        made = updates(self.written)
        for update in made:
            if cancelled is not None and cancelled.is_set():
                yield Completion("", "cancelled", 0, 0.0, Statistics(""))
                return
            self.passes += 1
            yield update
        statistics = Statistics("", tokens=len(made), mean_confidence=made[-1].confidence)
        text = made[-1].settled if self.answer is None else self.answer
        yield Completion(text, "end", 0, 0.0, statistics)


def shown(engine: Writer, at: str) -> list[str]:
    search = Search(SuggestionQuery(cursor_at(at), Settings(), invoked=False), GATE, threading.Event())
    search.run(engine)
    return [suggestion.text for suggestion in search.found]


def test_what_is_shown_ends_before_the_first_line_that_is_unlikely():
    engine = Writer([("a = 1", 0.95), ("\nb = 2", 0.9), ("\nc", 0.1), (" = 3", 0.1), ("\nd = 4", 0.9)])
    assert shown(engine, "|\n") == ["a = 1\nb = 2"]
    assert engine.passes == 4, "nothing is written that is not shown"


def test_a_likely_block_is_shown_whole():
    assert shown(Writer([("a = 1", 0.95), ("\nb = 2", 0.9)]), "|\n") == ["a = 1\nb = 2"]


def test_nothing_is_shown_where_the_first_line_is_unlikely():
    engine = Writer([("a", 0.1), (" = 1", 0.1), ("\nb = 2", 0.9)])
    assert shown(engine, "|\n") == [] and engine.passes == 2


@pytest.mark.parametrize(("rest", "found"), [(0.1, ["value"]), (0.9, ["value"])])
def test_inside_a_line_only_what_is_shown_counts(rest: float, found: list[str]):
    engine = Writer([("value", 0.9), (")", rest), (" + 1", rest)], answer="value")
    assert shown(engine, "x = f(|) + 1\n") == found
