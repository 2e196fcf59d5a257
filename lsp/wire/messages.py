"""Methods beyond the protocol, and their parameters and results."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pygls.exceptions import JsonRpcInvalidParams

STATUS = "quickfill/status"
DID_CHANGE_STATUS = "quickfill/didChangeStatus"
DID_DENOISE = "quickfill/didDenoise"
FILL = "quickfill/fill"
EDIT = "quickfill/edit"
NEXT_EDIT = "quickfill/nextEdit"
DID_REST = "quickfill/didRest"
DID_FIND_SUGGESTION = "quickfill/didFindSuggestion"

INLINE_EDIT = "textDocument/copilotInlineEdit"
DID_SHOW_COMPLETION = "textDocument/didShowCompletion"
DID_PARTIALLY_ACCEPT_COMPLETION = "textDocument/didPartiallyAcceptCompletion"
DID_SHOW_INLINE_EDIT = "textDocument/didShowInlineEdit"
DID_FOCUS = "textDocument/didFocus"
"""Methods of Copilot's language server, which its clients send."""

Count = Annotated[int, Field(ge=0)]


class Message(BaseModel):
    """A message, in camel case on the wire. Unknown fields are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, populate_by_name=True)

    @classmethod
    def parse(cls, params: object) -> Self:
        """The message that the parameters of a method are. Raises JsonRpcInvalidParams."""
        try:
            return cls.model_validate(params)
        except ValidationError as error:
            places = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            raise JsonRpcInvalidParams(places) from error

    def to_json(self) -> dict[str, object]:
        return self.model_dump(by_alias=True, mode="json")


class Position(Message):
    line: Count
    character: Count


class Range(Message):
    start: Position
    end: Position


class TextDocument(Message):
    """A document; with a version, the request is refused if the document has another one by now."""

    uri: str
    version: int | None = None


class IndexReport(Message):
    """The index of a workspace folder, which all windows of the engine share.

    Attributes:
        folder: its path. files, words, bytes: held. building: whether it is being read.
        complete: whether all that may be read is in. age_seconds: since it was last brought up to date; None if never.
    """

    folder: str
    files: int
    words: int
    bytes: int
    building: bool
    complete: bool
    age_seconds: float | None


class StatusReport(Message):
    """The answer to `quickfill/status`, and what `quickfill/didChangeStatus` says.

    Attributes:
        message: for people; empty when there is nothing to say.
        model, version: the checkpoint. runtime: facts about what runs it.
        abilities: those the checkpoint was trained for, by name: `holes`, `edits`, ..., and `rewrites`, whether one of
            them lets it rewrite code; None until it is loaded.
        shared: whether other windows use the same engine. process_id: of the engine.
        next_edit: whether next edits are offered unasked.
        indexes: of the workspace's folders that have one, as of the last `quickfill/status`.
    """

    state: Literal["loading", "ready", "working", "error"]
    message: str
    model: str
    version: str | None
    runtime: dict[str, str]
    abilities: dict[str, bool] | None
    shared: bool
    process_id: int | None
    next_edit: bool
    indexes: list[IndexReport]


class DenoisedHole(Message):
    """One of the ranges of a `quickfill/fill`, in the order in which they were asked for; as in `DenoiseUpdate`."""

    text: str
    masked_spans: list[tuple[int, int]]


class DenoiseUpdate(Message):
    """`quickfill/didDenoise`: an answer while it is being written; each one is the whole of it.

    Attributes:
        id: of the request: its `workDoneToken`, if it has one.
        text_document: which document, and which version of it.
        range: the region of that version that `text` stands for.
        step: passes so far. steps: how many it would be if each of the next settled one slot of the canvas. The answer
            to the request itself is the end.
        text: the whole of it, a masked slot shown as one shaded block.
        masked_spans: start and end of the masked parts of `text`, in the units of columns.
        holes: of a `quickfill/fill`, what stands in each range; otherwise empty.
    """

    id: int | str
    text_document: TextDocument
    range: Range
    step: int
    steps: int
    text: str
    masked_spans: list[tuple[int, int]]
    holes: list[DenoisedHole] = []


class Watched(Message):
    """A request whose answer may be watched.

    Attributes:
        denoising: whether `quickfill/didDenoise` is wanted; None is as the settings say.
        work_done_token: names the request in these notifications; None is its own id.
    """

    text_document: TextDocument
    denoising: bool | None = None
    work_done_token: int | str | None = None


class FillParams(Watched):
    """`quickfill/fill`: write what belongs in the place of each range, all of them together."""

    ranges: list[Range] = Field(min_length=1, max_length=100)


class EditParams(Watched):
    """`quickfill/edit`: write a range anew."""

    range: Range
    instruction: str = ""


class ActionDiagnostic(Message):
    range: Range
    message: str = ""


class ActionParams(Message):
    """The data of a code action until it is chosen, and the argument of commands that change a document.

    Attributes:
        kind: of the edit. ranges: the holes, or one region.
    """

    kind: Literal["fill", "rewrite", "docstring", "repair"]
    text_document: TextDocument
    ranges: list[Range] = Field(min_length=1, max_length=100)
    instruction: str = ""
    diagnostics: list[ActionDiagnostic] = []


class PlaceParams(Message):
    """The place of a command. Fields that are left out stand for where the user was last."""

    text_document: TextDocument | None = None
    range: Range | None = None
    position: Position | None = None
    instruction: str = ""


class TriggerContext(Message):
    """As of `textDocument/inlineCompletion`: 1 is invoked, 2 automatic."""

    trigger_kind: Literal[1, 2] = 2


class NextEditParams(Message):
    """`quickfill/nextEdit` and `textDocument/copilotInlineEdit`: where and what to change after the latest edits.

    Attributes:
        position: of the cursor. context: unasked ones are offered only where the settings want them.
    """

    text_document: TextDocument
    position: Position
    context: TriggerContext = TriggerContext()


class RestParams(Message):
    """`quickfill/didRest`: the cursor was put somewhere and stays there: a file was opened, the view scrolled."""

    text_document: TextDocument
    position: Position


class VersionedDocument(Message):
    uri: str
    version: int


class SuggestionFound(Message):
    """`quickfill/didFindSuggestion`: for this version of the document there is more than was answered: ask again."""

    text_document: VersionedDocument


class CommandReport(Message):
    title: str
    command: str
    arguments: list[str]


class NextEditItem(Message):
    """One next edit: `text` belongs in the place of `range`, in this version of the document.

    Attributes:
        command: to be run when it is accepted. id: names it there.
        source: a rename half done, a call to be adapted to its signature, the same change at
            another place, the model. title: the same in words.
        probability: that it is wanted, as measured for its kind.
    """

    text_document: VersionedDocument
    range: Range
    text: str
    command: CommandReport
    id: str
    source: Literal["rename", "signature", "repeat", "model"]
    title: str
    probability: float


class NextEdits(Message):
    """The likeliest first. They exclude each other: after one is accepted, ask again."""

    edits: list[NextEditItem]


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
    """The parameters of Copilot's notifications."""

    item: CompletionItem
