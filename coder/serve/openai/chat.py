"""OpenAI's chat: a conversation where the model follows instructions, code in and code out where it does not."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from coder.api.completion import CompletionRequest, Decoding, Where
from coder.api.text_requests import EditRequest, FillRequest, redecoded
from coder.editing.scaffold import scaffold
from coder.serve.answers import Finish, Written, added, write
from coder.serve.http.operations import Caller, Chunks
from coder.serve.http.refusals import RefusedError
from coder.serve.openai.completions import decoding, samples
from coder.serve.openai.conversation import (
    Continue,
    Converse,
    Describe,
    Fill,
    Rewrite,
    Task,
    conversation_of,
    task_of,
)
from coder.serve.openai.openai_types import (
    AnswerMessage,
    ChatAnswer,
    ChatBody,
    ChatChoice,
    ChatChunk,
    ChunkChoice,
    Delta,
    Usage,
)
from coder.serve.tasks import gathered, last, merged

PARAMETER_TOKENS = 24
"""The most that the parameters of a function may take that is written from a description."""


@dataclass(frozen=True)
class Said:
    """A message, or its beginning that is final. `finish` is None until it is finished."""

    content: str
    finish: Finish | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0


async def chat(body: ChatBody, caller: Caller) -> ChatAnswer | Chunks:
    """Answer in a conversation; or write code that it asks for: continue it, fill its holes, change it as told."""
    count = body.n or 1
    if count > caller.service.settings.most_answers:
        raise RefusedError(f"n may be {caller.service.settings.most_answers} at most here")
    follows = caller.service.engine.config.abilities.instructions
    task = conversation_of(body.messages) if follows else task_of(body.messages)
    requests = samples(decoding(body, body.most_tokens, caller), count)
    saying = [say(task, request, body, caller) for request in requests]
    if body.stream:
        return stream(saying, body, caller)
    said = await gathered([finished(one) for one in saying])
    return whole(said, caller)


async def finished(saying: AsyncGenerator[Said, None]) -> Said:
    *_, answer = [said async for said in saying]
    return answer


def whole(said: list[Said], caller: Caller) -> ChatAnswer:
    choices = [
        ChatChoice(index=index, message=AnswerMessage(content=one.content), finish_reason=one.finish or "stop")
        for index, one in enumerate(said)
    ]
    return ChatAnswer(
        id=new_id(), created=int(time.time()), model=caller.service.model, choices=choices, usage=usage(said)
    )


async def stream(saying: list[AsyncGenerator[Said, None]], body: ChatBody, caller: Caller) -> Chunks:
    """Deltas of the messages; where `diffusing`, each is the whole message after a pass."""
    name, created = new_id(), int(time.time())

    def chunk(choices: list[ChunkChoice], counted: Usage | None = None) -> ChatChunk:
        return ChatChunk(id=name, created=created, model=caller.service.model, choices=choices, usage=counted)

    sent = [""] * len(saying)
    begun: set[int] = set()
    done: list[Said] = []
    async for index, said in merged(saying):
        text = said.content if body.diffusing else added(sent[index], said.content)
        sent[index] = said.content
        role = None if index in begun else "assistant"
        begun.add(index)
        if said.finish is not None:
            done.append(said)
        if text or role or said.finish:
            delta = Delta(role=role, content=text)
            yield chunk([ChunkChoice(index=index, delta=delta, finish_reason=said.finish)])
    if body.stream_options and body.stream_options.include_usage:
        yield chunk([], usage(done))


async def say(task: Task, request: CompletionRequest, body: ChatBody, caller: Caller) -> AsyncGenerator[Said, None]:
    """Yield one message as it is written."""
    if request.decoding.max_tokens == 0:
        yield Said("", "length")
        return
    match task:
        case Describe():
            async for said in _describe(task, request, body, caller):
                yield said
        case Converse():
            async for said in _converse(task, request, body, caller):
                yield said
        case Continue():
            async for said in _continue(task, request, body, caller):
                yield said
        case Fill():
            yield await _fill(task, request, caller)
        case Rewrite():
            yield await _rewrite(task, request, caller)


async def _converse(
    task: Converse, request: CompletionRequest, body: ChatBody, caller: Caller
) -> AsyncGenerator[Said, None]:
    asked = replace(request, prefix=task.begun, conversation=task.turns, shape="raw")
    async for event in write(caller.service, asked, body.stops, caller.client):
        if isinstance(event, Written):
            yield Said(event.text, event.finish, event.prompt_tokens, event.completion_tokens)
        else:
            yield Said(event.snapshot if body.diffusing else event.text)


async def _continue(
    task: Continue, request: CompletionRequest, body: ChatBody, caller: Caller
) -> AsyncGenerator[Said, None]:
    request = replace(request, prefix=task.code, where=Where(language=task.language))
    opening = f"```{task.language}\n{task.code[len(task.code) - task.shown :]}" if task.fenced else ""
    async for event in write(caller.service, request, body.stops, caller.client):
        if isinstance(event, Written):
            closing = "\n```" if task.fenced else ""
            content = opening + event.text + closing
            yield Said(content, event.finish, event.prompt_tokens, event.completion_tokens)
        else:
            yield Said(opening + (event.snapshot if body.diffusing else event.text))


async def _describe(
    task: Describe, request: CompletionRequest, body: ChatBody, caller: Caller
) -> AsyncGenerator[Said, None]:
    code = scaffold(task.description or "main", task.language)
    start = code.start
    if code.signature_end:
        signature = CompletionRequest(
            start,
            code.signature_end,
            where=Where(language=task.language),
            decoding=Decoding(max_tokens=PARAMETER_TOKENS),
        )
        asked = redecoded(signature, deadline_ms=request.decoding.deadline_ms)
        parameters = await last(write(caller.service, asked, (), caller.client), Written)
        start = code.with_parameters(parameters.text)
    going_on = Continue(start, task.language, fenced=True, shown=len(start))
    async for said in _continue(going_on, request, body, caller):
        yield said


async def _fill(task: Fill, request: CompletionRequest, caller: Caller) -> Said:
    asked = FillRequest(
        texts=task.texts,
        where=Where(language=task.language),
        decoding=request.decoding,
    )
    filled = await caller.service.fill(asked, caller.client)
    ended = all(middle.finish_reason in ("end", "loop") for middle in filled.middles)
    tokens = sum(middle.tokens for middle in filled.middles)
    read = caller.service.engine.count_tokens("".join(task.texts))
    return Said(fenced(filled.text, task.language), "stop" if ended else "length", read, tokens)


async def _rewrite(task: Rewrite, request: CompletionRequest, caller: Caller) -> Said:
    asked = EditRequest(
        text=task.text,
        start=task.start,
        end=task.end,
        instruction=task.instruction,
        where=Where(language=task.language),
        decoding=request.decoding,
    )
    edited = await caller.service.edit(asked, caller.client)
    region = edited.text[task.start : len(edited.text) - (len(task.text) - task.end)]
    count = caller.service.engine.count_tokens
    content = fenced(region, task.language) if task.fenced else region
    return Said(content, "stop", count(task.text), sum(count(change.text) for change in edited.changes))


def fenced(code: str, language: str) -> str:
    return f"```{language}\n{code}{'' if code.endswith(chr(10)) else chr(10)}```"


def usage(said: list[Said]) -> Usage:
    prompt, completion = sum(one.prompt_tokens for one in said), sum(one.completion_tokens for one in said)
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


def new_id() -> str:
    return f"chatcmpl-{secrets.token_hex(12)}"
