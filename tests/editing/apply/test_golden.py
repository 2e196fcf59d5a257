"""Lazy edits as people and models write them: a file, an edit, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from coder.api.completion import Where
from coder.api.text_requests import ApplyRequest
from coder.editing.apply import apply_edit
from tests.editing.apply.examples import GOLDEN, parts_of
from tests.editing.apply.models import nobody


@pytest.mark.parametrize("example", GOLDEN, ids=lambda path: path.stem)
def test_an_edit_says_no_more_than_it_has_to(example: Path):
    path, file, edit, result = parts_of(example)
    applied = apply_edit(ApplyRequest(file, edit, Where(path)), nobody)
    assert applied.text == result
    assert applied.readings == 1
    again = apply_edit(ApplyRequest(file.replace("\n", "\r\n"), edit, Where(path)), nobody)
    assert again.text == result.replace("\n", "\r\n")


def test_every_grammar_has_an_example():
    suffixes = {example.stem.partition("_")[0] for example in GOLDEN}
    assert suffixes >= {"py", "js", "ts", "tsx", "go", "rs", "java", "c", "cpp"}
