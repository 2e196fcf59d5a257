"""Lazy edits as people and models write them: a file, an edit, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from coder.api.completion import Where
from coder.api.text_requests import ApplyRequest
from coder.editing.apply import apply_edit
from tests.editing.apply.models import nobody

FOLDER = Path(__file__).parent / "golden"
"""Each file is named after its language's suffix and holds three texts, with a line of `=====` between them."""

EXAMPLES = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_edit_says_no_more_than_it_has_to(example: Path):
    file, edit, result = example.read_text(encoding="utf-8").split("=====\n")
    path = f"example.{example.stem.partition('_')[0]}"
    applied = apply_edit(ApplyRequest(file, edit, Where(path)), nobody)
    assert applied.text == result
    assert applied.readings == 1
    again = apply_edit(ApplyRequest(file.replace("\n", "\r\n"), edit, Where(path)), nobody)
    assert again.text == result.replace("\n", "\r\n")


def test_every_grammar_has_an_example():
    suffixes = {example.stem.partition("_")[0] for example in EXAMPLES}
    assert suffixes >= {"py", "js", "ts", "tsx", "go", "rs", "java", "c", "cpp"}
