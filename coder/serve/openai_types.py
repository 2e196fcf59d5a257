"""OpenAI's wire types, as far as they concern a model that writes code, and what is added to them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from coder.serve.wire import Incoming, Outgoing

Finish = Literal["stop", "length"]
Stops = str | Annotated[list[str], Field(max_length=16)]


class StreamOptions(Incoming):
    include_usage: bool = False


class Sampling(Incoming):
    """How to decode, the same for every kind of request.

    Attributes:
        temperature: 0, the default here, always takes the likeliest token.
        policy, canvas_size, deadline_ms: Quickfill's own, as the command line has them.
        diffusing: stream the whole canvas after every pass, masked slots and all, instead of settled text.
    """

    model: str = ""
    max_tokens: int | None = Field(default=None, ge=0)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    n: int | None = Field(default=None, ge=1)
    seed: int | None = Field(default=None, ge=0, lt=2**63)
    stop: Stops | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = None
    diffusing: bool = False
    policy: str = "auto"
    canvas_size: int | None = Field(default=None, ge=1, le=64)
    deadline_ms: float | None = Field(default=None, gt=0)

    @property
    def stops(self) -> list[str]:
        if self.stop is None:
            return []
        return [self.stop] if isinstance(self.stop, str) else self.stop


class CompletionBody(Sampling):
    """`POST /v1/completions`.

    Attributes:
        prompt: one text or several. One that is written out as another model's template for infilling is understood.
        suffix: what follows the hole.
        path, language: Quickfill's own: where the text lives.
    """

    prompt: str | Annotated[list[str], Field(min_length=1)] = ""
    suffix: str | None = None
    logprobs: int | None = Field(default=None, ge=0, le=8)
    echo: bool | None = None
    best_of: int | None = None
    logit_bias: dict[str, float] | None = None
    path: str | None = None
    language: str | None = None


class Logprobs(Outgoing):
    """Natural logarithms, as the autoregressive pass finds the text."""

    tokens: list[str]
    token_logprobs: list[float | None]
    top_logprobs: list[dict[str, float] | None]
    text_offset: list[int]


class PromptTokensDetails(Outgoing):
    cached_tokens: int = 0


class Usage(Outgoing):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails = PromptTokensDetails()


class CompletionChoice(Outgoing):
    text: str
    index: int
    logprobs: Logprobs | None = None
    finish_reason: Finish | None


class CompletionAnswer(Outgoing):
    """An answer, or a chunk of one."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage | None = None


class Model(Outgoing):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "quickfill"


class Models(Outgoing):
    object: Literal["list"] = "list"
    data: list[Model]
