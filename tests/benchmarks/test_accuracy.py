"""The accuracy benchmark asks both runtimes the same and counts what it says it counts."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.accuracy import Answers, Document, ask, compare, comparison, project_documents
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.onnx.runtime import OnnxRuntime
from tests.tiny import open_tiny_checkpoint


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder: Path = tmp_path_factory.mktemp("tiny")
    return open_tiny_checkpoint(folder, quantized=True)


def test_comparison_gives_losses_and_the_share_of_equal_best_tokens():
    reference = Answers(np.array([1.0, 2.0], np.float32), np.array([3, 4]))
    other = Answers(np.array([1.5, 2.0], np.float32), np.array([3, 5]))
    figures = comparison(reference, other)
    assert figures == {
        "positions": 2,
        "reference_loss": 1.5,
        "loss": 1.75,
        "loss_difference": 0.25,
        "equal_top1": 0.5,
    }


@pytest.mark.parametrize("length", [40, 150, 300])
def test_each_token_that_counts_is_asked_about_once(checkpoint: Checkpoint, length: int):
    generator = np.random.default_rng(0)
    tokens = tuple(generator.integers(20, 300, length).tolist())
    answers = ask(OnnxRuntime.load(checkpoint, threads=1), [Document(tokens, first=10)], canvas_size=8)
    assert len(answers.next_token.losses) == length - 10
    assert len(answers.masked.losses) % 8 == 0
    assert np.isfinite(answers.next_token.losses).all()
    assert np.isfinite(answers.masked.losses).all()


def test_the_runtimes_are_close_and_every_kind_of_prediction_is_reported(checkpoint: Checkpoint):
    documents = project_documents(checkpoint, prefix_tokens=90, suffix_tokens=20, count=3)
    rows = compare(checkpoint, {"project": documents}, threads=1, progress=lambda stage: None)
    assert [(row["weight_bits"], row["prediction"]) for row in rows] == [
        (8, "next token"),
        (8, "masked slots"),
        (7, "next token"),
        (7, "masked slots"),
    ]
    for row in rows:
        loss_difference = row["loss_difference"]
        assert isinstance(loss_difference, float)
        assert abs(loss_difference) < 0.1
    assert rows[0]["positions"] == 3 * 90


def test_documents_do_not_overlap(checkpoint: Checkpoint):
    documents = project_documents(checkpoint, prefix_tokens=60, suffix_tokens=20, count=5)
    assert len(documents) == 5
    assert len({document.tokens for document in documents}) == 5
    assert {len(document.tokens) for document in documents} == {60 + 20 + 3}
    assert {document.first for document in documents} == {23}


def test_what_counts_is_text_that_was_written(checkpoint: Checkpoint):
    for document in project_documents(checkpoint, prefix_tokens=90, suffix_tokens=20, count=3):
        assert len(document.tokens) - document.first == 90
        assert not set(document.tokens[document.first :]) & set(checkpoint.config.control.all)
