"""Filling several holes of one text, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest
from typing import Protocol

from coder.api.completion import (
    CanvasUpdate,
    Completion,
    CompletionRequest,
    EngineEvent,
    Score,
    TokenScore,
)
from coder.api.streams import Cancellation, unstarted
from coder.api.text_requests import Filled, FillEvent, FillRequest, HoleUpdate
from coder.diffusion.events import UNLIMITED, Stopped, TimeLimits
from coder.editing.hole_borders import (
    blanks_before,
    closable,
    fitted,
    is_inside_line,
    possible_ends,
    without_blanks,
)
from coder.editing.region_fit import Region
from coder.errors import InputError
from coder.postprocess.context import PostprocessContext, code_around
from coder.syntax.languages import language_for, language_name, scan
from coder.syntax.soundness import is_sound

MOST_COMPARED = 160
"""Characters of the rest of a line that tell where a hole ends: a line may be of any length."""

MOST_LIKELY_ENDS = 2
"""Ends of an answer, besides its own, that are tried behind a hole inside a line."""


class Scoring(Protocol):
    """Whatever tells likelihoods: an engine, or what is inside of one."""

    def score(self, prefix: str, suffix: str, middle: str, limits: TimeLimits = UNLIMITED) -> Score: ...

    def score_tokens(
        self, prefix: str, suffix: str, text: str, limits: TimeLimits = UNLIMITED
    ) -> tuple[TokenScore, ...]: ...


@dataclass(frozen=True)
class Likelihoods:
    """The engine's methods of these names."""

    score: Callable[[str, str, str], Score]
    score_tokens: Callable[[str, str, str], Sequence[TokenScore]]

    @staticmethod
    def within(scorer: Scoring, limits: TimeLimits) -> Likelihoods:
        """Return those that raise Stopped where a limit is reached."""
        return Likelihoods(partial(scorer.score, limits=limits), partial(scorer.score_tokens, limits=limits))


@dataclass(frozen=True)
class FillingModel:
    """The engine as filling needs it: its methods of these names. `likelihoods` is None for an engine that has none, or
    that ends an answer before the rest of the line by itself."""

    stream: Callable[[CompletionRequest, Cancellation], Generator[EngineEvent, None, None]]
    likelihoods: Likelihoods | None = None


def fill_in_turn(model: FillingModel, request: FillRequest, cancelled: Cancellation) -> Iterator[FillEvent]:
    """Each hole sees the answers before it and the text behind it: to the next hole, since a model copies text that
    goes on behind a gap; inside a line all of it, as if the holes behind it were empty.

    The time that is left is divided evenly among the holes that are.

    Raises:
        InputError: a text without a hole.
    """
    require_holes(request)
    started, limit_ms = time.monotonic(), request.decoding.deadline_ms
    answers: list[Completion] = []
    for hole in range(len(request.texts) - 1):
        left = None
        if limit_ms is not None:
            left = (limit_ms - 1000.0 * (time.monotonic() - started)) / (len(request.texts) - 1 - hole)
        if left is not None and left <= 0.0:
            answers.append(unstarted("deadline", request.decoding.policy))
            continue
        yield from _fill_one(model, request, answers, left, cancelled)
    yield filled(request, answers, joint=False, seconds=time.monotonic() - started)


def _fill_one(
    model: FillingModel,
    request: FillRequest,
    answers: list[Completion],
    deadline_ms: float | None,
    cancelled: Cancellation,
) -> Iterator[HoleUpdate]:
    """Fill the first hole that has no answer yet, and append it."""
    hole = len(answers)
    whole = one_hole(request, [answer.text for answer in answers], deadline_ms)
    inside = is_inside_line(whole.suffix)
    blanks = blanks_before(whole.prefix) if inside else ""
    suffix = whole.suffix if inside else request.texts[hole + 1]
    asked = replace(whole, prefix=whole.prefix.removesuffix(blanks), suffix=suffix, shape="raw" if inside else "block")
    if inside and whole.constraints.min_lines == 1:
        # Nothing of a further line is kept, and a model that writes the rest of the line writes on and on.
        asked = replace(asked, constraints=replace(whole.constraints, max_lines=1))
    for event in model.stream(asked, cancelled):
        if not isinstance(event, Completion):
            yield HoleUpdate(hole, event)
            continue
        answer = replace(event, text=without_blanks(event.text, blanks)) if inside else event
        in_time = answer.finish_reason in ("end", "length") and not cancelled.is_set()
        if in_time and model.likelihoods and inside:
            answer = with_best_end(answer, model.likelihoods, whole, request.texts[hole + 1 :])
        else:
            line_before, line_behind = whole.prefix.rpartition("\n")[2], whole.suffix.partition("\n")[0]
            text = fitted(answer.text, line_before, request.texts[hole + 1], line_behind)
            answer = replace(answer, text=text)
        answer = replace(answer, text=_region(whole).balanced(answer.text))
        answers.append(answer)
        yield HoleUpdate(hole, CanvasUpdate(answer.text, (), answer.passes, answer.tokens))


