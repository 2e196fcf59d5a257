"""OpenAI's wire types, as far as they concern a model that writes code, and what is added to them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from coder.api.wire import Outgoing
from coder.serve.http.wire import Incoming, PolicyName

Finish = Literal["stop", "length"]
MostStops = Annotated[list[str], Field(max_length=32)]


class StreamOptions(Incoming):
    include_usage: bool = False


class Sampling(Incoming):
    """Fields of a request of any kind about its answer.

    Attributes:
        temperature: 0, the default here, always takes the likeliest token.
        diffusing: Mercury's own: each chunk of a stream is the whole answer after a pass, masked slots included, and
            takes the place of the one before.
        policy, canvas_size, deadline_ms, raw: Quickfill's own, as on its command line. With `echo` or
            `logprobs` a text is always raw.
    """

    model: str = ""
    max_tokens: int | None = Field(default=None, ge=0)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    n: int | None = Field(default=None, ge=1)
    seed: int | None = Field(default=None, ge=0, lt=2**62)
    stop: str | MostStops | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = None
    diffusing: bool = False
    policy: PolicyName = "auto"
    canvas_size: int | None = Field(default=None, ge=1, le=64)
    deadline_ms: float | None = Field(default=None, gt=0)
    raw: bool | None = None

    @property
    def stops(self) -> list[str]:
        if self.stop is None:
            return []
        return [self.stop] if isinstance(self.stop, str) else self.stop


class CompletionBody(Sampling):
    """
    Attributes:
        prompt: one text or several. One that is written out as another model's template for infilling is taken apart.
        suffix: what follows the hole.
        logprobs: how many alternatives to each token are told besides its own log-probability.
        echo: whether the answer begins with the prompt.
        path, language: Quickfill's own: where the text lives; nothing is read from there.
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
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
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
    finish_reason: Finish | None = None


class CompletionAnswer(Outgoing):
    """An answer, or a chunk of one."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage | None = None


class TextPart(Incoming):
    type: Literal["text"]
    text: str


class ChatMessage(Incoming):
    """A message of a conversation. Calls of tools, and what they brought, are no code that is asked about."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[TextPart] = ""

    @property
    def text(self) -> str:
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class ChatBody(Sampling):
    """
    Attributes:
        max_completion_tokens: the newer name of `max_tokens`.
        n_predict: llama.cpp's name of it; -1 for as many as the server allows.
    """

    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    max_completion_tokens: int | None = Field(default=None, ge=0)
    n_predict: int | None = Field(default=None, ge=-1)

    @property
    def most_tokens(self) -> int | None:
        wanted = (self.max_completion_tokens, self.max_tokens, self.n_predict)
        return next((tokens for tokens in wanted if tokens is not None), None)


class AnswerMessage(Outgoing):
    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class ChatChoice(Outgoing):
    index: int
    message: AnswerMessage
    logprobs: None = None
    finish_reason: Finish


class ChatAnswer(Outgoing):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChatChoice]
    usage: Usage


class Delta(Outgoing):
    role: Literal["assistant"] | None = None
    content: str | None = None


class ChunkChoice(Outgoing):
    index: int
    delta: Delta
    logprobs: None = None
    finish_reason: Finish | None = None


class ChatChunk(Outgoing):
    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | None = None


class ModelEntry(Outgoing):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "quickfill"


class Models(Outgoing):
    object: Literal["list"] = "list"
    data: list[ModelEntry]
