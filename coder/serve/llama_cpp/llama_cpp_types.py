"""Wire types of llama.cpp's server, as far as editors use it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, RootModel

from coder.api.completion import Where
from coder.api.wire import Outgoing
from coder.serve.http.wire import Incoming, PolicyName
from coder.syntax.languages import language_of


class ExtraText(Incoming):
    """A piece of another file."""

    text: str
    filename: str = ""


class InfillBody(Incoming):
    """
    Attributes:
        input_prefix, input_suffix: what stands before and behind the hole.
        prompt: follows `input_prefix`: the line of the cursor up to it.
        input_extra: pieces of other files.
        n_predict: the most tokens; -1 for as many as the server allows, 0 only reads the context for later.
        t_max_prompt_ms, t_max_predict_ms: time for the context and for the answer.
        n_indent: accepted; the model keeps the indentation of the text by itself.
        samplers: accepted; where `temperature` is not given, the likeliest token is always taken.
        raw: Quickfill's own: the model's text as it is, not fitted to its place.
        policy, canvas_size: Quickfill's own, as on its command line.
        path, language: Quickfill's own: where the text lives; nothing is read from there. Without them it is taken to
            be in the language of all `input_extra`, where that is one.
        response_fields: the fields of the answer that are wanted, those of objects as `timings/predicted_ms`.
    """

    input_prefix: str = ""
    input_suffix: str = ""
    prompt: str = ""
    input_extra: Annotated[list[ExtraText], Field(max_length=256)] = Field(default_factory=list)
    n_predict: int | None = Field(default=None, ge=-1)
    t_max_prompt_ms: float | None = Field(default=None, ge=0)
    t_max_predict_ms: float | None = Field(default=None, ge=0)
    n_indent: int | None = None
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, ge=0, le=1)
    seed: int | None = Field(default=None, ge=-1, lt=2**62)
    stop: Annotated[list[str], Field(max_length=32)] = Field(default_factory=list)
    stream: bool = False
    samplers: list[str] | str | None = None
    response_fields: list[str] | None = None
    model: str = ""
    raw: bool | None = None
    policy: PolicyName = "auto"
    canvas_size: int | None = Field(default=None, ge=1, le=64)
    path: str | None = None
    language: str | None = None

    @property
    def where(self) -> Where:
        languages = {language_of(extra.filename) for extra in self.input_extra}
        common = next(iter(languages)) if len(languages) == 1 else None
        return Where(self.path, self.language or (common.name if common and not self.path else None))


class Timings(Outgoing):
    prompt_n: int
    prompt_ms: float
    prompt_per_token_ms: float
    prompt_per_second: float
    predicted_n: int
    predicted_ms: float
    predicted_per_token_ms: float
    predicted_per_second: float


class InfillAnswer(Outgoing):
    """An answer, or the end of a streamed one."""

    index: int = 0
    content: str
    stop: bool = True
    model: str = ""
    tokens_predicted: int = 0
    tokens_evaluated: int = 0
    tokens_cached: int = 0
    stop_type: Literal["eos", "limit", "word", "none"] = "none"
    stopping_word: str = ""
    truncated: bool = False
    timings: Timings | None = None


class InfillPart(Outgoing):
    """A part of a streamed answer."""

    index: int = 0
    content: str
    stop: Literal[False] = False


class GenerationSettings(Outgoing):
    n_ctx: int
    n_predict: int


class Props(Outgoing):
    default_generation_settings: GenerationSettings
    total_slots: int
    model_path: str
    chat_template: str = ""
    build_info: str


class PickedFields(Outgoing):
    """Fields of an answer that a client named."""

    model_config = ConfigDict(frozen=True, extra="allow")


class InfillReply(RootModel[InfillAnswer | PickedFields]):
    """The whole answer, or the fields that were named."""


class InfillChunk(RootModel[InfillPart | InfillReply]):
    """A part of the answer, or its end."""
