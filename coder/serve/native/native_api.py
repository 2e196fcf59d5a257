"""Quickfill's own API: everything the engine can do, and the canvas while it does it. The language server and the
playground speak it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from coder import __version__
from coder.api.completion import Completion, EngineEvent
from coder.api.text_requests import Filled, FillEvent
from coder.api.wire import (
    ApplyAnswer,
    CompleteAnswer,
    CompletedEvent,
    CompleteEvent,
    EditAnswer,
    FillAnswer,
    FilledEvent,
    FillEvents,
    PrefillAnswer,
    ScoreAnswer,
    ServedAbilities,
    ServerInfo,
    UpdateEvent,
)
from coder.serve.http.operations import Caller, Chunks, Operation
from coder.serve.native.native_types import ApplyBody, CompleteBody, EditBody, FillBody, RepairBody, ScoreBody

FAMILY = "Quickfill"
ROOT = "/quickfill/v1"


async def complete(body: CompleteBody, caller: Caller) -> CompleteAnswer | Chunks:
    """Fill one hole, with several different answers where they are wanted.

    Leaving the stream ends the work within a pass.
    """
    service, request = caller.service, body.request(caller.service.settings)
    if body.stream:
        return _completing(service.stream(request, caller.client))
    return CompleteAnswer(answer=await service.complete(request, caller.client))


async def fill(body: FillBody, caller: Caller) -> FillAnswer | Chunks:
    """Fill several holes of one text."""
    service, request = caller.service, body.request(caller.service.settings)
    if body.stream:
        return _filling(service.stream_fill(request, caller.client))
    return FillAnswer(answer=await service.fill(request, caller.client))


async def prefill(body: CompleteBody, caller: Caller) -> PrefillAnswer:
    """Read the context of a request that may come soon; any other request goes first and ends this one."""
    request = body.request(caller.service.settings)
    there = await caller.service.call(lambda turn: turn.engine.prefill(request, turn.cancelled), caller.client)
    return PrefillAnswer(answer=there)


async def edit(body: EditBody, caller: Caller) -> EditAnswer:
    """Rewrite a region as an instruction says."""
    return EditAnswer(answer=await caller.service.edit(body.request(caller.service.settings), caller.client))


async def repair(body: RepairBody, caller: Caller) -> EditAnswer:
    """Replace what looks wrong in a region by what the model finds likelier, or leave it alone."""
    return EditAnswer(answer=await caller.service.repair(body.request(), caller.client))


async def apply(body: ApplyBody, caller: Caller) -> ApplyAnswer:
    """Merge an edit into a file that leaves out what stays as it is.

    The syntax decides where each part belongs, the model only where several places are equally good. What comes of it
    parses, or the request is refused, as is an edit whose readings differ in what they lose: `reading` chooses one.
    """
    request = body.request()
    applied = await caller.service.call(lambda turn: turn.engine.apply(request, turn.cancelled), caller.client)
    return ApplyAnswer(answer=applied)


async def score(body: ScoreBody, caller: Caller) -> ScoreAnswer:
    """Return the log-probability of a text between two others, in nats."""
    asked = body.prefix, body.suffix, body.middle
    return ScoreAnswer(
        answer=await caller.service.call(lambda turn: turn.engine.score(*asked, turn.limits), caller.client)
    )


async def info(_: None, caller: Caller) -> ServerInfo:
    """Return the model that is served, and its limits."""
    engine, settings = caller.service.engine, caller.service.settings
    return ServerInfo(
        server=f"quickfill {__version__}",
        model=caller.service.model,
        version=engine.config.version,
        runtime=dict(engine.description),
        abilities=ServedAbilities(**engine.config.abilities.by_name()),
        canvas_sizes=list(engine.config.block_sizes),
        most_tokens=settings.most_tokens,
        most_answers=settings.most_answers,
    )


async def _completing(events: AsyncGenerator[EngineEvent, None]) -> Chunks:
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Completion):
                yield CompletedEvent(answer=event)
            else:
                yield UpdateEvent(hole=0, update=event)


async def _filling(events: AsyncGenerator[FillEvent, None]) -> Chunks:
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Filled):
                yield FilledEvent(answer=event)
            else:
                yield UpdateEvent(hole=event.hole, update=event.canvas)


OPERATIONS = (
    Operation(
        "POST", f"{ROOT}/complete", complete, CompleteAnswer, FAMILY, CompleteBody, CompleteEvent, ends_with=None
    ),
    Operation("POST", f"{ROOT}/fill", fill, FillAnswer, FAMILY, FillBody, FillEvents, ends_with=None),
    Operation("POST", f"{ROOT}/prefill", prefill, PrefillAnswer, FAMILY, CompleteBody),
    Operation("POST", f"{ROOT}/edit", edit, EditAnswer, FAMILY, EditBody),
    Operation("POST", f"{ROOT}/repair", repair, EditAnswer, FAMILY, RepairBody),
    Operation("POST", f"{ROOT}/apply", apply, ApplyAnswer, FAMILY, ApplyBody),
    Operation("POST", f"{ROOT}/score", score, ScoreAnswer, FAMILY, ScoreBody),
    Operation("GET", f"{ROOT}/info", info, ServerInfo, FAMILY),
)
