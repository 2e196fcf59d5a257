"""OpenAI's API."""

from __future__ import annotations

from coder.serve.http.operations import Caller, Operation
from coder.serve.openai.chat import chat
from coder.serve.openai.completions import complete
from coder.serve.openai.openai_types import (
    ChatAnswer,
    ChatBody,
    ChatChunk,
    CompletionAnswer,
    CompletionBody,
    ModelEntry,
    Models,
)

FAMILY = "OpenAI"


async def models(_: None, caller: Caller) -> Models:
    """The one model that this server has; requests may name any."""
    return Models(data=[ModelEntry(id=caller.service.model, created=caller.service.started)])


OPERATIONS = (
    Operation("POST", "/v1/completions", complete, CompletionAnswer, FAMILY, CompletionBody, CompletionAnswer),
    Operation("POST", "/v1/chat/completions", chat, ChatAnswer, FAMILY, ChatBody, ChatChunk),
    Operation("GET", "/v1/models", models, Models, FAMILY),
)
