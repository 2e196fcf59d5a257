"""What training can begin with: a stock Llama that never saw a canvas, a GGUF file, an int8 checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from coder.errors import InputError
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.convert.convert import convert, open_source
from coder.train.run import train
from coder.train.run_folder import last_checkpoint
from tests.tiny import write_tiny_checkpoint
from tests.train.lessons import write_lessons
from tests.train.runs import settings_of, weights

pytestmark = pytest.mark.slow


def stock(folder: Path) -> Path:
    """As transformers would write it."""
    convert(str(write_tiny_checkpoint(folder / "ours")), folder / "stock", to="transformers")
    file = folder / "stock" / "config.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    del settings["quickfill"]
    file.write_text(json.dumps(settings), encoding="utf-8")
    return folder / "stock"


def gguf(folder: Path) -> Path:
    convert(str(write_tiny_checkpoint(folder / "ours")), folder / "model.gguf", to="gguf", precision="f32")
    return folder / "model.gguf"


def quantized(folder: Path) -> Path:
    return write_tiny_checkpoint(folder / "int8", quantized=True)


@pytest.mark.parametrize("source", [stock, gguf, quantized])
def test_training_begins_with_any_llama(tmp_path: Path, source):
    init = source(tmp_path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    begun, _ = open_source(str(init), None, scratch)
    rows = write_lessons(tmp_path / "lessons", begun.tokenizer)
    settings = settings_of(
        tmp_path,
        data={"rows": rows, "held_out": None, "holes": None},
        model={"init": str(init)},
        budget={"max_steps": 1},
        optimizer={"rows": 2, "learning_rate": 1e-4, "frozen_embedding": True},
    )
    train(settings)
    made = open_checkpoint(str(last_checkpoint(settings.run.out)))
    assert made.config.adapted
    assert made.config.block_sizes == (4, 8)
    control = made.config.control
    matrix = "model.embed_tokens.weight"
    before, after = begun.float_tensor(matrix), weights(made.folder)[matrix]
    changed = np.flatnonzero((np.abs(after - before) > 1e-7).any(axis=1)).tolist()
    assert (
        {control.mask, control.fim_end}
        <= set(changed)
        <= {value for name, value in vars(control).items() if name != "all"}
    )
    # A base that knows no canvas has its control tokens made anew, not moved by one small step.
    assert (np.abs(after - before)[control.mask].max() > 0.01) == (not begun.config.adapted)


def test_rows_of_another_tokenizer_are_refused(tmp_path: Path):
    settings = settings_of(tmp_path)
    file = settings.data.rows / "rows.json"
    card = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**card, "vocabulary": "another"}), encoding="utf-8")
    with pytest.raises(InputError, match="another tokenizer"):
        train(settings)
