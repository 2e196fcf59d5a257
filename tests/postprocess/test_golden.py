"""Each filter by its examples, and all of them together."""

from __future__ import annotations

from pathlib import Path

import pytest

from coder.postprocess.brackets_and_quotes import replaced_brackets, unclosed
from coder.postprocess.chain import FILTERS, cut_off, postprocess, sound_end, sound_lines
from coder.postprocess.whitespace import from_the_cursor
from tests.postprocess.golden_files import FOLDER, read_example

ONCE = (from_the_cursor, cut_off, unclosed, replaced_brackets, sound_lines, sound_end)
BY_NAME = {keep.__name__: keep for keep in (*FILTERS, *ONCE)} | {"all": postprocess}


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.txt")), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_example(file: Path):
    example = read_example(file)
    assert BY_NAME[file.parent.name](example.completion, example.context) == example.shown


def test_every_filter_has_examples():
    assert {folder.name for folder in FOLDER.iterdir()} == set(BY_NAME)
