"""Filling several holes of one text, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from coder.completion import CanvasUpdate, Completion, CompletionRequest, EngineEvent
from coder.edits import Filled, FillEvent, FillRequest, HoleUpdate
from coder.errors import InputError
from coder.hole_borders import fitted, indentation
from coder.job import Cancellation, unstarted

Stream = Callable[[CompletionRequest, Cancellation], Generator[EngineEvent, None, None]]
"""`Engine.stream`."""


def fill_in_turn(stream: Stream, request: FillRequest, cancelled: Cancellation) -> Iterator[FillEvent]:
    """Each hole sees the answers before it and, as if the holes behind it were empty, all text behind it.

    The time that is left is divided evenly among the holes that are.

    Raises:
        InputError: a text without a hole.
    """
    require_holes(request)
    started = time.monotonic()
    answers: list[Completion] = []
    for hole in range(len(request.texts) - 1):
        left = None
        if request.deadline_ms is not None:
            left = (request.deadline_ms - 1000.0 * (time.monotonic() - started)) / (len(request.texts) - 1 - hole)
        if left is not None and left <= 0.0:
            answers.append(unstarted("deadline", request.policy))
            continue
        yield from _fill_one(stream, request, answers, left, cancelled)
    yield filled(request, answers, joint=False, seconds=time.monotonic() - started)


def _fill_one(
    stream: Stream,
    request: FillRequest,
    answers: list[Completion],
    deadline_ms: float | None,
    cancelled: Cancellation,
) -> Iterator[HoleUpdate]:
    """Fill the first hole that has no answer yet, and append it."""
    hole = len(answers)
    asked = one_hole(request, [answer.text for answer in answers], deadline_ms)
    indent = indentation(asked.prefix, asked.suffix)
    asked = replace(asked, prefix=asked.prefix.removesuffix(indent))
    for event in stream(asked, cancelled):
        if isinstance(event, Completion):
            line_behind = asked.suffix.partition("\n")[0]
            answers.append(replace(event, text=fitted(event.text, indent, request.texts[hole + 1], line_behind)))
            event = CanvasUpdate(answers[-1].text, (), event.passes, event.tokens)
        yield HoleUpdate(hole, event)


def one_hole(request: FillRequest, answers: Sequence[str], deadline_ms: float | None) -> CompletionRequest:
    """What is asked about the first hole that has no answer yet."""
    before, after = request.texts[: len(answers) + 1], request.texts[len(answers) + 1 :]
    return CompletionRequest(
        prefix=joined(before, answers),
        suffix="".join(after),
        path=request.path,
        language=request.language,
        policy=request.policy,
        canvas_size=request.canvas_size,
        max_tokens=request.max_tokens,
        temperature=request.temperature,
        top_p=request.top_p,
        seed=request.seed,
        deadline_ms=deadline_ms,
        workspace=request.workspace,
        replace_brackets=False,
        constraints=request.constraints,
    )


def filled(request: FillRequest, answers: Sequence[Completion], joint: bool, seconds: float) -> Filled:
    """The answer of a whole request."""
    passes = answers[0].passes if joint else sum(answer.passes for answer in answers)
    text = joined(request.texts, [answer.text for answer in answers])
    return Filled(text, tuple(answers), joint, passes, seconds)


def joined(texts: Sequence[str], answers: Sequence[str]) -> str:
    """The texts with an answer between each two of them."""
    return "".join(part for pair in zip_longest(texts, answers, fillvalue="") for part in pair)


def require_holes(request: FillRequest) -> None:
    if len(request.texts) < 2:
        raise InputError("there is no hole: a text with n holes is given as the n + 1 texts around them")
