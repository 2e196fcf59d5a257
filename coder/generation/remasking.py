"""Remasking: doubtful tokens of a finished answer are masked and denoised again, for a few rounds.

A masked diffusion sampler keeps what it once fixed; taking some of it back lets later evidence count (ReMDM,
arXiv:2503.00307). Here an output is refined whole: doubtful positions are masked, all others stay, and what is denoised
in their place is kept only where the autoregressive pass finds the whole likelier and no more of it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from coder.api.completion import CompletionRequest
from coder.context.window import replaced_characters
from coder.diffusion.events import Committed, Finished, Statistics, Stopped
from coder.diffusion.run import DenoiseRequest, Sampler
from coder.errors import InputError
from coder.generation.decoding import Decoded
from coder.generation.strategy import Strategy
from coder.model.checkpoint.tokens import Tokenizer
from coder.model.runtime import Pass
from coder.syntax.languages import language_name
from coder.syntax.names import undefined_names
from coder.syntax.tree import Span, error_spans

REMASKING_FORMS = ("syntax[:ROUNDS]", "names[:ROUNDS]", "confidence[:ROUNDS]")
DEFAULT_ROUNDS = 2

LEAST_CONFIDENCE = 0.1
"""The probability that a token keeps its place with under remasking by confidence."""

Doubts = Callable[[Sequence[int]], Sequence[int]]
"""Return the positions of an output in token ids to be masked again, ascending; none ends the rounds."""


def remasked_answer(
    answer: Decoded,
    request: CompletionRequest,
    replaced: str,
    denoising: DenoiseRequest,
    strategy: Strategy,
    tokenizer: Tokenizer,
) -> Decoded:
    """Return the answer after the rounds of remasking that the request asks for. Raises InputError.

    Args:
        replaced: closing brackets behind the hole that the answer may stand in for.
    """
    name, rounds = parse_remasking(request.remasking or "")
    if name == "confidence":
        doubts = low_confidence(strategy, denoising)
    else:
        doubts = language_errors(name, request, replaced, tokenizer)
    if answer.finished.reason != "end":
        return answer
    tokens, costs = refine(strategy, denoising, answer.tokens, doubts, rounds)
    spent = answer.finished.statistics.with_cost_of(costs)
    return replace(answer, tokens=tokens, text=tokenizer.decode(tokens)).costing(spent)


def low_confidence(strategy: Strategy, request: DenoiseRequest) -> Doubts:
    """Doubt tokens that became unlikely now that all of the output is visible.

    Raises InputError for a checkpoint that was not trained to correct visible tokens: its opinion on them means
    nothing.
    """
    if not strategy.runtime.config.abilities.correction:
        raise InputError(
            "this checkpoint was not trained to correct itself, so remasking by confidence has nothing to go by; "
            "choose syntax or names"
        )

    def doubts(tokens: Sequence[int]) -> Sequence[int]:
        strategy.predictions_along(request.cache, request.context, [])
        canvas = Pass([request.context[-1], *tokens], range(len(tokens)), causal=False, given=tokens)
        probabilities = np.exp(strategy.runtime.forward(request.cache, canvas).log_probability)
        return np.flatnonzero(probabilities < LEAST_CONFIDENCE).tolist()

    return doubts


def language_errors(name: str, request: CompletionRequest, replaced: str, tokenizer: Tokenizer) -> Doubts:
    """Doubt what is wrong in the joined text: broken nodes of its tree (`syntax`) or undefined names (`names`)."""
    language = language_name(request.where.language, request.where.path)

    def spans(answer: str) -> list[Span]:
        text = request.prefix + answer + request.suffix[replaced_characters(answer, replaced) :]
        if name == "syntax":
            return error_spans(text, language) or []
        return [span for _, span in undefined_names(text, language) or ()]

    return lambda tokens: positions(tokens, spans(tokenizer.decode(tokens)), len(request.prefix), tokenizer)


def positions(tokens: Sequence[int], spans: Sequence[Span], start: int, tokenizer: Tokenizer) -> list[int]:
    """Return the tokens of an answer, which begins at character `start` of a text, that touch one of the text's spans.

    An empty span, where something is missing, touches its neighbours.
    """
    found = []
    for position, piece in enumerate(tokenizer.pieces(tokens)):
        end = start + len(piece)
        if any((first < end and start < last) or (first == last and start <= first <= end) for first, last in spans):
            found.append(position)
        start = end
    return found


def refine(
    strategy: Strategy, request: DenoiseRequest, tokens: Sequence[int], doubts: Doubts, rounds: int
) -> tuple[tuple[int, ...], Statistics]:
    """Mask the doubtful positions of the output `tokens` and denoise them again, at most `rounds` times.

    Args:
        request: the one that led to the output, whose end token followed it.

    Returns: an output of the same length, never less likely by the autoregressive pass than `tokens`, and with no more
    positions in doubt; and the cost of the rounds.
    """
    best, statistics = tuple(tokens), Statistics(str(request.algorithm))
    likelihood = None
    doubtful = doubts(best)
    with suppress(Stopped):  # what is best by then is the answer
        for _ in range(rounds):
            if not doubtful:
                break
            if likelihood is None:
                likelihood = _log_probability(strategy, request, best)
            other, costs = _denoised_again(strategy, request, best, doubtful)
            statistics = statistics.with_cost_of(costs)
            if other is None or other == best:
                break
            still_doubtful = doubts(other)
            likelihood_of_other = _log_probability(strategy, request, other)
            if likelihood_of_other < likelihood or len(still_doubtful) > len(doubtful):
                break
            best, likelihood, doubtful = other, likelihood_of_other, still_doubtful
    return best, statistics


def parse_remasking(text: str) -> tuple[str, int]:
    """Return name and number of rounds: `syntax`, `names` or `confidence`, and a number after a colon.

    Raises InputError for anything else.
    """
    name, _, rounds = text.partition(":")
    if name in ("syntax", "names", "confidence") and (rounds.isdecimal() or rounds == ""):
        return name, int(rounds or DEFAULT_ROUNDS)
    raise InputError(f"there is no remasking {text!r}; write one of {', '.join(REMASKING_FORMS)}")


def _denoised_again(
    strategy: Strategy, request: DenoiseRequest, tokens: Sequence[int], doubtful: Sequence[int]
) -> tuple[tuple[int, ...] | None, Statistics]:
    """The output with the doubtful positions denoised again; None where the run was stopped."""
    kept = {position: token for position, token in enumerate(tokens) if position not in set(doubtful)}
    again = replace(
        request,
        algorithm=strategy.refilling(request.algorithm),
        max_tokens=len(tokens) + 1,
        fixed={**kept, len(tokens): request.end_token},
    )
    written: list[int] = []
    for event in Sampler(strategy.runtime).denoise(again):
        if isinstance(event, Committed):
            written.extend(event.tokens)
        elif isinstance(event, Finished):
            whole = event.reason == "end" and len(written) == len(tokens)
            return tuple(written) if whole else None, event.statistics
    raise AssertionError("a run ends with Finished")


def _log_probability(strategy: Strategy, request: DenoiseRequest, tokens: Sequence[int]) -> float:
    given = [*tokens, request.end_token]
    control = (request.end_token,)
    along = strategy.predictions_along(request.cache, request.context, given, control, request.suffix, request.limits)
    return float(along.log_probability.sum())
