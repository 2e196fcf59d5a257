"""The control tokens of every family, found in a tokenizer that has them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coder.errors import CheckpointError
from coder.model.checkpoint.infilling_tokens import FAMILIES, infilling_tokens, open_tokenizer
from tests.tiny import write_tiny_tokenizer
from tests.train.infilling_models import family, special_tokens


@pytest.mark.parametrize("name", [one.name for one in FAMILIES])
def test_a_family_is_recognised_by_its_tokens(tmp_path: Path, name: str):
    own = family(name)
    size = write_tiny_tokenizer(tmp_path / "tokenizer.json", special_tokens(own))
    tokenizer, tokens = open_tokenizer(tmp_path / "tokenizer.json", size + 6)
    assert tokens.family == name
    assert (tokens.prefix, tokens.suffix, tokens.middle, tokens.end) == tuple(
        tokenizer.special[text] for text in (own.prefix, own.suffix, own.middle, own.end)
    )
    assert (tokens.repository is None) == (not own.repository)
    # The mask stands for no text: a special token of its own, or an id that nothing has.
    assert tokenizer.token_bytes(tokens.mask) == b"" and tokens.mask not in tokens.ends
    assert tokens.mask not in (tokens.prefix, tokens.suffix, tokens.middle)


@pytest.mark.parametrize("name", [one.name for one in FAMILIES])
def test_control_tokens_that_are_not_marked_are_text_in_a_text(tmp_path: Path, name: str):
    """As the families publish their tokenizers: few control tokens are special, and accents are composed."""
    file, own = tmp_path / "tokenizer.json", family(name)
    size = write_tiny_tokenizer(file, [*special_tokens(own), "<tool_call>"])
    content = json.loads(file.read_text(encoding="utf-8"))
    for token in content["added_tokens"]:
        token["special"] = token["content"] == own.end
    content["normalizer"] = {"type": "NFC"}
    file.write_text(json.dumps(content), encoding="utf-8")
    tokenizer, tokens = open_tokenizer(file, size + 6)
    text = f"e\u0301 {own.prefix}a{own.suffix}{own.middle}{own.turn_end}{own.end}"
    read = tokenizer.encode(text)
    assert tokenizer.decode(read) == text
    assert not set(read) & set(tokenizer.control.all)
    assert tokenizer.decode([tokens.prefix, tokens.middle, tokens.end]) == ""


def test_the_layout_is_prefix_suffix_middle_and_what_is_written(tmp_path: Path):
    size = write_tiny_tokenizer(tmp_path / "tokenizer.json", special_tokens(family("DeepSeek-Coder")))
    _, deep = open_tokenizer(tmp_path / "tokenizer.json", size + 1)
    assert deep.infilling([50], [60], [70]) == [deep.begin, deep.prefix, 50, deep.suffix, 60, deep.middle, 70]
    assert deep.repository_header([1], [[2]], [3]) == []
    write_tiny_tokenizer(tmp_path / "tokenizer.json", special_tokens(family("Qwen2.5-Coder")))
    _, qwen = open_tokenizer(tmp_path / "tokenizer.json", size + 1)
    header = qwen.repository_header([11], [[12, 13]], [14])
    assert header == [qwen.repository, 11, qwen.file, 12, 13, qwen.file, 14]
    assert qwen.infilling([50], [], header=header) == [*header, qwen.prefix, 50, qwen.suffix, qwen.middle]
    assert qwen.ends == (qwen.end, qwen.turn_end)


def test_other_tokenizers_are_refused_with_the_known_families():
    with pytest.raises(CheckpointError, match=r"filling in the middle.*StarCoder2"):
        infilling_tokens({"<|endoftext|>": 0}, [0, 1], 2)
    deep = {text: number for number, text in enumerate(special_tokens(family("DeepSeek-Coder")))}
    with pytest.raises(CheckpointError, match="no id for the mask"):
        infilling_tokens(deep, deep.values(), len(deep))
