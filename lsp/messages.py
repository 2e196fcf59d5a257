"""What is said on the wire beyond the protocol: methods of our own, and what they carry."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

STATUS = "quickfill/status"
DID_CHANGE_STATUS = "quickfill/didChangeStatus"
DID_DENOISE = "quickfill/didDenoise"
FILL = "quickfill/fill"
EDIT = "quickfill/edit"

DID_SHOW_COMPLETION = "textDocument/didShowCompletion"
DID_PARTIALLY_ACCEPT_COMPLETION = "textDocument/didPartiallyAcceptCompletion"
DID_FOCUS = "textDocument/didFocus"
"""Notifications that Copilot's language server defines, and that its clients send."""

Count = Annotated[int, Field(ge=0)]


class Message(BaseModel):
    """Camel case on the wire. What a message holds besides is no reason to refuse it."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, populate_by_name=True)

    def to_json(self) -> dict[str, object]:
        return self.model_dump(by_alias=True, mode="json")


class StatusReport(Message):
    """The answer to `quickfill/status`, and what `quickfill/didChangeStatus` says.

    Attributes:
        message: for people; empty when there is nothing to say.
        model, version: the checkpoint. runtime: facts about what runs it.
        shared: whether other windows use the same engine. process_id: of the engine.
    """

    state: Literal["loading", "ready", "working", "error"]
    message: str
    model: str
    version: str | None
    runtime: dict[str, str]
    shared: bool
    process_id: int | None


class DenoiseUpdate(Message):
    """`quickfill/didDenoise`: a suggestion while it is being written.

    Attributes:
        id: of the request it will answer.
        step: passes so far. steps: how many it would be if each of the next settled one slot of the canvas. The answer
            to the request itself is the end.
        text: the whole of it, a masked slot shown as one shaded block.
        masked_spans: start and end of the masked parts of `text`, in the units of columns.
    """

    id: int | str
    step: int
    steps: int
    text: str
    masked_spans: list[tuple[int, int]]


class Position(Message):
    line: Count
    character: Count


class Range(Message):
    start: Position
    end: Position


class TextDocument(Message):
    """With a version the request is refused if the document has another one by now."""

    uri: str
    version: int | None = None


class FillParams(Message):
    """`quickfill/fill`: write what belongs in the place of each range, all of them together."""

    text_document: TextDocument
    ranges: list[Range] = Field(min_length=1, max_length=100)


class EditParams(Message):
    """`quickfill/edit`: write a range anew."""

    text_document: TextDocument
    range: Range
    instruction: str = ""


class Command(Message):
    arguments: list[object] = []


class CompletionItem(Message):
    """An item as it was sent, of which its command tells which one it is."""

    command: Command | None = None

    @property
    def suggestion(self) -> str | None:
        """The suggestion's id."""
        first = self.command.arguments[0] if self.command and self.command.arguments else None
        return first if isinstance(first, str) else None


class CompletionEvent(Message):
    """What Copilot's notifications carry."""

    item: CompletionItem
