"""Syntax as a constraint: where an answer breaks the text around its hole, others are tried.

The answer is read once by the autoregressive pass. Where the model was least sure, another token takes the place of the
one that was written, and the rest is written anew; the first answer that leaves the text sound is taken. An answer that
breaks the text is of no use to anyone, so nothing is lost where another one takes its place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from coder.api.completion import CompletionRequest
from coder.context.window import replaced_characters
from coder.diffusion.events import UNLIMITED, Finished, Statistics, Stopped, TimeLimits
from coder.diffusion.run import DenoiseRequest, Sampler
from coder.diffusion.steering import Continued, jointly_excluded, with_next_unknown
from coder.generation.decoding import Decoded, canvas_updates
from coder.generation.strategy import Strategy
from coder.model.checkpoint.tokens import Tokenizer
from coder.model.runtime import Predictions
from coder.syntax.first_error import first_error
from coder.syntax.languages import language_name
from coder.syntax.soundness import is_sound


@dataclass(frozen=True)
class Judge:
    """A judge of answers in text.

    Attributes:
        is_sound: whether the joined text is; None where that cannot be told.
        broken_at: up to which of the answer's characters the fault must lie; None where that cannot be told, and
            negative where it lies before the answer.
        inside_line: whether text follows the hole on its last line.
    """

    is_sound: Callable[[str], bool | None]
    broken_at: Callable[[str], int | None]
    inside_line: bool = False


@dataclass(frozen=True)
class Branch:
    """Another token at a position of an answer; `cost` is how much less likely it is than the one there, nats."""

    position: int
    token: int
    cost: float


def sound_answer(
    answer: Decoded, request: DenoiseRequest, strategy: Strategy, tokenizer: Tokenizer, judge: Judge, rounds: int
) -> Decoded:
    """Return the answer to `request` if it leaves the text sound, or one of at most `rounds` others that does.

    Without one, the longest beginning of it that does (see `sound_beginning`); failing that, the answer as it is.
    """
    if answer.finished.reason not in ("end", "length") or judge.is_sound(answer.text) is not False:
        return answer
    limits = request.limits
    if (
        answer.finished.reason == "length"
        and (shorter := sound_beginning(answer, judge, tokenizer, limits)) is not None
    ):
        return shorter
    broken_at = judge.broken_at(answer.text)
    if broken_at is not None and broken_at < 0:
        return answer
    try:
        reading = read(answer, request, strategy)
    except Stopped:
        return answer
    spent = replace(answer.finished.statistics, commit_passes=answer.finished.statistics.commit_passes + 1)
    for branch in branches(answer, reading, request, positions_until(answer.tokens, broken_at, tokenizer)):
        if branch.token == request.end_token:
            other = cut(answer, branch, tokenizer)
        elif rounds:
            rounds -= 1
            other = rewritten(answer, branch, request, strategy, tokenizer)
            spent = spent.with_cost_of(other.finished.statistics)
        else:
            break
        if other.finished.reason in ("deadline", "cancelled"):
            break
        if other.text.strip() and judge.is_sound(other.text):
            return other.costing(spent)
    return (sound_beginning(answer, judge, tokenizer, limits) or answer).costing(spent)


def sound_beginning(
    answer: Decoded, judge: Judge, tokenizer: Tokenizer, limits: TimeLimits = UNLIMITED
) -> Decoded | None:
    """Return the longest beginning of the answer that leaves the text sound and is not blank, if one is found in time.

    It is whole lines, or, where the answer's line continues behind it, whole tokens of its first line.
    """
    if judge.inside_line:
        ends = accumulate(tokenizer.pieces(answer.tokens))
        beginnings = [text for text in ends if "\n" not in text]
    else:
        lines = answer.text.split("\n")
        beginnings = ["\n".join(lines[:count]) for count in range(1, len(lines))]
    for text in reversed(beginnings):
        if limits.reached:
            return None
        if text.strip() and judge.is_sound(text):
            return replace(answer, text=text)
    return None


def read(answer: Decoded, request: DenoiseRequest, strategy: Strategy) -> Predictions:
    """Predict each position of an answer and the end behind it, with the log-probability of the token there."""
    given = [*answer.tokens, request.end_token]
    control = (request.end_token, *request.control_tokens)
    return strategy.predictions_along(request.cache, request.context, given, control, request.suffix, request.limits)


def branches(answer: Decoded, reading: Predictions, request: DenoiseRequest, positions: int) -> Iterator[Branch]:
    """Yield other tokens for the first positions of an answer, the likeliest first."""
    written = [*answer.tokens, request.end_token]
    if answer.finished.reason == "length":
        positions = min(positions, len(answer.tokens))
    found = [
        Branch(position, token, float(reading.log_probability[position]) - math.log(max(probability, 1e-30)))
        for position in range(positions)
        for token, probability in zip(reading.tokens[position].tolist(), reading.probabilities[position], strict=True)
        if token != written[position]
    ]
    for branch in sorted(found, key=lambda branch: branch.cost):
        before = with_next_unknown(answer.tokens[: branch.position])
        if jointly_excluded(request.constraints, before, branch.position).allows(branch.token):
            yield branch


def positions_until(tokens: Sequence[int], character: int | None, tokenizer: Tokenizer) -> int:
    """Return how many positions of an answer begin at or before a character of it; the end's position is the last."""
    if character is None:
        return len(tokens) + 1
    length = 0
    for position, piece in enumerate(tokenizer.pieces(tokens)):
        if length > character:
            return position
        length += len(piece)
    return len(tokens) + 1


