"""Filling several holes at once: one stream of answers, for checkpoints that have learned it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from coder.api.completion import CanvasUpdate, Completion
from coder.api.streams import Cancellation, Job, unstarted
from coder.api.text_requests import FillEvent, FillRequest, HoleUpdate, redecoded
from coder.diffusion.events import Committed, Event, Finished, Prefilled, Step
from coder.editing.fill import filled, one_hole
from coder.generation.decoding import complete_lines, slots_of
from coder.model.checkpoint.tokens import Tokenizer, split_answers, whole_characters

JointEvent = HoleUpdate | tuple[Completion, ...]
"""Updates of holes, then an answer for each."""


def joint_job(request: FillRequest, cancelled: Cancellation) -> Job[JointEvent]:
    """Return all holes as one request; between two answers stands a token more."""
    most_tokens = (len(request.texts) - 1) * (request.decoding.max_tokens + 1) - 1
    return Job(redecoded(one_hole(request, (), request.decoding.deadline_ms), max_tokens=most_tokens), cancelled)


def jointly_filled(request: FillRequest, events: Iterable[JointEvent], started: float) -> Iterator[FillEvent]:
    """Yield the updates of a job that was `started` at that time, then the filled text."""
    answers = (unstarted("cancelled", request.decoding.policy),) * (len(request.texts) - 1)
    for event in events:
        if isinstance(event, HoleUpdate):
            yield event
        else:
            answers = event
    yield filled(request, answers, joint=True, seconds=time.monotonic() - started)


def hole_updates(events: Iterable[Event], tokenizer: Tokenizer, holes: int) -> Iterator[JointEvent]:
    """Yield an update for every hole that a pass touched; at last an answer for each.

    Of a run that was stopped early the answers behind the last one begun are empty.
    """
    settled: list[int] = []
    settled_confidences: list[float] = []
    confidences: dict[int, float] = {}
    passes = 0
    for event in events:
        match event:
            case Prefilled():
                yield HoleUpdate(0, CanvasUpdate("", (), 0, 0))
            case Step(canvas, newly_unmasked, probabilities):
                passes += 1
                confidences |= dict(zip(newly_unmasked, probabilities, strict=True))
                yield from _of_canvas(settled, canvas, newly_unmasked, confidences, passes, tokenizer)
            case Committed(tokens, probabilities):
                first = settled.count(tokenizer.control.hole)
                settled.extend(tokens)
                settled_confidences.extend(probabilities)
                passes, confidences = passes + (not confidences), {}
                for hole, answer in enumerate(_split(settled, tokenizer)[first:], first):
                    yield HoleUpdate(hole, CanvasUpdate(whole_characters(answer, tokenizer), (), passes, len(answer)))
            case Finished():
                yield _answers(event, settled, settled_confidences, tokenizer, holes)


def _of_canvas(
    settled: Sequence[int],
    canvas: tuple[int, ...],
    new: tuple[int, ...],
    confidences: dict[int, float],
    passes: int,
    tokenizer: Tokenizer,
) -> Iterator[HoleUpdate]:
    """Yield the canvas, cut where one answer ends and the next begins."""
    slots = slots_of(canvas, new, confidences, tokenizer)
    breaks = [index for index, token in enumerate(canvas[: len(slots)]) if token == tokenizer.control.hole]
    *_, begun = earlier = _split(settled, tokenizer)
    for number, (start, end) in enumerate(zip([-1, *breaks], [*breaks, len(slots)], strict=True)):
        text = whole_characters(begun, tokenizer) if number == 0 else ""
        tokens = len(begun) if number == 0 else 0
        yield HoleUpdate(len(earlier) - 1 + number, CanvasUpdate(text, slots[start + 1 : end], passes, tokens))


def _answers(
    finished: Finished, settled: list[int], confidences: list[float], tokenizer: Tokenizer, holes: int
) -> tuple[Completion, ...]:
    answers = _split([*settled, *finished.pending], tokenizer)
    starts = np.cumsum([0, *(len(answer) + 1 for answer in answers)])
    completions = []
    for index in range(holes):
        answer = answers[index] if index < len(answers) else []
        is_whole = index < len(answers) - 1 or finished.reason == "end"
        sure = confidences[starts[index] : starts[index] + len(answer)] if index < len(answers) else []
        text = whole_characters(answer, tokenizer)
        statistics = replace(
            finished.statistics, tokens=len(answer), mean_confidence=float(np.mean(sure)) if sure else 0.0
        )
        if not is_whole and finished.reason != "length":
            text = complete_lines(text)
        completions.append(Completion(text, "end" if is_whole else finished.reason, 0, 0.0, statistics))
    return tuple(completions)


def _split(tokens: Sequence[int], tokenizer: Tokenizer) -> list[list[int]]:
    return split_answers(tokenizer.control, tokens)
