"""A draft is what the engine answers, watched or not."""

from __future__ import annotations

import threading

from coder.api.completion import CanvasUpdate, CompletionRequest
from lsp.suggest.drafts import write_completion
from tests.lsp.scripted import CONFIDENCE, ScriptedEngine


def test_a_text_that_ends_by_itself_is_whole():
    request = CompletionRequest("total = ")
    written = write_completion(ScriptedEngine(), request, threading.Event())
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
    assert write_completion(ScriptedEngine(), request, cancelled, watch=cancel) is None
    assert len(seen) == 3
