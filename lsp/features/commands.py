"""`workspace/executeCommand`: that a suggestion was accepted, and edits for editors that do not know our requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from coder.api.edits import Change
from lsp.documents import Document
from lsp.edit.edit_offers import function_around, holes, repair_task
from lsp.edit.edit_task import EditKind, EditTask
from lsp.features import acceptance, next_edit, wire
from lsp.features.code_actions import COMMANDS, NOTHING_FOUND
from lsp.features.editing import REQUEST_FAILED, changes_for, edit_for_client, open_document, span_of, task_of
from lsp.wire.greeting import ACCEPTED_COMMAND
from lsp.wire.messages import ActionParams, PlaceParams, Range, TextDocument

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer

KINDS: dict[str, EditKind] = {command: kind for kind, command in COMMANDS.items()}

NEXT_EDIT = "quickfill.nextEdit"

TITLES: dict[EditKind, str] = {
    "fill": "Fill the holes",
    "rewrite": "Rewrite",
    "docstring": "Write the docstring",
    "repair": "Repair",
}

AGAIN = "; do it again: as long as the text stays as it is, what was found is kept"


async def execute_command(ls: QuickfillServer, params: types.ExecuteCommandParams) -> None:
    """Raises JsonRpcInvalidParams for a command that there is not, or a place that makes no sense."""
    arguments = list(params.arguments or ())
    if params.command == ACCEPTED_COMMAND:
        acceptance.accepted(ls, arguments)
    elif params.command in KINDS:
        await _edit(ls, _task(ls, params.command, arguments))
    elif params.command == NEXT_EDIT:
        await _next_edit(ls, arguments)
    else:
        raise JsonRpcInvalidParams(f"there is no command {params.command!r}")


async def _edit(ls: QuickfillServer, task: EditTask) -> None:
    """Have it done; what the editor does not apply is kept for when it is told to do the same again.

    Kate, for one, applies nothing later than two seconds after the command.
    """
    refused, ls.session.refused = ls.session.refused, None
    changes = refused[1] if refused and refused[0] == task else await changes_for(ls, task)
    if not await apply(ls, task.document, changes, TITLES[task.kind], AGAIN):
        ls.session.refused = task, changes


async def apply(
    ls: QuickfillServer, document: Document, changes: Sequence[Change], title: str, advice: str = ""
) -> bool:
    """Let the editor apply changes of a document that it has just been asked about.

    Returns whether nothing is left to do; otherwise the user is told why, with an advice.
    """
    if not changes:
        ls.show_information(NOTHING_FOUND)
        return True
    edit = edit_for_client(ls, document, changes, f"Quickfill: {title}")
    result = await ls.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit, f"Quickfill: {title}"))
    if not result.applied:
        reason = result.failure_reason or "the editor did not apply it, and does not say why"
        ls.show_warning(f"nothing was changed: {reason}{advice}")
    return result.applied


async def _next_edit(ls: QuickfillServer, arguments: Sequence[Any]) -> None:
    """Make the likeliest next edit, and show its place where the editor can."""
    asked = wire.parsed(PlaceParams, arguments[0] if arguments else {})
    document, (start, _) = place_of(ls, asked)
    shows = ls.session.client.shows_documents
    found = await next_edit.find(ls, document, start, invoked=True, elsewhere=shows)
    if found:
        document = found[0].document
    changes = [Change(each.edit.start, each.edit.end, each.edit.text) for each in found[:1]]
    await apply(ls, document, changes, found[0].edit.title if found else "")
    if found and shows:
        edit = found[0].edit
        place = wire.range_of(document.unix, edit.start, edit.start)
        ls.window_show_document(types.ShowDocumentParams(document.uri, take_focus=True, selection=place))


def _task(ls: QuickfillServer, command: str, arguments: Sequence[Any]) -> EditTask:
    """What the arguments say: all of it, as code actions do; or a place, or an instruction, or nothing."""
    kind = KINDS[command]
    match arguments:
        case [{"kind": _, **_rest} as whole]:
            return task_of(ls, wire.parsed(ActionParams, whole | {"kind": kind}))
        case [dict() as place]:
            asked = wire.parsed(PlaceParams, place)
        case [] | [str(), *_]:
            asked = PlaceParams(instruction=" ".join(map(str, arguments)))
        case _:
            raise JsonRpcInvalidParams(f"{command} takes a place or an instruction, not {arguments!r:.80}")
    document, (start, end) = place_of(ls, asked)
    text = document.unix.text
    if kind == "fill":
        marks = (((start, end),) if asked.range else ()) or holes(text)
        if not marks:
            raise JsonRpcException("there is no <fill> in the document", REQUEST_FAILED)
        return EditTask(document, kind, marks)
    if kind == "repair":
        return repair_task(document, start, end, ())
    function = function_around(document, start, end)
    if kind == "docstring" or end - start <= 1:
        if function is None:
            raise JsonRpcException("there is no function here: select what is to be written", REQUEST_FAILED)
        start, end = function.start, function.end
    return EditTask(document, kind, ((start, end),), asked.instruction)


def place_of(ls: QuickfillServer, asked: PlaceParams) -> tuple[Document, tuple[int, int]]:
    """The document and the characters that a command is about."""
    last = ls.session.last_place
    if asked.text_document is None and last is None:
        raise JsonRpcInvalidParams("name a place: nothing was asked about any yet")
    identifier = asked.text_document or TextDocument(uri=last[0] if last else "")
    document = open_document(ls, identifier)
    if asked.range is not None:
        return document, span_of(document, asked.range)
    if asked.position is not None:
        return document, span_of(document, Range(start=asked.position, end=asked.position))
    if last is not None and last[0] == document.uri:
        return document, span_of(document, last[1])
    return document, (0, 0)
