"""Other models' templates, as editors write them, are taken apart."""

from __future__ import annotations

import pytest

from coder.serve.openai.infilling_templates import parts

PREFIX, SUFFIX = "def add(a, b):\n    return ", "\n\nprint(add(1, 2))\n"


@pytest.mark.parametrize(
    "template",
    [
        "<|fim_prefix|>{}<|fim_suffix|>{}<|fim_middle|>",
        "<fim_prefix>{}<fim_suffix>{}<fim_middle>",
        "<fim-prefix>{}<fim-suffix>{}<fim-middle>",
        "<|code_prefix|>{}<|code_suffix|>{}<|code_middle|>",
        "<｜fim▁begin｜>{}<｜fim▁hole｜>{}<｜fim▁end｜>",
        "<PRE> {} <SUF>{} <MID>",
        "<|repo_name|>project\n<|file_sep|>other.py\nx = 1\n<|fim_prefix|>{}<|fim_suffix|>{}<|fim_middle|>",
        "Context:\n\nx = 1\n<|fim_prefix|>{}<|fim_suffix|>{}<|fim_middle|>",
    ],
)
def test_prefix_then_suffix(template: str):
    assert parts(template.format(PREFIX, SUFFIX), "") == (PREFIX, SUFFIX)


@pytest.mark.parametrize("template", ["[SUFFIX]{1}[PREFIX]{0}", "<|fim_suffix|>{1}<|fim_prefix|>{0}"])
def test_suffix_then_prefix(template: str):
    assert parts(template.format(PREFIX, SUFFIX), "") == (PREFIX, SUFFIX)


@pytest.mark.parametrize("suffix", ["", "<|endoftext|>"])
def test_a_plain_prompt_stays(suffix: str):
    assert parts(PREFIX, suffix) == (PREFIX, "")


def test_markers_in_code_that_has_a_suffix_of_its_own_are_code():
    prompt = 'MARKERS = "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"'
    assert parts(prompt, SUFFIX) == (prompt, SUFFIX)


def test_markers_in_code_that_are_no_template_are_code():
    prompt = 'start = "<fim_prefix>"\nend = "<fim_suffix>"\nmiddle = "<fim_middle>"\n'
    assert parts(prompt, "") == (prompt, "")
