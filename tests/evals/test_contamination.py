"""What a task shares with a corpus."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coder.errors import InputError
from coder.syntax.ngrams import ngrams, tokenize
from evals.contamination import find_overlaps, read_texts
from evals.task import Infill, Task

LONG = Task("long", Infill("def area(width, height):\n"), "    return width * height + width * 0\n")
SHORT = Task("short", Infill("x = "), "1\n")


def test_layout_and_case_do_not_matter():
    text = "DEF area(width,height):   return width*height+width*0"
    (overlap,) = find_overlaps([LONG], [text])
    assert overlap.share == 1.0


def test_the_share_is_that_of_different_ngrams():
    tokens = tokenize(LONG.program(LONG.canonical))
    assert len(tokens) == 16
    (overlap,) = find_overlaps([LONG], [" ".join(tokens[:14]), " ".join(tokens[1:14])], length=13)
    assert (overlap.total, overlap.found, overlap.documents) == (4, 2, 2)


def test_a_text_of_fewer_tokens_is_one_ngram():
    long, short = find_overlaps([LONG, SHORT], ["a = 2\nx = 1\n"])
    assert (long.found, short.total, short.share) == (0, 1, 1.0)


def test_ngrams_are_all_runs():
    assert list(ngrams(["a", "b", "c"], 2)) == ["a b", "b c"]
    assert list(ngrams(["a"], 2)) == ["a"]


def test_a_corpus_is_read_in_parts_and_its_empty_rows_left_out(tmp_path: Path):
    file = tmp_path / "corpus.parquet"
    texts = [f"text {number}" for number in range(600)]
    pq.write_table(pa.table({"path": ["p"] * 601, "text": [*texts, None]}), file)
    assert list(read_texts([file])) == texts


def test_a_corpus_without_texts_names_its_columns(tmp_path: Path):
    file = tmp_path / "corpus.parquet"
    pq.write_table(pa.table({"content": ["a"]}), file)
    with pytest.raises(InputError, match="it has content"):
        list(read_texts([file]))
    file.write_bytes(b"no parquet")
    with pytest.raises(InputError, match="cannot read"):
        list(read_texts([file]))
