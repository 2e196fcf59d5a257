"""A pruned vocabulary gives the whole one's tokens wherever it kept them, and any text back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from coder.errors import CheckpointError, InputError
from coder.model.checkpoint.files import embedded_folder
from coder.model.checkpoint.tokens import byte_of_character
from coder.train.published import VocabularySettings
from coder.train.vocabulary import Vocabulary, pruned, token_texts
from coder.train.vocabulary_corpus import CorpusText, count, read_texts, worth

CONTROL = ("<|endoftext|>", "<|mask|>")
SHIPPED = embedded_folder() / "tokenizer.json"
TEXTS = st.text(alphabet="aab ", max_size=40) | st.text(max_size=20)


def tokenizer_of(merges: list[tuple[str, str]]) -> dict[str, Any]:
    """Byte-level BPE whose ids are counted in the order of the merges."""
    words = dict.fromkeys([*byte_of_character(), *(a + b for a, b in merges)])
    model = tokenizers.models.BPE({word: number for number, word in enumerate(words)}, merges)
    whole = tokenizers.Tokenizer(model)
    whole.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    whole.decoder = tokenizers.decoders.ByteLevel()
    whole.add_special_tokens(["<|endoftext|>"])
    return json.loads(whole.to_str())


def read(tokenizer: dict[str, Any]) -> tokenizers.Tokenizer:
    opened = tokenizers.Tokenizer.from_str(json.dumps(tokenizer))
    opened.encode_special_tokens = True
    return opened


@st.composite
def merge_lists(draw) -> list[tuple[str, str]]:
    """Merges of words over three letters, some words being made in several ways."""
    words, merges = ["a", "b", "Ġ"], {}
    for _ in range(draw(st.integers(1, 14))):
        pair = draw(st.sampled_from(words)), draw(st.sampled_from(words))
        merges[pair] = None
        words.append("".join(pair))
    return list(merges)


@given(merge_lists(), st.data())
def test_the_same_tokens_where_all_were_kept_and_every_text_back(merges, data):
    whole = tokenizer_of(merges)
    vocabulary = Vocabulary.of(whole)
    worths = {word: data.draw(st.integers(0, 9)) for word in vocabulary.words if len(word) > 1}
    size = data.draw(st.integers(256, 272))
    kept = vocabulary.most_used(worths, size)
    smaller = read(pruned(whole, kept, CONTROL))
    full = read(whole)
    for text in [data.draw(TEXTS) for _ in range(8)] + ["<|mask|>", "a" * 9, "abab aab"]:
        expected, tokens = full.encode(text).tokens, smaller.encode(text).tokens
        assert smaller.decode(smaller.encode(text).ids, skip_special_tokens=False) == text
        assert len(tokens) >= len(expected)
        if kept.issuperset(expected):
            assert tokens == expected
    assert len(kept) <= size
    assert kept.issuperset(byte_of_character())
    assert all(kept.issuperset(vocabulary.closure(word)) for word in kept)


def test_the_most_used_words_are_kept_with_what_they_are_made_of():
    vocabulary = Vocabulary.of(tokenizer_of([("a", "b"), ("ab", "a"), ("b", "b"), ("bb", "b")]))
    assert vocabulary.closure("aba") == {"aba", "ab", "a", "b"}
    assert vocabulary.most_used({"aba": 5, "bb": 4}, 258) - set(byte_of_character()) == {"aba", "ab"}
    assert vocabulary.most_used({"aba": 5, "bb": 4}, 257) - set(byte_of_character()) == {"bb"}  # two find no room


def test_a_word_that_is_made_in_two_ways_brings_both():
    vocabulary = Vocabulary.of(tokenizer_of([("a", "a"), ("a", "aa"), ("aa", "a")]))
    assert vocabulary.closure("aaa") == {"aaa", "aa", "a"}


def test_ids_are_the_control_tokens_then_the_words_in_their_order():
    whole = tokenizer_of([("a", "b"), ("ab", "a"), ("b", "b")])
    texts = token_texts(pruned(whole, Vocabulary.of(whole).most_used({"bb": 1}, 257), CONTROL))
    assert texts[:2] == list(CONTROL)
    assert texts[2:] == [*byte_of_character(), "bb"]


def test_the_shipped_vocabulary_is_closed_under_its_merges():
    shipped = json.loads(SHIPPED.read_bytes())
    vocabulary, texts = Vocabulary.of(shipped), set(token_texts(shipped))
    assert len(texts) == 49152
    assert all(texts.issuperset(vocabulary.closure(word)) for word in vocabulary.words)
    assert pruned(shipped, vocabulary.words, token_texts(shipped)[:16]) == shipped


@given(st.text())
def test_the_shipped_vocabulary_gives_any_text_back(text: str):
    shipped = opened_shipped()
    assert shipped.decode(shipped.encode(text).ids, skip_special_tokens=False) == text


def opened_shipped(cache: list[tokenizers.Tokenizer] = []) -> tokenizers.Tokenizer:  # noqa: B006
    if not cache:
        cache.append(read(json.loads(SHIPPED.read_bytes())))
    return cache[0]


class TestCounting:
    settings = VocabularySettings(300, CONTROL, 0.5, 1, 30, 1000)

    def test_python_counts_more_than_the_rest_and_first_words_have_a_bonus(self):
        full = tokenizer_of([("a", "a"), ("b", "b")])
        words = Vocabulary.of(full).words
        worths = worth(read(full), words, [CorpusText("aabb", True), CorpusText("bb bb", False)], self.settings)
        assert (worths["aa"], worths["bb"], worths[words[0]], worths[words[1]]) == (1, 2, 30, 0)

    def test_a_control_tokens_text_is_text(self):
        python, _ = count(read(tokenizer_of([("a", "a")])), [CorpusText("<|endoftext|>", True)], 1000)
        assert python["<"] == 1

    def test_counting_stops_after_the_tokens_wanted(self):
        full = read(tokenizer_of([("a", "a")]))
        python, others = count(full, [*[CorpusText("aa", True)] * 700, CorpusText("aa", False)], 256)
        assert (python.total(), others.total()) == (256, 1)

    def test_files_of_a_folder_are_read_by_their_language(self, tmp_path: Path):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "x.py").write_text("x = 1", encoding="utf-8")
        (tmp_path / "y.go").write_bytes(b"package y \xff")
        (tmp_path / "z.bin").write_bytes(b"no code")
        assert sorted(read_texts(tmp_path), key=lambda text: text.text) == [
            CorpusText("package y ", False),
            CorpusText("x = 1", True),
        ]

    def test_shards_are_read_by_row(self, tmp_path: Path):
        pa = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pa.table({"text": ["a", "b"], "language": ["python", "go"]}), tmp_path / "0.parquet")
        assert list(read_texts(tmp_path)) == [CorpusText("a", True), CorpusText("b", False)]
        parquet.write_table(pa.table({"other": ["a"]}), tmp_path / "0.parquet")
        with pytest.raises(InputError, match=r"cannot read texts and languages in .*0\.parquet"):
            list(read_texts(tmp_path))

    def test_a_folder_without_texts_is_refused(self, tmp_path: Path):
        with pytest.raises(InputError, match="neither files of code nor Parquet shards"):
            list(read_texts(tmp_path))


class TestRefused:
    def test_another_kind_of_vocabulary(self):
        with pytest.raises(CheckpointError, match="no byte-level BPE"):
            Vocabulary.of({"model": {"type": "Unigram"}})

    def test_a_vocabulary_that_lacks_bytes(self):
        whole = tokenizer_of([])
        del whole["model"]["vocab"]["a"]
        with pytest.raises(CheckpointError, match="lacks 1 of 256 bytes"):
            Vocabulary.of(whole)

    def test_ids_with_gaps(self):
        whole = tokenizer_of([])
        whole["model"]["vocab"]["aa"] = 999
        with pytest.raises(CheckpointError, match="without a gap"):
            token_texts(whole)
