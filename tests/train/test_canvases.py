"""Canvases: whole, at anchors all over the region, with weights as the settings say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.train.canvases import draw_canvases
from coder.train.settings import ObjectiveSettings

END = 0
OBJECTIVE = ObjectiveSettings(canvas_sizes=(4, 8))


def region(length: int) -> np.ndarray:
    return np.append(np.arange(100, 99 + length), END)


@given(st.integers(2, 90), st.integers(0, 10**6), st.booleans())
def test_every_canvas_is_whole_and_holds_what_follows_its_anchor(length: int, seed: int, ends: bool):
    tokens = region(length) if ends else np.arange(100, 100 + length)
    canvases = list(draw_canvases(tokens, END if ends else None, OBJECTIVE, np.random.default_rng(seed)))
    assert {len(canvas.tokens) for canvas in canvases} <= {4, 8}
    assert len({len(canvas.tokens) for canvas in canvases}) <= 1
    anchors = [canvas.anchor for canvas in canvases]
    assert anchors == sorted(set(anchors)) and all(anchor < length - 1 for anchor in anchors)
    for canvas in canvases:
        follows = tokens[canvas.anchor + 1 : canvas.anchor + 1 + len(canvas.tokens)]
        assert canvas.real == len(follows)
        assert canvas.tokens[: canvas.real].tolist() == follows.tolist()
        assert canvas.masked.any()
        weights = canvas.weights(END if ends else -1, OBJECTIVE)
        assert not weights[~canvas.masked].any()
        if ends:
            assert (canvas.tokens[canvas.real :] == END).all()
        else:
            assert canvas.masked[canvas.real :].all() and not weights[canvas.real :].any()


def test_a_fully_masked_canvas_weighs_near_slots_and_the_end():
    objective = ObjectiveSettings(canvas_sizes=(4,), fully_masked=1.0, near_weight=0.5, end_weight=3.0)
    drawn = (next(draw_canvases(region(3), END, objective, np.random.default_rng(seed))) for seed in range(50))
    first = next(canvas for canvas in drawn if canvas.anchor == 0)
    assert first.level == 1.0
    assert first.tokens.tolist() == [101, END, END, END]
    assert first.weights(END, objective).tolist() == pytest.approx([1.0, 1.5, 0.025, 0.0125])


def test_sizes_levels_and_distances_follow_the_settings():
    objective = ObjectiveSettings(canvas_sizes=(4, 4, 8), fully_masked=0.5, spacing=0.5)
    drawn = [list(draw_canvases(region(50), END, objective, np.random.default_rng(seed))) for seed in range(400)]
    sizes = np.array([len(canvases[0].tokens) for canvases in drawn if canvases])
    assert (sizes == 4).mean() == pytest.approx(2 / 3, abs=0.08)
    every = [canvas for canvases in drawn for canvas in canvases]
    assert np.mean([canvas.level == 1.0 for canvas in every]) == pytest.approx(0.5, abs=0.05)
    gaps = [np.diff([canvas.anchor for canvas in canvases]).mean() for canvases in drawn if len(canvases) > 2]
    assert 2.0 < np.mean(gaps) < 4.5
    partly = [canvas for canvas in every if canvas.level < 1.0]
    assert np.mean([canvas.masked.mean() for canvas in partly]) == pytest.approx(
        np.mean([canvas.level for canvas in partly]), abs=0.05
    )
    assert max(canvas.weights(END, objective).max() for canvas in partly) <= 3.0 * objective.end_weight


def test_a_long_region_has_no_more_canvases_than_a_short_one():
    counts = {
        length: np.mean(
            [len(list(draw_canvases(region(length), END, OBJECTIVE, np.random.default_rng(s)))) for s in range(60)]
        )
        for length in (60, 240)
    }
    assert counts[240] < 1.6 * counts[60]
