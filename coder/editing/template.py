"""Completing with a template: its fixed text becomes text around holes.

A canvas takes tokens in advance at given slots, but how many slots a free part needs is what the model has to find out.
As text around holes the fixed parts are exact to the character, the free ones are of any length, and every decoding
method can fill them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, EngineEvent, Template
from coder.api.text_requests import Filled, FillEvent, FillRequest
from coder.diffusion.events import FinishReason, Statistics
from coder.editing.fill import joined
from coder.errors import InputError


def free_parts(request: CompletionRequest) -> FillRequest:
    """The request that fills the template's free parts.

    Raises:
        InputError: a setting that does not go with a template.
    """
    assert request.template is not None
    if request.samples != 1:
        raise InputError("a template gives one answer: leave samples at 1, or draw several with different seeds")
    first, *between, last = request.template.texts
    constraints = request.constraints
    if constraints.max_lines is None:
        constraints = replace(constraints, max_lines=constraints.min_lines)
    return FillRequest(
        texts=(request.prefix + first, *between, last + request.suffix),
        constraints=constraints,
        where=request.where,
        decoding=request.decoding,
    )


def complete_template(template: Template, events: Iterable[FillEvent]) -> Iterator[EngineEvent]:
    """Yield the events of the free parts as events of the whole answer."""
    parts: dict[int, CanvasUpdate] = {}
    for event in events:
        if isinstance(event, Filled):
            yield _completion(template, event)
        else:
            parts[event.hole] = event.canvas
            before = [part.settled for hole, part in sorted(parts.items()) if hole <= event.hole]
            yield CanvasUpdate(
                settled=joined(template.texts[: event.hole + 1], before),
                slots=event.canvas.slots,
                passes=sum(part.passes for part in parts.values()),
                tokens=sum(part.tokens for part in parts.values()),
            )


def _completion(template: Template, filled: Filled) -> Completion:
    text = joined(template.texts, [middle.text for middle in filled.middles])
    reasons: list[FinishReason] = [middle.finish_reason for middle in filled.middles if middle.finish_reason != "end"]
    statistics = total([middle.statistics for middle in filled.middles])
    return Completion(text, reasons[0] if reasons else "end", 0, filled.seconds, statistics)


def total(parts: Sequence[Statistics]) -> Statistics:
    """Return the tokens and the costs of several runs together."""
    tokens = sum(part.tokens for part in parts)
    confidence = sum(part.mean_confidence * part.tokens for part in parts) / tokens if tokens else 0.0
    written = Statistics(parts[0].policy, tokens, mean_confidence=confidence)
    return reduce(Statistics.with_cost_of, parts, written)
