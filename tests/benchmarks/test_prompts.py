"""Prompts are real code around a real hole, exactly as long as asked."""

from pathlib import Path

import pytest

from benchmarks.prompts import cut_holes, infill_prompt, project_code
from coder.model.checkpoint.tokens import Tokenizer
from tests.tiny import write_tiny_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    file: Path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    write_tiny_tokenizer(file)
    return Tokenizer(file)


def test_a_hole_is_the_rest_of_a_line_inside_the_code():
    code = project_code()
    for hole in cut_holes(code, count=20):
        assert hole.prefix + hole.middle + hole.suffix == code
        assert hole.suffix.startswith("\n")
        assert "\n" not in hole.middle
        assert len(hole.middle) >= 2
        assert not hole.prefix.endswith((" " * 4, "\n"))


def test_holes_are_different_places_and_the_same_each_time():
    code = project_code()
    holes = cut_holes(code, count=20, seed=3)
    assert holes == cut_holes(code, count=20, seed=3)
    assert len({len(hole.prefix) for hole in holes}) == 20


@pytest.mark.parametrize("length", [16, 256, 2048])
def test_a_prompt_has_the_length_that_was_asked_for(tokenizer: Tokenizer, length: int):
    (hole,) = cut_holes(project_code(), count=1)
    prompt = infill_prompt(tokenizer, hole, length)
    assert len(prompt) == length
    start = prompt.index(tokenizer.control.fim_suffix)
    assert (prompt[0], prompt[-1]) == (tokenizer.control.fim_prefix, tokenizer.control.fim_middle)
    assert hole.prefix.endswith(tokenizer.decode(prompt[:start]).lstrip("\N{REPLACEMENT CHARACTER}"))
    assert hole.suffix.startswith(tokenizer.decode(prompt[start:]))


def test_a_prompt_longer_than_the_code_is_refused(tokenizer: Tokenizer):
    (hole,) = cut_holes("value = compute(first, second)\n" * 8, count=1)
    with pytest.raises(ValueError, match="not code enough"):
        infill_prompt(tokenizer, hole, 4096)
