"""The model is stopped when what it writes goes past what will be shown."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from coder.api.completion import CanvasUpdate, CompletionRequest, EngineEvent, Slot
from coder.postprocess.chain import PostprocessContext
from coder.postprocess.context import Mode
from lsp.suggest.drafts import ModelText, is_more_than_shown, write_text
from tests.lsp.scripted import CONFIDENCE, ScriptedEngine


def around(prefix: str, mode: Mode = "block", suffix: str = "\n") -> PostprocessContext:
    return PostprocessContext(prefix, suffix, "python", mode)


@pytest.mark.parametrize(
    ("text", "prefix", "mode", "over"),
    [
        ("1 + ", "x = ", "line", False),
        ("1 + 2\n", "x = ", "line", True),
        ("\n    return 1\n", "def f():", "block", False),
        ("\n    return 1\n\n\ndef ", "def f():", "block", True),
        ("return 1\nx", "def f():\n    ", "block", False),
        ("return 1\nx =", "def f():\n    ", "block", True),
        ("if a:\n        b()\n    el", "def f():\n    ", "block", False),
        ("if a:\n        b()\n    else:", "def f():\n    ", "block", False),
    ],
)
def test_when_enough_is_written(text, prefix, mode, over):
    assert is_more_than_shown(text, around(prefix, mode)) == over


class TwoCanvases(ScriptedEngine):
    """Yields canvases with gaps, and notices when nobody wants more."""

    left = False

    def stream(
        self, request: CompletionRequest, cancelled: threading.Event | None = None
    ) -> Generator[EngineEvent, None, None]:
        try:
            yield CanvasUpdate("a = ", (Slot("1", 0.5), Slot(None), Slot("\n", 0.9)), 1, 3, 0.9)
            yield CanvasUpdate("a = ", (Slot("1", 0.5), Slot("0", 0.7), Slot("\n", 0.9)), 2, 3, 0.9)
            raise AssertionError("one more pass than needed")
        except GeneratorExit:
            self.left = True
            raise


def test_fixed_slots_count_as_written_up_to_the_first_gap():
    engine = TwoCanvases()
    written = write_text(engine, CompletionRequest("x\n"), around("x\n", "line"), threading.Event())
    assert written == ModelText("a = 10\n", (3 * 0.9 + 0.5 + 0.7 + 0.9) / 6, 6, "end")
    assert engine.left


@pytest.mark.parametrize(
    ("indentation", "text"), [("", "    return first + second"), ("    ", "return first + second"), ("\t", "")]
)
def test_a_text_begins_with_the_indentation_that_is_there(indentation, text):
    request = CompletionRequest("def add(first, second):\n")
    engine, context = ScriptedEngine(), around(f"{request.prefix}{indentation}")
    written = write_text(engine, request, context, threading.Event(), indentation=indentation)
    assert written is not None and written.text == text


def test_a_text_that_ends_by_itself_is_whole():
    request = CompletionRequest("total = ")
    written = write_text(ScriptedEngine(), request, around(request.prefix), threading.Event())
    assert written is not None
    assert (written.text, written.confidence, written.finish_reason) == ("sum(values)", CONFIDENCE, "end")


def test_a_cancelled_request_has_no_text():
    cancelled = threading.Event()
    seen = []

    def cancel(update: CanvasUpdate) -> None:
        seen.append(update)
        if len(seen) == 3:
            cancelled.set()

    request = CompletionRequest("endless = ")
    assert write_text(ScriptedEngine(), request, around("endless = "), cancelled, watch=cancel) is None
    assert len(seen) == 3
