"""Canvases as they are cut: whole, from middles alone, with the last token before them as their anchor."""

from __future__ import annotations

import numpy as np
import pytest

from coder.train.canvases import BEHIND_THE_END, cut_canvases, segments
from coder.train.packed_rows import Row, fill_rows
from tests.train.rows import CONTROL, infilling, mixed_row


def row_of(*documents, row_length: int = 96) -> Row:
    filled = fill_rows([documents], row_length, np.dtype(np.uint16))
    return Row(filled.tokens[0], filled.roles[0], filled.documents[0])


def cut(row: Row, size: int, middles_only: bool = True):
    return cut_canvases(row, list(segments(row, CONTROL, middles_only)), size, CONTROL)


def test_a_canvas_is_whole_however_short_the_middle():
    document = infilling(3, 4, 2, 0)
    canvases = cut(row_of(document), 8)
    assert canvases.tokens.tolist() == [[document.context[-1], *document.middle, *[CONTROL.fim_end] * 5]]
    assert canvases.known.tolist() == [8]
    assert canvases.anchors.tolist() == [len(document.context) - 1]


def test_slots_behind_the_end_count_less_and_the_anchor_nothing():
    canvases = cut(row_of(infilling(3, 4, 2, 0)), 8)
    assert canvases.counts.tolist() == [[0.0, 1.0, 1.0, 1.0, *[BEHIND_THE_END] * 5]]


def test_the_next_canvas_goes_on_where_the_last_one_ended():
    document = infilling(3, 4, 9, 0)
    canvases = cut(row_of(document), 4)
    assert canvases.tokens[:, 1:].reshape(-1).tolist() == [*document.middle, CONTROL.fim_end, CONTROL.fim_end]
    assert canvases.tokens[1:, 0].tolist() == canvases.tokens[:-1, -1].tolist()


def test_a_middle_that_ends_with_its_canvas_needs_no_further_one():
    assert len(cut(row_of(infilling(3, 4, 7, 0)), 8)) == 1


def test_nothing_is_known_behind_a_middle_that_is_cut():
    canvases = cut(row_of(infilling(3, 4, 6, 0, ends=False)), 4)
    assert canvases.known.tolist() == [4, 2]
    assert canvases.counts[1].tolist() == [0.0, 1.0, 1.0, 0.0, 0.0]


def test_documents_that_touch_are_told_apart():
    first, second = infilling(1, 1, 3, 0), infilling(1, 1, 3, 5)
    canvases = cut(row_of(first, second), 4)
    assert canvases.tokens[:, 1:].tolist() == [list(first.middle), list(second.middle)]


@pytest.mark.parametrize("size", [1, 4, 8, 64])
def test_every_token_of_a_middle_is_in_one_canvas(size: int):
    row = mixed_row()
    canvases = cut(row, size)
    assert (canvases.counts == 1.0).sum() == (row.roles == 2).sum()


def test_prefixes_are_learned_too_where_everything_is_and_suffixes_never():
    document = infilling(5, 9, 3, 0)
    row = row_of(document)
    canvases = cut(row, 4, middles_only=False)
    prefix = document.context[7:]
    assert canvases.tokens[:3, 0].tolist() == [CONTROL.fim_prefix, prefix[3], prefix[7]]
    assert canvases.tokens[:3, 1:][canvases.counts[:3, 1:] > 0].tolist() == prefix
    assert canvases.known.tolist() == [4, 4, 1, 4]


def test_a_row_of_padding_has_no_canvas():
    assert len(cut(row_of(), 8)) == 0
