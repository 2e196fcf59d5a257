"""OpenAI's completions: any number of prompts, with a suffix or without, each with any number of answers."""

from __future__ import annotations

import math
import secrets
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from coder.api.completion import CompletionRequest, Decoding, TokenScore, Where
from coder.api.text_requests import redecoded
from coder.serve.answers import Written, added, write
from coder.serve.http.operations import Caller, Chunks
from coder.serve.http.refusals import RefusedError
from coder.serve.openai.infilling_templates import parts
from coder.serve.openai.openai_types import (
    CompletionAnswer,
    CompletionBody,
    CompletionChoice,
    Logprobs,
    PromptTokensDetails,
    Sampling,
    Usage,
)
from coder.serve.tasks import gathered, last, merged


async def complete(body: CompletionBody, caller: Caller) -> CompletionAnswer | Chunks:
    """Fill the hole between a prompt and a suffix, or continue the prompt."""
    asked = AskedCompletions(body, caller)
    return stream(asked) if body.stream else await answer(asked)


class AskedCompletions:
    """A request in the engine's terms. Raises RefusedError for what is not supported.

    Attributes:
        requests: one for each choice. prompts: the text that `echo` repeats, for each.
    """

    def __init__(self, body: CompletionBody, caller: Caller) -> None:
        texts = [body.prompt] if isinstance(body.prompt, str) else body.prompt
        count = body.n or 1
        if body.logit_bias or body.best_of not in (None, count):
            raise RefusedError("logit_bias, and best_of other than n, are not supported")
        if len(texts) * count > caller.service.settings.most_answers:
            raise RefusedError(
                f"n, for all prompts together, may be {caller.service.settings.most_answers} at most here"
            )
        self.body, self.caller = body, caller
        self.id, self.created = f"cmpl-{secrets.token_hex(12)}", int(time.time())
        self.requests: list[CompletionRequest] = []
        self.prompts: list[str] = []
        for text in texts:
            prefix, suffix = parts(text, body.suffix or "")
            first = replace(decoding(body, body.max_tokens, caller), prefix=prefix, suffix=suffix)
            first = replace(first, where=Where(body.path, body.language))
            if body.echo or body.logprobs is not None:
                # Who asks for these judges the model, token by token.
                first = replace(first, shape="raw")
            self.requests += samples(first, count)
            self.prompts += [text] * count

    @property
    def stops(self) -> list[str]:
        return self.body.stops

    def chunk(self, choices: list[CompletionChoice], usage: Usage | None = None) -> CompletionAnswer:
        model = self.caller.service.model
        return CompletionAnswer(id=self.id, created=self.created, model=model, choices=choices, usage=usage)


async def answer(asked: AskedCompletions) -> CompletionAnswer:
    client, service = asked.caller.client, asked.caller.service
    writing = [last(write(service, request, asked.stops, client), Written) for request in asked.requests]
    written = await gathered(writing)
    choices = await gathered([choice(asked, index, one) for index, one in enumerate(written)])
    return asked.chunk(choices, usage(written))


async def stream(asked: AskedCompletions) -> Chunks:
    """Chunks of text as it is settled, or the whole canvas after each pass; log-probabilities come with the end."""
    client, service = asked.caller.client, asked.caller.service
    writing = [write(service, request, asked.stops, client) for request in asked.requests]
    sent = ["" for _ in writing]
    written: list[Written] = []
    async for index, event in merged(writing):
        if isinstance(event, Written):
            written.append(event)
            final = await choice(asked, index, event)
            text = final.text if asked.body.diffusing else added(sent[index], final.text)
            yield asked.chunk([final.model_copy(update={"text": text})])
            continue
        echoed = asked.prompts[index] if asked.body.echo else ""
        if asked.body.diffusing:
            yield asked.chunk([CompletionChoice(text=echoed + event.snapshot, index=index)])
        elif text := added(sent[index], echoed + event.text):
            sent[index] += text
            yield asked.chunk([CompletionChoice(text=text, index=index)])
    if asked.body.stream_options and asked.body.stream_options.include_usage:
        yield asked.chunk([], usage(written))


async def choice(asked: AskedCompletions, index: int, written: Written) -> CompletionChoice:
    """A whole choice, with what was wanted besides the text."""
    echoed = asked.prompts[index] if asked.body.echo else ""
    logprobs = None if asked.body.logprobs is None else await token_rows(asked, index, written, asked.body.logprobs)
    return CompletionChoice(text=echoed + written.text, index=index, logprobs=logprobs, finish_reason=written.finish)


async def token_rows(asked: AskedCompletions, index: int, written: Written, alternatives: int) -> Logprobs:
    """A row for each token of the text. With `echo` those of the prompt come first, as it is tokenised by itself, and a
    row for the end token comes last where the model wrote one: harnesses count the rows."""
    request, client = asked.requests[index], asked.caller.client
    service = asked.caller.service
    prompt = request.prefix if asked.body.echo else ""
    of_prompt = await service.score_tokens("", request.suffix, prompt, client) if prompt else ()
    text = written.text
    scores = await service.score_tokens(request.prefix, request.suffix, text, client) if text else ()
    if written.completion.tokens == 1 and len(scores) != 1:
        # The written token is a part of a character, or its text alone is tokenised otherwise.
        likelihood = math.log(max(written.completion.confidence, sys.float_info.min))
        scores = (TokenScore(0, len(text), likelihood, ()),)
    if asked.body.echo and written.completion.finish_reason == "end" and not written.stopped_by:
        whole = await service.call(
            lambda turn: turn.engine.score(request.prefix, request.suffix, text, turn.limits), client
        )
        scores = (*scores, TokenScore(len(text), len(text), whole.end_log_probability, ()))
    behind = [replace(score, start=len(prompt) + score.start, end=len(prompt) + score.end) for score in scores]
    return log_probabilities(prompt + text, (*of_prompt, *behind), alternatives)


def log_probabilities(text: str, scores: Sequence[TokenScore], alternatives: int) -> Logprobs:
    return Logprobs(
        tokens=[text[score.start : score.end] for score in scores],
        token_logprobs=[score.log_probability for score in scores],
        top_logprobs=[dict(score.alternatives[:alternatives]) for score in scores],
        text_offset=[score.start for score in scores],
    )


def decoding(body: Sampling, most_tokens: int | None, caller: Caller) -> CompletionRequest:
    """A request without its text."""
    return CompletionRequest(
        prefix="",
        shape="raw" if body.raw else "auto",
        decoding=Decoding(
            max_tokens=caller.service.settings.tokens(most_tokens),
            temperature=body.temperature or 0.0,
            top_p=1.0 if body.top_p is None else body.top_p,
            seed=body.seed,
            policy=body.policy,
            canvas_size=body.canvas_size,
            deadline_ms=body.deadline_ms,
        ),
    )


def samples(request: CompletionRequest, count: int) -> list[CompletionRequest]:
    """The request as often as answers are wanted, each with a seed of its own if there is one."""
    if request.decoding.seed is None:
        return [request] * count
    return [redecoded(request, seed=request.decoding.seed + number) for number in range(count)]


def usage(answers: Sequence[Written]) -> Usage:
    prompt = sum(answer.prompt_tokens for answer in answers)
    completion = sum(answer.completion_tokens for answer in answers)
    cached = sum(answer.completion.statistics.reused_tokens for answer in answers)
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=PromptTokensDetails(cached_tokens=cached),
    )
