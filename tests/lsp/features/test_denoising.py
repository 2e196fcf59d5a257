"""Canvases as an editor sees them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coder.api.completion import CanvasUpdate, Slot
from lsp.features.denoising import MASK, UNTOUCHED, Denoised, denoised, joined

TEXTS = st.text("ab😋\n", max_size=3)
PARTS = st.one_of(TEXTS.map(Denoised), st.just(UNTOUCHED))


def test_a_masked_slot_is_one_shaded_block():
    update = CanvasUpdate("a ", (Slot(None), Slot(None), Slot("b"), Slot(None)), 2, 3)
    assert denoised(update) == Denoised("a ░░b░", ((2, 4), (5, 6)))
    assert denoised(update).slots == 3


@given(st.lists(PARTS, max_size=8))
def test_joined_parts_keep_their_text_and_their_masks(parts: list[Denoised]):
    whole = joined(parts)
    assert whole.text == "".join(part.text for part in parts)
    assert whole.slots == sum(part.slots for part in parts)
    assert all(set(whole.text[start:end]) == {MASK} for start, end in whole.masked)


@given(st.lists(PARTS, max_size=8))
def test_spans_are_in_order_and_apart(parts: list[Denoised]):
    borders = [border for span in joined(parts).masked for border in span]
    assert borders == sorted(set(borders))
