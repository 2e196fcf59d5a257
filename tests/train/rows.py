"""Rows to train on that hold a bit of everything."""

from __future__ import annotations

import numpy as np
from numpy.random import default_rng

from coder.diffusion.schedules import LinearSchedule
from coder.model.checkpoint.config import ControlTokens
from coder.train.masking import Independent
from coder.train.noisy_rows import Noising
from coder.train.packed_rows import Document, Row, fill_rows

CONTROL = ControlTokens(0, 3, 5, 8, 9, 11, 12, 13, 14, 15, 16, tuple(range(17)))
VOCABULARY = 60


def words(count: int, seed: int) -> list[int]:
    """Ordinary tokens."""
    return default_rng(seed).integers(17, VOCABULARY, count).tolist()


def infilling(suffix: int, prefix: int, middle: int, seed: int, ends: bool = True) -> Document:
    """A document of so many tokens in each part; the end token is not counted."""
    context = [CONTROL.fim_suffix, *words(suffix, seed), CONTROL.fim_prefix, *words(prefix, seed + 1)]
    return Document(context, words(middle, seed + 2) + [CONTROL.fim_end] * ends)


def mixed_row(row_length: int = 96) -> Row:
    """Three holes, one without a suffix and one that is cut, and padding behind them."""
    documents = [infilling(5, 9, 13, 0), infilling(0, 4, 2, 10), infilling(3, 2, 19, 20, ends=False)]
    filled = fill_rows([documents], row_length, np.dtype(np.uint16))
    return Row(filled.tokens[0], filled.roles[0], filled.documents[0])


def noising(**changes) -> Noising:
    """Every slot by itself, nothing wrong, middles only, unless changed."""
    plain = {
        "control": CONTROL,
        "schedule": LinearSchedule(),
        "masking": Independent(),
        "line_breaks": np.zeros(VOCABULARY, np.bool_),
    }
    return Noising(**plain | changes)
