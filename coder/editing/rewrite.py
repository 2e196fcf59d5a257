"""Rewriting a region as an instruction says.

The model is asked as its abilities allow (`coder.editing.rewrite_asked`), and what it writes is fitted to its place.
"""

from __future__ import annotations

import time
from collections.abc import Generator

from coder.api.completion import Completion
from coder.api.streams import Cancellation, last, limits_of
from coder.api.text_requests import Edited, EditEvent, EditRequest, RegionUpdate
from coder.diffusion.events import Stopped, TimeLimits
from coder.editing.changes import changes
from coder.editing.region_fit import Region
from coder.editing.repair import RepairModel
from coder.editing.rewrite_asked import asked_rewrite
from coder.editing.unwritten import QUOTES, RewrittenPart
from coder.errors import InputError
from coder.syntax.languages import language_for

MOST_SCORED = 6000
"""Characters of the old and of the new text: in longer ones the model does not read all."""

CANNOT_REWRITE = (
    "this model has not learned to rewrite code: it would lose the old lines without having seen them. Choose a model "
    "that has (`quickfill info` says can_edit), or put <fill> in the place of what is to be written"
)


def rewrite(model: RepairModel, request: EditRequest, cancelled: Cancellation | None = None) -> Edited:
    """The text with the region written anew; unchanged where nothing was written, or what was written breaks it. It is
    never less sound than it was (see `coder.editing.region_fit`).

    Raises InputError for a region outside the text, and for one whose lines the model would lose.
    """
    return last(stream_rewrite(model, request, cancelled), Edited)


def stream_rewrite(
    model: RepairModel, request: EditRequest, cancelled: Cancellation | None = None
) -> Generator[EditEvent, None, None]:
    """Updates of the region, then the new text; otherwise like `rewrite`."""
    started = time.monotonic()
    text = request.text
    if not 0 <= request.start <= request.end <= len(text):
        raise InputError(
            f"the region from start {request.start} to end {request.end} is outside the text of {len(text)} characters"
        )
    language = language_for(request.where.language, request.where.path)
    asked = asked_rewrite(model.config.abilities, request, language)
    if asked is None:
        raise InputError(CANNOT_REWRITE)
    part = asked.part
    for event in model.stream(asked.request, cancelled):
        if not isinstance(event, Completion):
            yield RegionUpdate(part.start, part.end, asked.update(event))
            continue
        answer = "" if event.finish_reason == "cancelled" else asked.answer(event.text)
        limits = limits_of(request.decoding.deadline_ms, started, cancelled)
        new = _fitting(text, part, answer, language.name if language else "", limits)
        # Whoever was told what to change does not find the old lines likelier than the new ones, or less likely.
        unscored = bool(asked.request.conversation)
        before, after = (0.0, 0.0) if unscored else _scores(model, text, new, part, limits)
        yield Edited(new, changes(text, new), before, after, event.passes, time.monotonic() - started)


def _scores(model: RepairModel, old: str, new: str, hole: RewrittenPart, limits: TimeLimits) -> tuple[float, float]:
    """Return the log-probabilities of what gave way and of what stands in its place; zeros where one of them is too
    long to be read, or time is up."""
    prefix, suffix = hole.prefix(old), old[hole.end :]
    parts = old[hole.start : hole.end], new[hole.start : len(new) - len(suffix)]
    if new == old or limits.reached or max(map(len, parts)) > MOST_SCORED:
        return 0.0, 0.0
    try:
        before, after = (
            sum(score.log_probability for score in model.score_tokens(prefix, suffix, part, limits)) for part in parts
        )
    except Stopped:
        return 0.0, 0.0
    return before, after


def _fitting(text: str, hole: RewrittenPart, answer: str, language: str, limits: TimeLimits) -> str:
    """The text with what fits of the answer in the hole; of a docstring that is a part of its first line."""
    region = Region(text, hole.start, hole.end, language)
    docstring = answer.strip().split(QUOTES)[0].split("\n")[0]
    parts = [docstring] if hole.closing.startswith(QUOTES) else region.beginnings(answer)
    ended = (part.rstrip() if hole.closing else part for part in parts)
    part = region.best(
        (hole.opening + part + hole.closing for part in ended if part.strip()), lambda: limits.reached is not None
    )
    return text if part is None else region.joined(part)
