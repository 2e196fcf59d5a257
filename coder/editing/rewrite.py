"""Rewriting a region as an instruction says.

The model is asked as its abilities allow (`coder.editing.rewrite_asked`), and what it writes is fitted to its place.
"""

from __future__ import annotations

import time
from collections.abc import Generator

from coder.api.completion import Completion
from coder.api.streams import Cancellation, last, limits_of
from coder.api.text_requests import Edited, EditEvent, EditRequest, RegionUpdate
from coder.diffusion.events import FinishReason, Stopped, TimeLimits
from coder.editing.changes import changes, with_line_breaks, with_old_blanks
from coder.editing.region_fit import Region
from coder.editing.repair import RepairModel
from coder.editing.rewrite_asked import AskedRewrite, asked_rewrite
from coder.editing.unwritten import PLACEHOLDER, QUOTES, RewrittenPart
from coder.errors import InputError
from coder.syntax.languages import language_for

MOST_SCORED = 6000
"""Characters of the old and of the new text: in longer ones the model does not read all."""

CANNOT_REWRITE = (
    "this model has not learned to rewrite code: it would lose the old lines without having seen them. Choose a model "
    "that has (`quickfill info` says can_edit), or put <fill> in the place of what is to be written"
)

UNFINISHED: dict[FinishReason, str] = {
    "length": "the answer is longer than the tokens that it may have: allow more, or choose fewer lines",
    "deadline": "time was up before the answer was whole: allow more, or choose fewer lines",
    "loop": "the model began to repeat itself",
}
BROKEN = "the answer would have broken the text"


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
        limits = limits_of(request.decoding.deadline_ms, started, cancelled)
        new, unused = _rewritten(text, asked, event, language.name if language else "", limits)
        # Whoever was told what to change does not find the old lines likelier than the new ones, or less likely.
        unscored = bool(asked.request.conversation)
        before, after = (0.0, 0.0) if unscored else _scores(model, text, new, part, limits)
        seconds = time.monotonic() - started
        yield Edited(new, changes(text, new), before, after, event.passes, seconds, unused=unused)


def _rewritten(
    text: str, asked: AskedRewrite, completion: Completion, language: str, limits: TimeLimits
) -> tuple[str, str]:
    """The text with the answer in it, and why that was not used if it was not. Old lines give way to a whole answer
    alone: what an unfinished or a broken one would have said of the last of them is not known."""
    part, reason = asked.part, completion.finish_reason
    if reason == "cancelled":
        return text, ""
    answer = asked.answer(completion.text)
    old = text[part.start : part.end]
    if not old.strip() or PLACEHOLDER.fullmatch(old):
        return _fitting(text, part, answer, language, limits), ""
    if reason != "end":
        return text, UNFINISHED[reason]
    region = Region(text, part.start, part.end, language)
    whole = region.best([with_old_blanks(old, next(region.beginnings(answer)))])
    if whole is None:
        return text, BROKEN if answer.strip() else ""
    return with_line_breaks(text, region.joined(whole).replace("\r\n", "\n")), ""


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