def _region(request: CompletionRequest) -> Region:
    known = language_for(request.where.language, request.where.path)
    return Region.hole(request.prefix, request.suffix, known.name if known else "")


def with_best_end(
    answer: Completion, model: Likelihoods, request: CompletionRequest, behind: Sequence[str]
) -> Completion:
    """The answer to a hole inside a line, up to where the rest of the line goes on best.

    A model that writes to the end of a line repeats what follows the hole. But it knows how likely a whole line is, so
    beginnings of the answer are joined with the rest of the line, and the likeliest line tells where the hole ends.
    One pass over the whole answer says at which places the rest is among what the model would write. Where time is up
    before all of them are compared, or they are too long for the model, the text alone decides.

    Args:
        behind: the texts behind the hole.
    """
    line, line_break, after = request.suffix.partition("\n")
    line_before = request.prefix.rpartition("\n")[2]
    rest, _, _ = behind[0].partition("\n")
    compared = rest[:MOST_COMPARED]
    goes_on = compared != rest or ("\n" not in behind[0] and len(behind) > 1)
    blanks = blanks_before(request.prefix)
    prefix, suffix = request.prefix.removesuffix(blanks), rest[MOST_COMPARED:] + line_break + after
    first_line = answer.text.partition("\n")[0]
    ends = _sound_ends(possible_ends(first_line, closable(line_before, line)), request)
    totals: list[float] = []
    try:
        if len(ends) > 1:
            tokens = model.score_tokens(prefix, suffix, f"{blanks}{first_line}")
            ends = likely_ends(ends, len(blanks), tokens, rest)
        for text in ends:
            value = model.score(prefix, suffix, f"{blanks}{text}{compared}")
            totals.append(value.log_probability + (0.0 if goes_on else value.end_log_probability))
    except (Stopped, InputError):  # an InputError where the model has not the positions
        ends = []
    # The first of equals, the shortest.
    by_text = fitted(answer.text, line_before, behind[0], line).partition("\n")[0]
    best = ends[totals.index(max(totals))] if ends else by_text
    statistics = replace(answer.statistics, commit_passes=answer.statistics.commit_passes + len(totals) + 1)
    return replace(answer, text=best, statistics=statistics)


def _sound_ends(ends: list[str], request: CompletionRequest) -> list[str]:
    """Those of the ends that leave the statement around the hole sound, once their own brackets are closed; all of them
    where none does, as further holes may break it."""
    language = language_name(request.where.language, request.where.path)
    before, behind = code_around(PostprocessContext(request.prefix, request.suffix, language))

    def is_left_sound(end: str) -> bool | None:
        return is_sound(before + end + "".join(scan(end, language).closers) + behind, language)

    return list(filter(is_left_sound, ends)) or ends


def likely_ends(ends: Sequence[str], offset: int, tokens: Sequence[TokenScore], rest: str) -> list[str]:
    """The last of the ends, and the few at which the model would go on with the rest of the line.

    Args:
        offset: characters before the ends in the text of `tokens`.
    """
    likelihoods = {token.start - offset: likelihood_of(rest, token.alternatives) for token in tokens}
    goes_on = [end for end in ends[:-1] if likelihoods.get(len(end)) is not None]
    goes_on.sort(key=lambda end: -likelihoods[len(end)])  # type: ignore[operator]
    return [*sorted(goes_on[:MOST_LIKELY_ENDS], key=len), ends[-1]]


def likelihood_of(rest: str, alternatives: Iterable[tuple[str, float]]) -> float | None:
    """Log-probability of the likeliest token that the rest begins with; None where there is none among them."""
    return max((value for text, value in alternatives if text.strip() and rest.startswith(text)), default=None)


def one_hole(request: FillRequest, answers: Sequence[str], deadline_ms: float | None) -> CompletionRequest:
    """Return the request for the first hole that has no answer yet."""
    before, after = request.texts[: len(answers) + 1], request.texts[len(answers) + 1 :]
    return CompletionRequest(
        prefix=joined(before, answers),
        suffix="".join(after),
        replace_brackets=False,
        constraints=request.constraints,
        where=request.where,
        decoding=replace(request.decoding, deadline_ms=deadline_ms),
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
