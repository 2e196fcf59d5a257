"""A place in a document: what is around it, how far a suggestion may go there."""

from __future__ import annotations

import pytest

from lsp.documents import Document
from lsp.suggest.surroundings import cursor_in
from tests.lsp.places import cursor_at


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("def f():|", "block"),
        ("def f():\n    |\n\nx = 1", "block"),
        ("print(|)", "block"),
        ("f([a, |]) \nx", "block"),
        ("x = | + 1", "line"),
        ("def f(|):", "line"),
    ],
)
def test_a_block_where_nothing_but_closing_brackets_follows(text, mode):
    assert cursor_at(text).mode == mode


@pytest.mark.parametrize(
    ("text", "inside"), [("na|me", True), ("name|", False), ("|name", False), ("a.|b", False), ("größ|e", True)]
)
def test_inside_a_word_there_are_word_characters_on_both_sides(text, inside):
    assert cursor_at(text).is_inside_word == inside


def test_a_selected_entry_counts_as_accepted():
    document = Document("file:///a.py", "python", 1, "os.pa\nx")
    cursor = cursor_in(document, 3, 5, selected="path")
    assert (cursor.prefix, cursor.suffix) == ("os.path", "\nx")


def test_the_model_reads_line_feeds_and_the_cells_above():
    document = Document("file:///a.py", "python", 1, "a\r\nb\r\n")
    above = Document("file:///b.py", "python", 1, "import os\r\n")
    cursor = cursor_in(document, document.unix.offset(1, 1), document.unix.offset(1, 1), cells=[above])
    assert (cursor.prefix, cursor.suffix) == ("import os\n\n\na\nb", "\n")
