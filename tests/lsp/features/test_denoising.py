"""Canvases as an editor sees them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.api.completion import CanvasUpdate, Slot
from lsp.documents import Document
from lsp.features.denoising import MASK, UNTOUCHED, Audience, Denoised, denoised, joined

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


class RecordingProtocol:
    """Takes an editor's place: keeps the texts of the updates that it is sent."""

    def __init__(self) -> None:
        self.msg_id = 1
        self.texts: list[str] = []

    def notify(self, method: str, update: dict[str, str]) -> None:
        self.texts.append(update["text"])


@pytest.mark.asyncio
@pytest.mark.parametrize("fixed", ["", '"""'], ids=["nothing", "quotes around it"])
async def test_the_first_update_has_a_canvas_to_draw(fixed: str):
    """The state before the first pass would suppress the canvases of an answer that is soon done."""
    protocol = RecordingProtocol()
    audience = Audience(SimpleNamespace(protocol=protocol), Document("file:///a.py", "python", 1, "x = "))  # pyright: ignore[reportArgumentType]
    audience.show(4, 4, denoised(CanvasUpdate(fixed, (), 0, 0)), 0)
    audience.show(4, 4, denoised(CanvasUpdate("", (Slot(None), Slot("1")), 1, 1)), 1)
    await asyncio.sleep(0)
    assert protocol.texts == [f"{MASK}1"]
