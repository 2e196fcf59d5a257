"""The native API in JSON, for the server and its client: requests, which are flat there, answers and events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Decoding, Score, Where
from coder.api.text_requests import Applied, ApplyRequest, Edited, EditRequest, Filled, FillRequest, RepairRequest

AnyRequest = CompletionRequest | FillRequest | RepairRequest | EditRequest | ApplyRequest

Kind = TypeVar("Kind", bound=AnyRequest)

NESTED = {"decoding": Decoding, "where": Where}


def flat(request: AnyRequest) -> dict[str, Any]:
    """Return a request's fields as plain values, those of its decoding and its place beside the others."""
    values = asdict(request)
    for name in NESTED:
        values |= values.pop(name, {})
    return values


def nested(kind: type[Kind], values: Mapping[str, Any]) -> Kind:
    """Return the request that has these fields, the reverse of `flat`. Raises TypeError for a field that it has not."""
    own = dict(values)
    wanted = {field.name for field in fields(kind)}
    for name, part in NESTED.items():
        names = {field.name for field in fields(part)} - wanted
        if name in wanted:
            own[name] = part(**{key: own.pop(key) for key in names & own.keys()})
    return kind(**own)


class Outgoing(BaseModel):
    """An answer's body."""

    model_config = ConfigDict(frozen=True)


class FailureBody(Outgoing):
    """The reason why there is no answer. `code` is the HTTP status."""

    message: str
    type: str
    param: str | None = None
    code: int


class Failure(Outgoing):
    error: FailureBody


class CompleteAnswer(Outgoing):
    answer: Completion


class FillAnswer(Outgoing):
    answer: Filled


class EditAnswer(Outgoing):
    answer: Edited


class ApplyAnswer(Outgoing):
    answer: Applied


class ScoreAnswer(Outgoing):
    answer: Score


class PrefillAnswer(Outgoing):
    """The result: true where the whole context is in the cache."""

    answer: bool


class UpdateEvent(Outgoing):
    """A hole, the first being 0, after a pass: its text that is settled, and the canvas behind it, on which a slot
    without a text is masked."""

    type: Literal["update"] = "update"
    hole: int
    update: CanvasUpdate


class CompletedEvent(Outgoing):
    """The last event."""

    type: Literal["answer"] = "answer"
    answer: Completion


class FilledEvent(Outgoing):
    """The last event."""

    type: Literal["answer"] = "answer"
    answer: Filled


class CompleteEvent(RootModel[Annotated[UpdateEvent | CompletedEvent, Field(discriminator="type")]]):
    """An event of a stream of `complete`."""


class FillEvents(RootModel[Annotated[UpdateEvent | FilledEvent, Field(discriminator="type")]]):
    """An event of a stream of `fill`."""


class ServedAbilities(Outgoing):
    """The abilities that the checkpoint was trained for, and whether it has one by which it rewrites code."""

    holes: bool
    edits: bool
    correction: bool
    context: bool
    instructions: bool
    rewrites: bool


class ServerInfo(Outgoing):
    """The model that is served.

    Attributes:
        version: of the checkpoint.
        runtime: facts about what runs it.
        canvas_sizes: those that it was trained with.
        most_tokens, most_answers: the server's limits.
    """

    server: str
    model: str
    version: str
    runtime: dict[str, str]
    abilities: ServedAbilities
    canvas_sizes: list[int]
    most_tokens: int
    most_answers: int
