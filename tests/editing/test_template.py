"""Templates: what is fixed stays, what is free is filled."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Constraints, Decoding, Template
from coder.diffusion.events import Statistics
from coder.editing.template import free_parts, total
from coder.engine.engine import Engine
from coder.errors import InputError

MARK = "<fill>"
PREFIX, SUFFIX = "def add(first, second):\n    ", "\n\nclass Point:\n"


def test_a_template_is_text_with_marks():
    assert Template.parse("sorted(<fill>, key=<fill>)", MARK).texts == ("sorted(", ", key=", ")")
    assert Template.parse("_ + 1", "_").texts == ("", " + 1")
    for text, mark in (("sorted()", MARK), ("x", "")):
        with pytest.raises(InputError):
            Template.parse(text, mark)


fixed_texts = st.lists(st.text(st.sampled_from("ab (=,)\n"), max_size=6), min_size=2, max_size=4)


@given(fixed_texts, st.sampled_from(["autoregressive", "threshold:0.5", "verified"]))
def test_fixed_text_stays_and_free_parts_are_one_line(engine: Engine, texts: list[str], policy: str):
    template = Template(tuple(texts))
    request = CompletionRequest(PREFIX, SUFFIX, template=template, decoding=Decoding(policy=policy, max_tokens=4))
    answer = engine.complete(request)
    assert re.fullmatch("[^\n]*".join(map(re.escape, texts)), answer.text)
    assert answer.replaces == 0


def test_a_stream_shows_what_is_fixed_with_what_is_written(engine: Engine):
    template = Template(("first(", ", ", ")"))
    request = CompletionRequest(
        PREFIX, SUFFIX, template=template, decoding=Decoding(policy="threshold:0.5", max_tokens=6)
    )
    *updates, answer = engine.stream(request)
    assert isinstance(answer, Completion)
    assert updates and all(isinstance(update, CanvasUpdate) and "first(" in update.settled for update in updates)
    passes = [update.passes for update in updates if isinstance(update, CanvasUpdate)]
    assert passes == sorted(passes)


def test_free_parts_keep_the_constraints_and_are_one_line_unless_these_say_more():
    template = Template(("a", "b"))
    request = CompletionRequest(
        "x ", " y", template=template, constraints=Constraints(without=","), decoding=Decoding(seed=4)
    )
    asked = free_parts(request)
    assert (asked.texts, asked.decoding.seed) == (("x a", "b y"), 4)
    assert asked.constraints == Constraints(max_lines=1, without=",")
    lines = Constraints(min_lines=2, max_lines=3)
    assert free_parts(CompletionRequest("", template=template, constraints=lines)).constraints == lines


def test_samples_are_refused(engine: Engine):
    with pytest.raises(InputError, match="samples"):
        engine.complete(CompletionRequest(PREFIX, template=Template(("a", "b")), samples=2))


def test_costs_add_up_and_confidence_is_a_mean_over_tokens():
    parts = [
        Statistics("p", 1, canvas_passes=2, commit_passes=1, canvas_seconds=1.0, mean_confidence=0.4),
        Statistics("p", 3, canvas_passes=1, prefill_tokens=5, canvas_seconds=0.5, mean_confidence=0.8),
    ]
    added = total(parts)
    assert added.mean_confidence == pytest.approx(0.7)
    costs = Statistics("p", 4, prefill_tokens=5, canvas_passes=3, commit_passes=1, canvas_seconds=1.5)
    assert replace(added, mean_confidence=0.0) == costs
    assert total([Statistics("p")]).mean_confidence == 0.0
