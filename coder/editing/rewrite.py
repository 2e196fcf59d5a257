"""Rewriting a region as an instruction says.

A checkpoint that was trained on edits reads the old text and the instruction in its own layout. Any other one writes
only where nothing is written yet (see `coder.editing.unwritten`), and is refused elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import replace

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Rewritten, Slot
from coder.api.streams import Cancellation, is_over, last
from coder.api.text_requests import Edited, EditEvent, EditRequest, RegionUpdate
from coder.editing.changes import changes
from coder.editing.hole_borders import blanks_before, without_blanks
from coder.editing.region_fit import Region
from coder.editing.repair import Model
from coder.editing.unwritten import QUOTES, RewrittenPart, comment, starts_line, unwritten_part
from coder.errors import InputError
from coder.syntax.languages import language_for

CANNOT_REWRITE = (
    "this model has not learned to rewrite code: it would lose the old lines without having seen them. Choose a model "
    "that has (`quickfill info` says can_edit), or put <fill> in the place of what is to be written"
)


def rewrite(model: Model, request: EditRequest, cancelled: Cancellation | None = None) -> Edited:
    """The text with the region written anew; unchanged where nothing was written, or what was written breaks it. It is
    never less sound than it was (see `coder.editing.region_fit`).

    Raises InputError for a region outside the text, and for one whose lines the model would lose.
    """
    return last(stream_rewrite(model, request, cancelled), Edited)


def stream_rewrite(
    model: Model, request: EditRequest, cancelled: Cancellation | None = None
) -> Generator[EditEvent, None, None]:
    """Updates of the region, then the new text; otherwise like `rewrite`."""
    started = time.monotonic()
    text = request.text
    if not 0 <= request.start <= request.end <= len(text):
        raise InputError(f"the region {request.start} to {request.end} is outside the text, which has {len(text)}")
    language = language_for(request.where.language, request.where.path)
    if model.config.abilities.rewrites:
        hole = RewrittenPart(request.start, request.end)
        marker = (language and language.comment) or "#"
        rewritten = Rewritten(text[hole.start : hole.end], comment(request.instruction, marker, ""))
    else:
        hole = unwritten_part(text, request.start, request.end, request.instruction, language)
        rewritten = None
    if hole is None:
        raise InputError(CANNOT_REWRITE)
    prefix = hole.prefix(text) + hole.opening
    inside_line = rewritten is None and not hole.opening and not starts_line(text, hole.start)
    blanks = blanks_before(prefix) if inside_line else ""
    asked = CompletionRequest(
        prefix=prefix.removesuffix(blanks),
        suffix=hole.closing + text[hole.end :],
        replace_brackets=False,
        rewritten=rewritten,
        where=request.where,
        decoding=request.decoding,
    )
    for event in model.stream(asked, cancelled):
        if not isinstance(event, Completion):
            yield RegionUpdate(hole.start, hole.end, _between(hole, event, blanks))
            continue
        answer = "" if event.finish_reason == "cancelled" else event.text
        if inside_line:
            answer = without_blanks(answer, blanks)

        def over() -> bool:
            return is_over(request.decoding.deadline_ms, started, cancelled)

        new = _fitting(text, hole, answer, language.name if language else "", over)
        before, after = (0.0, 0.0) if over() else _scores(model, text, new, hole)
        yield Edited(new, changes(text, new), before, after, event.passes, time.monotonic() - started)


def _between(hole: RewrittenPart, update: CanvasUpdate, blanks: str) -> CanvasUpdate:
    """The canvas with what stands around the answer, without the blanks that the text has before it."""
    closing = (Slot(hole.closing),) if hole.closing else ()
    settled = hole.opening + update.settled.removeprefix(blanks)
    return replace(update, settled=settled, slots=(*update.slots, *closing))


def _scores(model: Model, old: str, new: str, hole: RewrittenPart) -> tuple[float, float]:
    """Log-probabilities of what gave way and of what stands in its place."""
    if new == old:
        return 0.0, 0.0
    prefix, suffix = hole.prefix(old), old[hole.end :]
    parts = old[hole.start : hole.end], new[hole.start : len(new) - len(suffix)]
    before, after = (sum(score.log_probability for score in model.score_tokens(prefix, suffix, part)) for part in parts)
    return before, after


def _fitting(text: str, hole: RewrittenPart, answer: str, language: str, over: Callable[[], bool]) -> str:
    """The text with what fits of the answer in the hole; of a docstring that is a part of its first line."""
    region = Region(text, hole.start, hole.end, language)
    docstring = answer.strip().split(QUOTES)[0].split("\n")[0]
    parts = [docstring] if hole.closing.startswith(QUOTES) else region.beginnings(answer)
    ended = (part.rstrip() if hole.closing else part for part in parts)
    part = region.best((hole.opening + part + hole.closing for part in ended if part.strip()), over)
    return text if part is None else region.joined(part)
