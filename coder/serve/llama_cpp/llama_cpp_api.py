"""llama.cpp's API, as llama.vim and llama.vscode use it."""

from __future__ import annotations

from coder import __version__
from coder.api.completion import CompletionRequest, Decoding, Snippet
from coder.api.wire import Outgoing
from coder.serve.answers import Written, added, write
from coder.serve.http.operations import Caller, Chunks, Operation
from coder.serve.llama_cpp.llama_cpp_types import (
    GenerationSettings,
    InfillAnswer,
    InfillBody,
    InfillChunk,
    InfillPart,
    InfillReply,
    PickedFields,
    Props,
    Timings,
)
from coder.serve.openai.openai_api import models
from coder.serve.openai.openai_types import Models
from coder.serve.status_api import Health, health
from coder.serve.tasks import last

FAMILY = "llama.cpp"


async def infill(body: InfillBody, caller: Caller) -> InfillAnswer | PickedFields | Chunks:
    """Fill the hole between `input_prefix`, `prompt` and `input_suffix`."""
    request = request_of(body, caller)
    if body.stream:
        return stream(body, request, caller)
    written = await last(write(caller.service, request, body.stop, caller.client), Written)
    answer = answer_of(written, caller)
    return answer if body.response_fields is None else picked(answer, body.response_fields)


async def stream(body: InfillBody, request: CompletionRequest, caller: Caller) -> Chunks:
    sent = ""
    async for event in write(caller.service, request, body.stop, caller.client):
        text = added(sent, event.text)
        sent += text
        if isinstance(event, Written):
            answer = answer_of(event, caller).model_copy(update={"content": text})
            yield answer if body.response_fields is None else picked(answer, body.response_fields)
        elif text:
            yield InfillPart(content=text)


def request_of(body: InfillBody, caller: Caller) -> CompletionRequest:
    times = [time for time in (body.t_max_prompt_ms, body.t_max_predict_ms) if time is not None]
    return CompletionRequest(
        prefix=body.input_prefix + body.prompt,
        suffix=body.input_suffix,
        where=body.where,
        snippets=tuple(Snippet(extra.filename, extra.text) for extra in body.input_extra),
        shape="raw" if body.raw else "auto",
        decoding=Decoding(
            policy=body.policy,
            canvas_size=body.canvas_size,
            max_tokens=caller.service.settings.tokens(body.n_predict),
            temperature=body.temperature or 0.0,
            top_p=body.top_p or 1.0,
            seed=None if body.seed == -1 else body.seed,
            deadline_ms=sum(times) if body.t_max_predict_ms else None,
        ),
    )


def answer_of(written: Written, caller: Caller) -> InfillAnswer:
    statistics = written.completion.statistics
    return InfillAnswer(
        content=written.text,
        model=caller.service.model,
        tokens_predicted=statistics.tokens,
        tokens_evaluated=written.prompt_tokens,
        tokens_cached=statistics.reused_tokens,
        stop_type="word" if written.stopped_by else "eos" if written.finish == "stop" else "limit",
        stopping_word=written.stopped_by,
        timings=timings(written),
    )


def timings(written: Written) -> Timings:
    statistics = written.completion.statistics
    prompt_ms = 1000.0 * statistics.prefill_seconds
    predicted_ms = 1000.0 * (statistics.canvas_seconds + statistics.commit_seconds)
    return Timings(
        prompt_n=statistics.prefill_tokens,
        prompt_ms=prompt_ms,
        prompt_per_token_ms=ratio(prompt_ms, statistics.prefill_tokens),
        prompt_per_second=ratio(1000.0 * statistics.prefill_tokens, prompt_ms),
        predicted_n=statistics.tokens,
        predicted_ms=predicted_ms,
        predicted_per_token_ms=ratio(predicted_ms, statistics.tokens),
        predicted_per_second=ratio(1000.0 * statistics.tokens, predicted_ms),
    )


def ratio(value: float, by: float) -> float:
    return value / by if by else 0.0


def picked(answer: Outgoing, paths: list[str]) -> PickedFields:
    """The fields at these paths, each under its path; those that do not exist are left out."""
    everything = answer.model_dump()
    fields = {}
    for path in paths:
        value: object = everything
        for name in path.split("/"):
            value = value.get(name, NOTHING) if isinstance(value, dict) else NOTHING
        if value is not NOTHING:
            fields[path] = value
    return PickedFields(**fields)


NOTHING = object()


async def props(_: None, caller: Caller) -> Props:
    """Facts about the model and the server."""
    service = caller.service
    limits = GenerationSettings(n_ctx=service.engine.config.max_positions, n_predict=service.settings.default_tokens)
    return Props(
        default_generation_settings=limits,
        total_slots=service.settings.together,
        model_path=service.model,
        build_info=f"quickfill {__version__}",
    )


OPERATIONS = (
    Operation("POST", "/infill", infill, InfillReply, FAMILY, InfillBody, InfillChunk, ends_with=None),
    Operation("GET", "/props", props, Props, FAMILY),
    Operation("GET", "/health", health, Health, FAMILY, public=True),
    Operation("GET", "/models", models, Models, FAMILY),
)
