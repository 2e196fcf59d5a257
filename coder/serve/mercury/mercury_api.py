"""Mercury's API: Inception's, for a diffusion model that fills, edits and applies. Its chat is OpenAI's.

`diffusing` streams, of every kind, the whole text after each pass.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from coder.api.completion import CompletionRequest, Where
from coder.api.text_requests import ApplyRequest, EditRequest, RepairRequest
from coder.errors import InputError
from coder.serve.answers import Written, write
from coder.serve.http.operations import Caller, Chunks, Operation
from coder.serve.http.refusals import RefusedError
from coder.serve.mercury import tagged
from coder.serve.openai.chat import Said, new_id, usage, whole
from coder.serve.openai.completions import complete, decoding
from coder.serve.openai.openai_types import (
    ChatAnswer,
    ChatChunk,
    ChatMessage,
    ChunkChoice,
    CompletionAnswer,
    CompletionBody,
    Delta,
    Sampling,
)
from coder.serve.service import EngineTurn
from coder.serve.tasks import last
from coder.syntax.languages import LANGUAGES, language_for, language_name
from coder.syntax.soundness import is_sound


class MercuryFillBody(CompletionBody):
    """OpenAI's completion; `prompt` stands before the hole and `suffix` behind it."""


class MercuryEditBody(Sampling):
    """
    Attributes:
        messages: the last one of the user holds the tags.
        language: Quickfill's own: of the code, where no path tells it.
    """

    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    language: str | None = None


FAMILY = "Mercury"


async def fill(body: MercuryFillBody, caller: Caller) -> CompletionAnswer | Chunks:
    """Fill the hole between a prompt and a suffix."""
    return await complete(body, caller)


async def edit(body: MercuryEditBody, caller: Caller) -> ChatAnswer | Chunks:
    """Predict the next edit of a region, given as <|code_to_edit|> in <|current_file_content|>.

    A model that was trained on edits writes the region anew. Any other one writes what is missing at the cursor, or,
    where there is none, mends what looks wrong.
    """
    asked = tagged.next_edit(user_text(body.messages))
    where = Where(path=asked.path, language=body.language)
    changed = await _changed(asked, where, decoding(body, body.max_tokens, caller), body.stops, caller)
    region = asked.region_of(changed)
    count = caller.service.engine.count_tokens
    # Clients of this API look for an empty line before the closing fence.
    return answer(Said(f"```\n{region}\n\n```", "stop", count(asked.text), count(region)), body, caller)


async def apply(body: MercuryEditBody, caller: Caller) -> ChatAnswer | Chunks:
    """Merge an <|update_snippet|> that leaves out what stays into the <|original_code|>."""
    asked = tagged.apply(user_text(body.messages))

    def work(turn: EngineTurn) -> str:
        return applied(turn, asked.original, asked.update, body.language)

    text = await caller.service.call(work, caller.client, body.deadline_ms)
    count = caller.service.engine.count_tokens
    return answer(Said(text, "stop", count(asked.original) + count(asked.update), count(text)), body, caller)


def answer(said: Said, body: MercuryEditBody, caller: Caller) -> ChatAnswer | Chunks:
    return in_one(said, body, caller) if body.stream else whole([said], caller)


async def in_one(said: Said, body: MercuryEditBody, caller: Caller) -> Chunks:
    """A stream of one delta: an edit is of no use before it is whole."""
    name, created, model = new_id(), int(time.time()), caller.service.model
    delta = Delta(role="assistant", content=said.content)
    yield ChatChunk(id=name, created=created, model=model, choices=[ChunkChoice(index=0, delta=delta)])
    last_choice = ChunkChoice(index=0, delta=Delta(), finish_reason=said.finish)
    counted = usage([said]) if body.stream_options and body.stream_options.include_usage else None
    yield ChatChunk(id=name, created=created, model=model, choices=[last_choice], usage=counted)


async def _changed(
    asked: tagged.TaggedEdit, where: Where, request: CompletionRequest, stops: Sequence[str], caller: Caller
) -> str:
    """The text with its region as it may look next."""
    service = caller.service
    if service.engine.config.abilities.edits:
        whole_region = EditRequest(
            asked.text,
            asked.start,
            asked.end,
            where=where,
            decoding=request.decoding,
        )
        return (await service.edit(whole_region, caller.client)).text
    if asked.cursor is None:
        mended = RepairRequest(
            asked.text,
            asked.start,
            asked.end,
            where=where,
            decoding=request.decoding,
        )
        return (await service.repair(mended, caller.client)).text
    before, after = asked.text[: asked.cursor], asked.text[asked.cursor :]
    hole = CompletionRequest(
        before,
        after,
        where=where,
        decoding=request.decoding,
    )
    written = await last(write(service, hole, stops, caller.client), Written)
    new = before + written.text + after
    language = language_name(where.language, where.path)
    breaks_it = is_sound(new, language) is False and is_sound(asked.text, language)
    return asked.text if breaks_it else new


def user_text(messages: Sequence[ChatMessage]) -> str:
    """Return the user's last message. Raises RefusedError where it is empty."""
    for message in reversed(messages):
        if message.role == "user":
            return message.text
    raise RefusedError("there is no message of the role user")


OPERATIONS = (
    Operation("POST", "/v1/fim/completions", fill, CompletionAnswer, FAMILY, MercuryFillBody, CompletionAnswer),
    Operation("POST", "/v1/edit/completions", edit, ChatAnswer, FAMILY, MercuryEditBody, ChatChunk),
    Operation("POST", "/v1/apply/completions", apply, ChatAnswer, FAMILY, MercuryEditBody, ChatChunk),
)


def applied(turn: EngineTurn, original: str, update: str, language: str | None) -> str:
    """The file with the update in it. Raises InputError where nothing sound comes of it."""
    known = language_for(language, None)
    name = known.name if known else language_of_text(original)
    if name is None:
        raise InputError("it cannot be told what language the code is in; name it in the field `language`")
    return turn.engine.apply(ApplyRequest(original, update, where=Where(language=name)), turn.cancelled).text


def language_of_text(text: str) -> str | None:
    """The first language with a grammar whose rules a text keeps; None where there is none."""
    names = [language.name for language in LANGUAGES if language.grammar is not None]
    return next((name for name in names if is_sound(text, name)), None)
