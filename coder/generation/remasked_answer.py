"""From a request's remasking to a policy: what is wrong in the joined text, as positions of an answer's tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from coder.api.completion import CompletionRequest
from coder.context.window import replaced_characters
from coder.diffusion.remasking import (
    LowConfidence,
    RemaskingPolicy,
    SyntaxErrors,
    UndefinedNames,
    parse_remasking,
    refine,
)
from coder.diffusion.run import DenoiseRequest
from coder.generation.decoding import Decoded
from coder.model.checkpoint.tokens import Tokenizer
from coder.model.runtime import Runtime
from coder.syntax.languages import language_of
from coder.syntax.names import undefined_names
from coder.syntax.parsing import Span, error_spans


def remasked_answer(
    answer: Decoded,
    request: CompletionRequest,
    replaced: str,
    denoising: DenoiseRequest,
    runtime: Runtime,
    tokenizer: Tokenizer,
) -> Decoded:
    """The answer after the rounds of remasking that the request asks for. Raises InputError.

    Args:
        replaced: closing brackets behind the hole that the answer may stand in for.
    """
    name, rounds = parse_remasking(request.remasking or "")
    policy: RemaskingPolicy
    if name == "confidence":
        policy = LowConfidence.of(runtime.config)
    else:
        policy = policy_by_language(name, request, replaced, tokenizer)
    if answer.finished.reason != "end":
        return answer
    refined = refine(runtime, denoising, answer.tokens, policy, rounds)
    spent = answer.finished.statistics.with_cost_of(refined.statistics)
    return replace(answer, tokens=refined.tokens, text=tokenizer.decode(refined.tokens)).costing(spent)


def policy_by_language(
    name: str, request: CompletionRequest, replaced: str, tokenizer: Tokenizer
) -> SyntaxErrors | UndefinedNames:
    """The policy that goes by what the joined text's language says: `syntax` or `names`."""
    known = None if request.path is None else language_of(request.path)
    language = request.language or (known.name if known else "")

    def spans(answer: str) -> list[Span]:
        text = request.prefix + answer + request.suffix[replaced_characters(answer, replaced) :]
        if name == "syntax":
            return error_spans(text, language) or []
        return [span for _, span in undefined_names(text, language) or ()]

    def wrong(tokens: Sequence[int]) -> list[int]:
        return positions(tokens, spans(tokenizer.decode(tokens)), len(request.prefix), tokenizer)

    return SyntaxErrors(wrong) if name == "syntax" else UndefinedNames(wrong)


def positions(tokens: Sequence[int], spans: Sequence[Span], start: int, tokenizer: Tokenizer) -> list[int]:
    """The tokens of an answer, which begins at character `start` of a text, that touch one of the text's spans. An
    empty span, where something is missing, touches its neighbours."""
    found = []
    for position, piece in enumerate(tokenizer.pieces(tokens)):
        end = start + len(piece)
        if any((first < end and start < last) or (first == last and start <= first <= end) for first, last in spans):
            found.append(position)
        start = end
    return found
