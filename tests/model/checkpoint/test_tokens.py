"""Text goes to ids and back unchanged, and never turns into control tokens."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.errors import CheckpointError, InputError
from coder.model.checkpoint.opening import find_checkpoint
from coder.model.checkpoint.tokens import CONTROL_TEXTS, Tokenizer
from tests.tiny import SPECIAL_TOKENS, write_tiny_tokenizer

EMBEDDED = Tokenizer(find_checkpoint("embedded") / "tokenizer.json")

UNICODE = st.characters(exclude_categories=["Cs"])
AWKWARD = st.sampled_from([*SPECIAL_TOKENS, "\r\n", "\t", "\x00", "é", "e\u0301", "👩‍👩‍👧", "\ufeff", "    ", "123"])
TEXTS = st.lists(st.one_of(AWKWARD, st.text(UNICODE, max_size=10)), max_size=8).map("".join)
IDS = st.lists(st.sampled_from(sorted(EMBEDDED.ids)), max_size=20)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    write_tiny_tokenizer(file)
    return Tokenizer(file)


@given(TEXTS)
def test_decoding_undoes_encoding(text: str):
    assert EMBEDDED.decode(EMBEDDED.encode(text)) == text


@given(TEXTS)
def test_decoding_undoes_encoding_where_the_vocabulary_has_every_byte(tiny: Tokenizer, text: str):
    assert tiny.decode(tiny.encode(text)) == text


@given(TEXTS)
def test_text_never_becomes_a_control_token(text: str):
    assert not set(EMBEDDED.encode(text)) & set(EMBEDDED.control.all)


@pytest.mark.parametrize("text", SPECIAL_TOKENS)
def test_the_spelling_of_a_control_token_is_text(text: str):
    ids = EMBEDDED.encode(f"# {text}\n")
    assert not set(ids) & set(EMBEDDED.control.all)
    assert EMBEDDED.decode(ids) == f"# {text}\n"


@given(IDS)
def test_pieces_join_to_the_text(ids: list[int]):
    pieces = EMBEDDED.pieces(ids)
    assert len(pieces) == len(ids)
    assert "".join(pieces) == EMBEDDED.decode(ids)


@given(IDS)
def test_decoding_joins_bytes_not_characters(ids: list[int]):
    assert EMBEDDED.decode(ids) == b"".join(EMBEDDED.token_bytes(token) for token in ids).decode(errors="replace")


def test_a_token_decodes_to_the_bytes_of_the_library(tiny: Tokenizer):
    for token in sorted(EMBEDDED.ids - set(EMBEDDED.control.all))[::97]:
        assert EMBEDDED.decode([token]) == EMBEDDED._tokenizer.decode([token])
    assert {tiny.token_bytes(token) for token in tiny.ids} >= {bytes([byte]) for byte in range(256)}


def test_a_character_cut_in_two_shows_when_it_is_whole(tiny: Tokenizer):
    ids = tiny.encode("€")
    assert len(ids) == 3
    assert tiny.pieces(ids) == ["", "", "€"]
    assert tiny.decode(ids[:2]) == "\N{REPLACEMENT CHARACTER}"
    assert tiny.pieces(ids[:2]) == ["", "\N{REPLACEMENT CHARACTER}"]


def test_control_tokens_and_unknown_ids_stand_for_no_text():
    control = EMBEDDED.control
    assert EMBEDDED.decode([*control.all, *EMBEDDED.encode("x"), control.fim_end, 10**6]) == "x"


def test_control_tokens_are_found_by_their_text():
    control = EMBEDDED.control
    assert (control.mask, control.fim_prefix, control.fim_suffix, control.fim_end) == (1, 2, 4, 0)
    assert control.all == tuple(range(16))


def test_the_digest_tells_whether_ids_mean_the_same(tmp_path: Path, tiny: Tokenizer):
    write_tiny_tokenizer(tmp_path / "tokenizer.json")
    other = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    (tmp_path / "other.json").write_text(json.dumps(other, indent=4), encoding="utf-8")
    assert Tokenizer(tmp_path / "other.json").digest == tiny.digest
    assert EMBEDDED.digest != tiny.digest


@pytest.mark.parametrize("text", ["\ud800", "ok\udc80", "\ude00\ud83d"])
def test_half_a_surrogate_pair_is_refused(text: str):
    with pytest.raises(InputError, match="surrogate"):
        EMBEDDED.encode(text)


def test_a_missing_control_token_is_named(tmp_path: Path):
    content = written(tmp_path)
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] != CONTROL_TEXTS["mask"]]
    with pytest.raises(CheckpointError, match=re.escape("no special token <|mask|>:")):
        Tokenizer(rewritten(tmp_path, content))


def test_a_tokenizer_that_changes_text_is_refused(tmp_path: Path):
    content = written(tmp_path)
    content["normalizer"] = {"type": "Lowercase"}
    with pytest.raises(CheckpointError, match="back as it was"):
        Tokenizer(rewritten(tmp_path, content))


def test_a_tokenizer_of_another_kind_is_refused(tmp_path: Path):
    content = written(tmp_path)
    content["decoder"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    with pytest.raises(CheckpointError, match="byte-level"):
        Tokenizer(rewritten(tmp_path, content))


def test_a_damaged_or_missing_file_is_named(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"tokenizer\.json is missing"):
        Tokenizer(tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0", ', encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"tokenizer\.json is not a tokenizer"):
        Tokenizer(tmp_path / "tokenizer.json")


def written(folder: Path) -> dict:
    write_tiny_tokenizer(folder / "tokenizer.json")
    return json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))


def rewritten(folder: Path, content: dict) -> Path:
    (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    return folder / "tokenizer.json"