def rewritten(
    answer: Decoded, branch: Branch, request: DenoiseRequest, strategy: Strategy, tokenizer: Tokenizer
) -> Decoded:
    """Return the answer up to the branch, the branch's token, and the model's text behind it."""
    start = (*answer.tokens[: branch.position], branch.token)
    room = request.max_tokens - len(start)
    if room < 1:
        return Decoded(
            tokenizer.decode(start), start, Finished("length", Statistics(str(request.algorithm), len(start)))
        )
    continuing = replace(
        request,
        context=[*request.context, *start],
        max_tokens=room,
        constraints=[Continued(constraint, start) for constraint in request.constraints],
    )
    for event in canvas_updates(Sampler(strategy.runtime).denoise(continuing), tokenizer):
        if isinstance(event, Decoded):
            tokens = (*start, *event.tokens)
            return replace(event, text=tokenizer.decode(tokens), tokens=tokens)
    raise AssertionError("a run ends with its text")


def cut(answer: Decoded, branch: Branch, tokenizer: Tokenizer) -> Decoded:
    """Return the answer cut at the branch."""
    tokens = answer.tokens[: branch.position]
    return Decoded(tokenizer.decode(tokens), tokens, replace(answer.finished, reason="end"))


def judge_of(request: CompletionRequest, replaced: str) -> Judge:
    """Return a judge of the whole text with an answer in its hole, where brackets behind it may be `replaced`."""
    language = language_name(request.where.language, request.where.path)
    line_start = request.prefix.rfind("\n") + 1

    def joined(answer: str) -> str:
        return request.prefix + answer + request.suffix[replaced_characters(answer, replaced) :]

    def broken_at(answer: str) -> int | None:
        text = joined(answer)
        offset = first_error(text, language)
        if offset is None:
            return None
        if offset < line_start:
            return -1
        # A compiler may complain about what stands before the fault, on the same line.
        line_end = text.find("\n", offset)
        end = (len(text) if line_end < 0 else line_end) - len(request.prefix)
        return end if 0 <= end < len(answer) else None

    inside_line = bool(request.suffix[len(replaced) :].partition("\n")[0].strip())
    return Judge(lambda answer: is_sound(joined(answer), language), broken_at, inside_line)
