"""Several holes of a text: filled one after the other, or in one stream by a checkpoint that has learned it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.api.completion import Completion, CompletionRequest, Constraints, Decoding, Score, TokenScore, Where
from coder.api.text_requests import Filled, FillEvent, FillRequest, HoleUpdate
from coder.diffusion.events import Statistics
from coder.editing.fill import FillingModel, Likelihoods, fill_in_turn, joined
from coder.engine.engine import Engine
from coder.errors import InputError
from coder.generation.completing import fitting_of
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.onnx.runtime import OnnxRuntime
from coder.model.runtime import Cache, Pass, Predictions, TokenBias
from tests.tiny import write_tiny_checkpoint

TEXTS = ("def add(first, second):\n    ", "\n\n\nclass Point:\n    x = ", "\n    y = 2\n\n\nprint(", ")\n")
POLICIES = ["auto", "autoregressive", "verified", "threshold:0.5", "fixed"]


class Eager(OnnxRuntime):
    """Often wants to go on to the next hole, or to end."""

    def forward(self, cache: Cache, request: Pass) -> Predictions:
        control, rows = self.config.control, np.arange(len(request.wanted))
        for token, value in ((control.hole, 7.0), (control.fim_end, 7.0)):
            eager = TokenBias(rows, np.full(len(rows), token), np.full(len(rows), value, np.float32))
            request = replace(request, bias=request.bias.joined(eager))
        return super().forward(cache, request)


@pytest.fixture(scope="module")
def able(tmp_path_factory: pytest.TempPathFactory, own_cache_folder: Path) -> Iterator[Engine]:
    """A checkpoint that has learned to fill several holes at once."""
    folder = write_tiny_checkpoint(tmp_path_factory.mktemp("able"), seed=1)
    config = json.loads((folder / "config.json").read_text())
    config["quickfill"]["abilities"]["holes"] = True
    (folder / "config.json").write_text(json.dumps(config))
    checkpoint = open_checkpoint(str(folder))
    runtime = OnnxRuntime.load(checkpoint, threads=1)
    runtime.__class__ = Eager
    engine = Engine(runtime, checkpoint, str(folder))
    yield engine
    engine.close()


def check(request: FillRequest, events: list[FillEvent]) -> Filled:
    """What holds for every fill."""
    *updates, filled = events
    assert isinstance(filled, Filled)
    assert len(filled.middles) == len(request.texts) - 1
    assert filled.text == joined(request.texts, [middle.text for middle in filled.middles])
    assert filled.passes >= max(middle.passes for middle in filled.middles)
    last: dict[int, HoleUpdate] = {}
    for update in updates:
        assert isinstance(update, HoleUpdate)
        assert 0 <= update.hole < len(filled.middles)
        last[update.hole] = update
    assert all(not update.canvas.slots for update in last.values())
    assert {hole: update.canvas.settled for hole, update in last.items()} == {
        hole: filled.middles[hole].text for hole in last
    }
    return filled


@pytest.mark.parametrize("policy", POLICIES)
def test_every_hole_is_filled_and_all_else_stays(engine: Engine, policy: str):
    request = FillRequest(TEXTS, decoding=Decoding(policy=policy, max_tokens=8))
    events = list(engine.stream_fill(request))
    filled = check(request, events)
    assert not filled.joint
    holes = [event.hole for event in events if isinstance(event, HoleUpdate)]
    assert holes == sorted(holes) and set(holes) == {0, 1, 2}
    assert engine.fill(request).text == filled.text


@given(st.lists(st.text(max_size=30), min_size=2, max_size=4))
def test_any_texts_can_be_filled(engine: Engine, texts: list[str]):
    request = FillRequest(tuple(texts), decoding=Decoding(max_tokens=3))
    check(request, list(engine.stream_fill(request)))


def test_each_hole_sees_the_answers_before_it_and_the_text_behind_it_to_the_next_hole():
    asked: list[CompletionRequest] = []
    filled = fill_with(
        ["first", "second"],
        FillRequest(("a ", "\nb ", "\nc"), where=Where(language="ruby"), decoding=Decoding(seed=3)),
        asked,
    )
    assert filled.text == "a first\nb second\nc"
    assert [(request.prefix, request.suffix) for request in asked] == [("a", "\nb "), ("a first\nb", "\nc")]
    assert {(request.where.language, request.decoding.seed) for request in asked} == {("ruby", 3)}


def test_a_hole_alone_on_its_line_begins_with_the_line():
    asked: list[CompletionRequest] = []
    texts = ("if x:\n    ", "\n    y = 1\n")
    assert fill_with(["    return x"], FillRequest(texts), asked).text == "if x:\n    return x\n    y = 1\n"
    assert asked[0].prefix == "if x:\n"
    assert fill_with(["return x"], FillRequest(texts), asked).text == "if x:\n    return x\n    y = 1\n"


def test_what_follows_the_hole_is_not_written_twice():
    texts = ("x = max(", ", key=len)\n")
    assert fill_with(["words, key=len)\n"], FillRequest(texts)).text == "x = max(words, key=len)\n"
    texts = ("def f(x):\n", "\n    return x\n")
    assert fill_with(["    x += 1\n    return x"], FillRequest(texts)).text == "def f(x):\n    x += 1\n    return x\n"


@pytest.mark.parametrize(
    ("texts", "answers", "text"),
    [
        (("f(\n    ", "\n)\n"), ["a, b)"], "f(\n    a, b\n)\n"),  # the bracket behind it is enough
        (("x = f(", "\ny = 1\n"), ["a, b)"], "x = f(a, b)\ny = 1\n"),  # there is none
        (("f([\n", "\n], [", "\n])\n"), ["a]", "b)]"], "f([\na\n], [b\n])\n"),
    ],
)
def test_a_bracket_is_closed_once(texts, answers, text):
    assert fill_with(answers, FillRequest(texts, where=Where(language="python"))).text == text


def test_a_hole_inside_a_line_ends_where_the_rest_of_the_line_goes_on_best():
    def score(prefix: str, suffix: str, middle: str) -> Score:
        assert (prefix, suffix) == ("for", "\n    print(x)\n")
        return Score(-1.0 if middle == " x in items:" else -9.0, -1.0, 3)

    texts = ("for ", " in items:\n    print(x)\n")
    assert fill_with([" x of things"], FillRequest(texts), score=score).text == "for x in items:\n    print(x)\n"


def test_an_end_that_breaks_the_statement_is_not_tried():
    def score(prefix: str, suffix: str, middle: str) -> Score:
        return Score({" key=lambda x": -1.0, " key=lambda x: x[0]": -2.0}.get(middle.partition(",")[0], -9.0), -1.0, 3)

    request = FillRequest(("print(sorted(words, ", ", reverse=True))\n"), where=Where(language="python"))
    filled = fill_with([" key=lambda x: x[0], reverse=True))"], request, score=score)
    assert filled.text == "print(sorted(words, key=lambda x: x[0], reverse=True))\n"


def test_an_end_is_tried_only_where_the_model_might_go_on_with_the_rest_of_the_line():
    tried = []

    def score(prefix: str, suffix: str, middle: str) -> Score:
        tried.append(middle)
        return Score(-1.0, -1.0, 3)

    def goes_on_behind_the_first_word(prefix: str, suffix: str, text: str) -> list[TokenScore]:
        return [TokenScore(0, 2, -1.0, ((" in", -1.0),)), TokenScore(2, 5, -1.0, ((" in", -2.0), (" of", -1.0)))]

    texts = ("for ", " in items:\n    print(x)\n")
    fill_with([" x of all things"], FillRequest(texts), score=score, score_tokens=goes_on_behind_the_first_word)
    assert tried == [" x in items:", " x of all things in items:"]


def anything_may_follow(prefix: str, suffix: str, text: str) -> list[TokenScore]:
    """A token a character, and behind each of them what the tests go on with."""
    alternatives = tuple((beginning, -1.0) for beginning in (" in", ",", ")"))
    return [TokenScore(index, index + 1, -1.0, alternatives) for index in range(len(text))]


def fill_with(
    answers: list[str],
    request: FillRequest,
    asked: list[CompletionRequest] | None = None,
    score=None,
    score_tokens=anything_may_follow,
) -> Filled:
    """Fill with a model that says `answers`, one after the other."""
    remaining = iter(answers)

    def stream(request: CompletionRequest, cancelled: object) -> Iterator[Completion]:
        fitting = fitting_of(request)
        if asked is not None:
            asked.append(fitting.asked if fitting else request)
        completion = Completion(next(remaining), "end", 0, 0.0, Statistics("none", 1))
        if fitting and fitting.is_elsewhere(completion.text):
            fitting = fitting.with_blanks_shown()
        yield fitting.completion(completion, None) if fitting else completion

    def likelier_if_short(prefix: str, suffix: str, middle: str) -> Score:
        return Score(-float(len(middle)), 0.0, 1)

    likelihoods = Likelihoods(score or likelier_if_short, score_tokens)
    model = FillingModel(stream, likelihoods)  # type: ignore[arg-type]
    *_, filled = fill_in_turn(model, request, threading.Event())
    assert isinstance(filled, Filled)
    return filled


def test_a_text_of_an_unknown_language_is_filled_and_completed_like_any_other(engine: Engine):
    filled = engine.fill(
        FillRequest(TEXTS, where=Where(path="notes.unknown", language="klingon"), decoding=Decoding(max_tokens=4))
    )
    assert filled.text.startswith(TEXTS[0])
    request = CompletionRequest(TEXTS[0], where=Where(path="notes.unknown"), decoding=Decoding(max_tokens=4))
    assert engine.complete(replace(request, syntax_rounds=3)).text == engine.complete(request).text


def test_constraints_hold_for_every_hole(engine: Engine):
    constraints = Constraints(max_characters=4, without="e")
    filled = engine.fill(FillRequest(TEXTS, constraints=constraints, decoding=Decoding(max_tokens=12)))
    assert all(len(middle.text) <= 4 and "e" not in middle.text for middle in filled.middles)


def test_a_deadline_counts_for_all_holes_together(engine: Engine):
    filled = engine.fill(FillRequest(TEXTS, decoding=Decoding(deadline_ms=1e-3)))
    assert [middle.finish_reason for middle in filled.middles] == ["deadline"] * 3
    assert filled.text == "".join(TEXTS)


def test_a_cancelled_fill_answers_with_what_there_is(engine: Engine, able: Engine):
    cancelled = threading.Event()
    cancelled.set()
    for model in (engine, able):
        filled = model.fill(FillRequest(TEXTS), cancelled)
        assert [middle.finish_reason for middle in filled.middles][1:] == ["cancelled"] * 2


def test_who_cancels_ends_the_whole_fill(engine: Engine):
    cancelled = threading.Event()
    fill = engine.stream_fill(FillRequest(TEXTS, decoding=Decoding(max_tokens=100, policy="autoregressive")), cancelled)
    next(fill)
    cancelled.set()
    *_, filled = fill
    assert isinstance(filled, Filled)
    assert [middle.finish_reason for middle in filled.middles][1:] == ["cancelled"] * 2


@pytest.mark.parametrize("request_", [FillRequest(("only",)), FillRequest(TEXTS, decoding=Decoding(max_tokens=0))])
def test_what_cannot_be_filled_is_refused_and_the_engine_lives_on(engine: Engine, request_: FillRequest):
    with pytest.raises(InputError):
        engine.fill(request_)
    assert engine.fill(FillRequest(("a", "b"), decoding=Decoding(max_tokens=2))).middles


@pytest.mark.parametrize("policy", POLICIES)
def test_one_stream_answers_every_hole(able: Engine, policy: str):
    request = FillRequest(TEXTS, decoding=Decoding(policy=policy, max_tokens=30))
    events = list(able.stream_fill(request))
    filled = check(request, events)
    assert filled.joint
    assert {event.hole for event in events if isinstance(event, HoleUpdate)} == {0, 1, 2}
    assert [middle.finish_reason for middle in filled.middles] == ["end"] * 3
    assert all("<|" not in middle.text for middle in filled.middles)


def test_holes_of_one_canvas_are_denoised_together(able: Engine):
    """One canvas holds all answers, and a step fixes slots of several of them."""
    request = FillRequest(("a", "b", "c"), decoding=Decoding(policy="fixed:1", canvas_size=8))
    updates = [event for event in able.stream_fill(request) if isinstance(event, HoleUpdate)]
    shown = [update for update in updates if update.canvas.passes == 1]
    assert {update.hole for update in shown} == {0, 1}


def test_where_the_tokens_are_spent_the_last_answers_are_unfinished(able: Engine):
    request = FillRequest(("a", "b", "c", "d"), decoding=Decoding(max_tokens=1, policy="autoregressive"))
    filled = check(request, list(able.stream_fill(request)))
    assert sum(middle.tokens for middle in filled.middles) <= 5
    reasons = [middle.finish_reason for middle in filled.middles]
    assert reasons == sorted(reasons, key=["end", "length"].index)


def test_holes_too_far_apart_for_one_prompt_are_filled_in_turn(able: Engine):
    assert not able.fill(FillRequest(("a", "far = away\n" * 500, "b"), decoding=Decoding(max_tokens=2))).joint
    assert not able.fill(
        FillRequest(("a", "b", "c"), constraints=Constraints(max_lines=1), decoding=Decoding(max_tokens=2))
    ).joint
    assert able.fill(FillRequest(("a" * 5000, "b", "c" * 5000), decoding=Decoding(max_tokens=2))).joint
