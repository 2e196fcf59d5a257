"""The messages of client and engine: JSON that is checked on both sides before anything is done with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Score
from coder.api.text_requests import Edited, EditRequest, Filled, FillRequest, HoleUpdate, RegionUpdate, RepairRequest
from coder.context.workspace_index import IndexState
from coder.errors import CheckpointError, InputError, MissingDependencyError, QuickfillError
from lsp.engine.shared.channel import ChannelError


@dataclass(frozen=True)
class CompleteCall:
    """`updates`: whether the canvas is wanted after every pass."""

    request: CompletionRequest
    updates: bool
    kind: Literal["complete"] = "complete"


@dataclass(frozen=True)
class PrefillCall:
    request: CompletionRequest
    kind: Literal["prefill"] = "prefill"


@dataclass(frozen=True)
class FillCall:
    request: FillRequest
    kind: Literal["fill"] = "fill"


@dataclass(frozen=True)
class EditCall:
    request: EditRequest
    kind: Literal["edit"] = "edit"


@dataclass(frozen=True)
class RepairCall:
    request: RepairRequest
    kind: Literal["repair"] = "repair"


@dataclass(frozen=True)
class ScoreCall:
    prefix: str
    suffix: str
    middle: str
    kind: Literal["score"] = "score"


@dataclass(frozen=True)
class IndexCall:
    """Ask for the state of a folder's index."""

    folder: str
    kind: Literal["index"] = "index"


Task = CompleteCall | PrefillCall | FillCall | EditCall | RepairCall | ScoreCall | IndexCall


@dataclass(frozen=True)
class Ask:
    """A task with a number, which every answer to it repeats."""

    id: int
    task: Annotated[Task, Field(discriminator="kind")]
    type: Literal["ask"] = "ask"


@dataclass(frozen=True)
class Cancel:
    id: int
    type: Literal["cancel"] = "cancel"


ToEngine = Ask | Cancel


@dataclass(frozen=True)
class Loading:
    """The first message, while the model is being loaded."""

    type: Literal["loading"] = "loading"


@dataclass(frozen=True)
class Ready:
    """The model is loaded; tasks are taken from now on."""

    model: str
    version: str
    runtime: dict[str, str]
    abilities: dict[str, bool]
    process_id: int
    type: Literal["ready"] = "ready"


@dataclass(frozen=True)
class TaskUpdate:
    id: int
    update: CanvasUpdate | HoleUpdate | RegionUpdate
    type: Literal["update"] = "update"


@dataclass(frozen=True)
class TaskAnswer:
    """The last message about a task."""

    id: int
    answer: Completion | Filled | Edited | Score | IndexState | bool
    type: Literal["answer"] = "answer"


@dataclass(frozen=True)
class TaskFailure:
    """The last message about a task that has no answer; without a number, the model cannot be loaded."""

    id: int | None
    error: str
    message: str
    type: Literal["failure"] = "failure"


ToClient = Loading | Ready | TaskUpdate | TaskAnswer | TaskFailure

CONFIG = ConfigDict(extra="forbid", strict=True, ser_json_inf_nan="constants")
TO_ENGINE: TypeAdapter[ToEngine] = TypeAdapter(Annotated[ToEngine, Field(discriminator="type")], config=CONFIG)
TO_CLIENT: TypeAdapter[ToClient] = TypeAdapter(Annotated[ToClient, Field(discriminator="type")], config=CONFIG)

ERRORS = {error.__name__: error for error in (QuickfillError, InputError, CheckpointError, MissingDependencyError)}

Message = TypeVar("Message")


def encode(adapter: TypeAdapter[Message], message: Message) -> bytes:
    """Return a message as JSON. Raises InputError for text that UTF-8 cannot hold: half of a surrogate pair."""
    try:
        return adapter.dump_json(message)
    except PydanticSerializationError as error:
        raise InputError(f"the text holds a character that is none: {error}") from error


def decode(adapter: TypeAdapter[Message], body: bytes) -> Message:
    """Return the message that JSON stands for. Raises ChannelError for anything else."""
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise ChannelError(f"not a message: {error.errors(include_input=False)[:1]}") from error


def failure(id: int | None, error: Exception) -> TaskFailure:
    """Describe an error. Our own errors keep their class and message, so that the user can act on them."""
    if isinstance(error, QuickfillError):
        kind = next((name for name, known in reversed(ERRORS.items()) if isinstance(error, known)), "QuickfillError")
        return TaskFailure(id, kind, str(error))
    return TaskFailure(id, "QuickfillError", f"the engine failed: {type(error).__name__}: {error}")


def error_of(failed: TaskFailure) -> QuickfillError:
    return ERRORS.get(failed.error, QuickfillError)(failed.message)
