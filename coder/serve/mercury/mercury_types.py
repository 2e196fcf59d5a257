"""Wire types of Mercury's API, where they are not OpenAI's."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from coder.serve.openai.openai_types import ChatMessage, CompletionBody, Sampling


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
