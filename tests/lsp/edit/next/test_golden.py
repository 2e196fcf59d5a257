"""Places that are found after an edit, by example.

A file of `golden` holds a text, the text after an edit of it, and the places: rule, line (from zero), old and new text.
Its name ends with the language.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lsp.edit.next.history import EditHistory
from lsp.edit.next.suggestions import places

FOLDER = Path(__file__).parent / "golden"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.txt")), ids=lambda file: file.stem)
def test_example(file: Path):
    before, after, expected = file.read_text(encoding="utf-8").split("====\n")
    history = EditHistory().after(before, after)
    found = {
        (place.rule, after.count("\n", 0, place.start), after[place.start : place.end], place.text)
        for place in places(after, file.suffixes[0].lstrip("."), history)
    }
    wanted = {(rule, line, old, new) for rule, line, old, new in map(json.loads, expected.splitlines())}
    assert found == wanted
