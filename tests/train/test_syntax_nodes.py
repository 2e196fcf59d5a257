"""Syntax nodes in canvases: whole expressions of the text that prefix, middle and suffix form together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from coder.model.checkpoint.prompt import infill
from coder.model.checkpoint.tokens import Tokenizer
from coder.train.canvases import cut_canvases, segments
from coder.train.masking import SyntaxNodes
from coder.train.noisy_rows import noisy_row
from coder.train.packed_rows import Document, Row, fill_rows
from coder.train.syntax_nodes import NodeFinder
from tests.tiny import write_tiny_tokenizer
from tests.train.rows import noising


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    file: Path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    write_tiny_tokenizer(file)
    return Tokenizer(file)


def finder(tokenizer: Tokenizer) -> NodeFinder:
    return NodeFinder(tokenizer.control, [tokenizer.token_bytes(token) for token in range(max(tokenizer.ids) + 1)])


def row_of(tokenizer: Tokenizer, *holes: tuple[str, str, str]) -> Row:
    documents = [
        Document(
            infill(tokenizer.control, tokenizer.encode(prefix), tokenizer.encode(suffix)),
            [*tokenizer.encode(middle), tokenizer.control.fim_end],
        )
        for prefix, middle, suffix in holes
    ]
    filled = fill_rows([documents], 256, np.dtype(np.uint16))
    return Row(filled.tokens[0], filled.roles[0], filled.documents[0])


def node_texts(tokenizer: Tokenizer, row: Row, size: int) -> list[tuple[int, str]]:
    """The canvas and the text of each node found."""
    canvases = cut_canvases(row, list(segments(row, tokenizer.control)), size, tokenizer.control)
    found = finder(tokenizer).find(row, canvases)
    texts = [tokenizer.decode(canvases.tokens[canvas, first:last].tolist()) for canvas, first, last in found]
    return [(int(canvas), text.strip()) for canvas, text in zip(found[:, 0], texts, strict=True)]


def test_nodes_are_those_of_the_joined_text(tokenizer: Tokenizer):
    row = row_of(tokenizer, ("", "x = 1\n", ""), ("value = call(", "first, other(second)", ")\n"))
    texts = [text for _, text in node_texts(tokenizer, row, 64)]
    assert {"other(second)", "(second)", "second"} <= set(texts)
    # The argument list begins before the hole, so it is none of the canvas's nodes.
    assert "first, other(second)" not in texts


def test_a_node_lies_within_one_canvas(tokenizer: Tokenizer):
    row = row_of(tokenizer, ("total = ", "first_value + second_value", "\n"))
    for canvas, text in node_texts(tokenizer, row, 8):
        assert text in "first_value + second_value"
        assert canvas >= 0
    assert (0, "first_value + second_value") in node_texts(tokenizer, row, 64)
    assert "first_value + second_value" not in [text for _, text in node_texts(tokenizer, row, 8)]


def test_nodes_are_masked_as_a_whole(tokenizer: Tokenizer):
    row = row_of(tokenizer, ("total = ", "call(argument)", "\n"))
    vocabulary = max(tokenizer.ids) + 1
    how = noising(
        control=tokenizer.control,
        masking=SyntaxNodes(),
        nodes=finder(tokenizer),
        line_breaks=np.zeros(vocabulary, np.bool_),
        fully_masked=0.0,
    )
    argument = len(tokenizer.encode("argument"))
    start = len(tokenizer.encode("call("))
    together = 0
    for seed in range(200):
        noisy = noisy_row(row, 32, 64, how, np.random.default_rng(seed))
        canvas = noisy.tokens[256:][: 1 + 32]
        masked = canvas[1 + start : 1 + start + argument] == tokenizer.control.mask
        together += masked.all() or not masked.any()
    assert argument > 2
    assert together > 120
