"""Code actions, and the commands that do the same in editors without our requests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from coder.api.text_requests import Change, Diagnostic
from lsp.documents import Document
from lsp.edit.edit_offers import Offer, function_around, holes, offers, repair_task
from lsp.edit.edit_task import EditKind, EditTask
from lsp.features import next_edit
from lsp.features.editing import (
    REQUEST_FAILED,
    changes_for,
    edit_for_client,
    open_document,
    params_of,
    span_of,
    task_of,
)
from lsp.features.suggestions import accepted
from lsp.wire.greeting import ACCEPTED_COMMAND
from lsp.wire.messages import ActionParams, PlaceParams, Range, TextDocument

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer


KINDS: dict[EditKind, str] = {
    "repair": "quickfix.quickfill",
    "rewrite": "refactor.rewrite.quickfill.block",
    "docstring": "refactor.rewrite.quickfill.docstring",
    "fill": "refactor.rewrite.quickfill.fill",
}

COMMANDS: dict[EditKind, str] = {
    "repair": "quickfill.repair",
    "rewrite": "quickfill.rewrite",
    "docstring": "quickfill.writeDocstring",
    "fill": "quickfill.fillHoles",
}

ASK_INSTRUCTION = "quickfill.askInstruction"
"""A command of the editor: it asks the user for an instruction, and then us for `quickfill/edit`."""

NOTHING_FOUND = "nothing better was found"


async def code_action(
    ls: QuickfillServer, params: types.CodeActionParams
) -> Sequence[types.CodeAction | types.Command] | None:
    document = ls.session.documents.get(params.text_document.uri)
    if document is None:
        return None
    ls.session.last_place = document.uri, params.range
    start, end = span_of(document, params.range)
    diagnostics = [_diagnostic(document, each) for each in params.context.diagnostics if _is_serious(each)]
    found = await asyncio.to_thread(offers, document, start, end, diagnostics, rewrites=ls.session.can("rewrites"))
    wanted = [offer for offer in found if _is_wanted(KINDS[offer.task.kind], params.context.only)]
    actions = [_action(ls, offer, params.context.diagnostics) for offer in wanted]
    if ls.session.client.asks_instructions:
        actions += [_asking(offer) for offer in wanted if offer.task.kind == "rewrite"]
    if ls.session.client.action_literals:
        return actions
    return [
        types.Command(action.title, COMMANDS[offer.task.kind], arguments=[params_of(offer.task).to_json()])
        for action, offer in zip(actions, wanted, strict=False)
    ]


async def resolve(ls: QuickfillServer, action: types.CodeAction) -> types.CodeAction:
    """The action with its edit. Raises JsonRpcContentModified where the document has changed since it was offered."""
    task = task_of(ls, ActionParams.parse(action.data))
    changes = await changes_for(ls, task)
    if changes:
        action.edit = edit_for_client(ls, task.document, changes, action.title)
    else:
        action.disabled = types.CodeActionDisabled(NOTHING_FOUND)
        action.data = None  # Eglot resolves what has data and no edit, again and again.
        ls.show_information(NOTHING_FOUND)
    return action


def _action(ls: QuickfillServer, offer: Offer, diagnostics: Sequence[types.Diagnostic]) -> types.CodeAction:
    """An offer whose edit is made when it is chosen: on `codeAction/resolve`, or by a command."""
    task, data = offer.task, params_of(offer.task).to_json()
    resolves = ls.session.client.resolves_edits
    command = None if resolves else types.Command(offer.title, COMMANDS[task.kind], arguments=[data])
    return types.CodeAction(
        title=f"Quickfill: {offer.title}",
        kind=KINDS[task.kind],
        diagnostics=list(diagnostics) if task.kind == "repair" and diagnostics else None,
        command=command,
        data=data if resolves else None,
    )


def _asking(offer: Offer) -> types.CodeAction:
    data = params_of(offer.task)
    place: dict[str, Any] = {"textDocument": data.text_document.to_json(), "range": data.ranges[0].to_json()}
    title = f"Quickfill: {offer.title} as I say…"
    return types.CodeAction(title, KINDS["rewrite"], command=types.Command(title, ASK_INSTRUCTION, arguments=[place]))


def _diagnostic(document: Document, diagnostic: types.Diagnostic) -> Diagnostic:
    message = diagnostic.message if isinstance(diagnostic.message, str) else diagnostic.message.value
    return Diagnostic(*span_of(document, diagnostic.range), message)


def _is_serious(diagnostic: types.Diagnostic) -> bool:
    severities = types.DiagnosticSeverity
    return diagnostic.severity in (None, severities.Error, severities.Warning)


def _is_wanted(kind: str, only: Sequence[str] | None) -> bool:
    """Return whether a kind is one of those asked for, or a part of one."""
    return only is None or any(not wanted or f"{kind}.".startswith(f"{wanted}.") for wanted in only)


KIND_OF_COMMAND: dict[str, EditKind] = {command: kind for kind, command in COMMANDS.items()}

NEXT_EDIT = "quickfill.nextEdit"

TITLES: dict[EditKind, str] = {
    "fill": "Fill the holes",
    "rewrite": "Rewrite",
    "docstring": "Write the docstring",
    "repair": "Repair",
}

AGAIN = "; run the command again: the edit is kept as long as the text does not change"


async def execute_command(ls: QuickfillServer, params: types.ExecuteCommandParams) -> None:
    """Run a command. Raises JsonRpcInvalidParams for an unknown one or an invalid place."""
    arguments = list(params.arguments or ())
    if params.command == ACCEPTED_COMMAND:
        accepted(ls, arguments)
    elif params.command in KIND_OF_COMMAND:
        await _edit(ls, _task(ls, params.command, arguments))
    elif params.command == NEXT_EDIT:
        await _next_edit(ls, arguments)
    else:
        raise JsonRpcInvalidParams(f"there is no command {params.command!r}")


async def _edit(ls: QuickfillServer, task: EditTask) -> None:
    """Do a task. Changes that the editor does not apply are kept for when the same is asked again.

    Kate, for one, applies nothing later than two seconds after the command.
    """
    refused, ls.session.refused = ls.session.refused, None
    changes = refused[1] if refused and refused[0] == task else await changes_for(ls, task)
    if not await apply(ls, task.document, changes, TITLES[task.kind], AGAIN):
        ls.session.refused = task, changes


async def apply(
    ls: QuickfillServer, document: Document, changes: Sequence[Change], title: str, advice: str = ""
) -> bool:
    """Have the editor apply changes of a document.

    Returns whether nothing is left to do; otherwise the user is told why, with advice.
    """
    if not changes:
        ls.show_information(NOTHING_FOUND)
        return True
    edit = edit_for_client(ls, document, changes, f"Quickfill: {title}")
    result = await ls.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit, f"Quickfill: {title}"))
    if not result.applied:
        reason = result.failure_reason or "the editor did not apply the edit and gave no reason"
        ls.show_warning(f"nothing was changed: {reason}{advice}")
    return result.applied


async def _next_edit(ls: QuickfillServer, arguments: Sequence[Any]) -> None:
    """Make the likeliest next edit, and show its place in editors that can."""
    asked = PlaceParams.parse(arguments[0] if arguments else {})
    document, (start, _) = _place_of(ls, asked)
    shows = ls.session.client.shows_documents
    found = await next_edit.find(ls, document, start, invoked=True, elsewhere=shows)
    if found:
        document = found[0].document
    changes = [Change(each.edit.start, each.edit.end, each.edit.text) for each in found[:1]]
    await apply(ls, document, changes, found[0].edit.title if found else "")
    if found and shows:
        edit = found[0].edit
        place = document.unix.range(edit.start, edit.start)
        ls.window_show_document(types.ShowDocumentParams(document.uri, take_focus=True, selection=place))


def _task(ls: QuickfillServer, command: str, arguments: Sequence[Any]) -> EditTask:
    """Read a command's arguments: a whole task, as in code actions, or a place, an instruction, nothing."""
    kind = KIND_OF_COMMAND[command]
    match arguments:
        case [{"kind": _, **_rest} as whole]:
            return task_of(ls, ActionParams.parse(whole | {"kind": kind}))
        case [dict() as place]:
            asked = PlaceParams.parse(place)
        case [] | [str(), *_]:
            asked = PlaceParams(instruction=" ".join(map(str, arguments)))
        case _:
            raise JsonRpcInvalidParams(f"{command} takes a place or an instruction, not {arguments!r:.80}")
    document, (start, end) = _place_of(ls, asked)
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
            raise JsonRpcException("there is no function here: select the lines to write", REQUEST_FAILED)
        start, end = function.start, function.end
    return EditTask(document, kind, ((start, end),), asked.instruction)


def _place_of(ls: QuickfillServer, asked: PlaceParams) -> tuple[Document, tuple[int, int]]:
    """The document and the characters that a command is about."""
    last = ls.session.last_place
    if asked.text_document is None and last is None:
        raise JsonRpcInvalidParams("name a document: none was used yet")
    identifier = asked.text_document or TextDocument(uri=last[0] if last else "")
    document = open_document(ls, identifier)
    if asked.range is not None:
        return document, span_of(document, asked.range)
    if asked.position is not None:
        return document, span_of(document, Range(start=asked.position, end=asked.position))
    if last is not None and last[0] == document.uri:
        return document, span_of(document, last[1])
    return document, (0, 0)
