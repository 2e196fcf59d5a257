"""OpenAI's API."""

from __future__ import annotations

import secrets
import time

from coder.completion import CompletionRequest
from coder.serve.answers import Written, write
from coder.serve.openai_types import (
    CompletionAnswer,
    CompletionBody,
    CompletionChoice,
    Model,
    Models,
    PromptTokensDetails,
    Usage,
)
from coder.serve.operations import Caller, Chunks, Operation
from coder.serve.service import last

FAMILY = "OpenAI"


async def complete(body: CompletionBody, caller: Caller) -> CompletionAnswer | Chunks:
    """Fill the hole between a prompt and a suffix, or go on with the prompt."""
    request = CompletionRequest(
        prefix=body.prompt if isinstance(body.prompt, str) else body.prompt[0],
        suffix=body.suffix or "",
        max_tokens=caller.service.settings.tokens(body.max_tokens),
        temperature=body.temperature or 0.0,
        top_p=1.0 if body.top_p is None else body.top_p,
        seed=body.seed,
        policy=body.policy,
        canvas_size=body.canvas_size,
        deadline_ms=body.deadline_ms,
        path=body.path,
        language=body.language,
    )
    written = await last(write(caller.service, request, body.stops, caller.client), Written)
    return CompletionAnswer(
        id=f"cmpl-{secrets.token_hex(12)}",
        created=int(time.time()),
        model=caller.service.model,
        choices=[CompletionChoice(text=written.text, index=0, finish_reason=written.finish)],
        usage=usage([written]),
    )


def usage(answers: list[Written]) -> Usage:
    prompt, completion = answers[0].prompt_tokens, sum(answer.completion_tokens for answer in answers)
    cached = answers[0].completion.statistics.reused_tokens
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=PromptTokensDetails(cached_tokens=cached),
    )


async def models(_: None, caller: Caller) -> Models:
    """The one model that this server has."""
    return Models(data=[Model(id=caller.service.model, created=caller.service.started)])


OPERATIONS = (
    Operation("POST", "/v1/completions", complete, CompletionAnswer, FAMILY, CompletionBody, CompletionAnswer),
    Operation("GET", "/v1/models", models, Models, FAMILY),
)
