"""A draft is what the engine answers, watched or not."""

from __future__ import annotations

import threading
from dataclasses import replace

from coder.api.completion import CanvasUpdate, CompletionRequest
from lsp.settings import Settings
from lsp.suggest.drafts import SuggestionQuery, drafts, write_completion
from tests.lsp.places import cursor_at
from tests.lsp.scripted import CONFIDENCE, ScriptedEngine
from tests.scripted import completion


def test_a_text_that_ends_by_itself_is_whole():
    request = CompletionRequest("total = ")
    written = write_completion(ScriptedEngine(), request, threading.Event())
    assert written is not None
    assert (written.text, written.confidence, written.finish_reason) == ("sum(values)", CONFIDENCE, "end")


class Slow(ScriptedEngine):
    """Writes a part in less than a second, all in more."""

    def stream(self, request, cancelled=None):
        self.requests.append(request)
        late = not request.decoding.seed and (request.decoding.deadline_ms or 60_000) < 1000
        yield completion("a +" if late else f"a + {request.decoding.seed}", "deadline" if late else "end")


def drafted(question: SuggestionQuery) -> list[tuple[str, bool]]:
    found = drafts(Slow(), question, threading.Event())
    return [(draft.completion.text, draft.likeliest) for draft in found]


def test_who_asks_gets_what_is_soon_written_then_all_of_it_then_others():
    settings = Settings(alternatives=2)
    asked = SuggestionQuery(cursor_at("x = |"), settings, invoked=True)
    assert drafted(asked) == [("a +", True), ("a + 0", True), ("a + 1", False), ("a + 2", False)]
    assert drafted(replace(asked, invoked=False)) == [("a + 0", True)]
    assert drafted(replace(asked, watch=lambda update: None))[0] == ("a + 0", True)


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
