"""`textDocument/codeAction`: what may be done at a place; the engine is asked when one of them is chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from coder.api.edits import Diagnostic
from lsp.documents import Document
from lsp.edit.edit_offers import Offer, offers
from lsp.edit.edit_task import EditKind
from lsp.features import wire
from lsp.features.editing import changes_for, edit_for_client, params_of, span_of, task_of
from lsp.wire.messages import ActionParams

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
    found = await asyncio.to_thread(offers, document, start, end, diagnostics)
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
    task = task_of(ls, wire.parsed(ActionParams, action.data))
    changes = await changes_for(ls, task)
    if changes:
        action.edit = edit_for_client(ls, task.document, changes, action.title)
    else:
        action.disabled = types.CodeActionDisabled(NOTHING_FOUND)
        action.data = None  # Eglot resolves what has data and no edit, again and again.
        ls.show_information(NOTHING_FOUND)
    return action


def _action(ls: QuickfillServer, offer: Offer, diagnostics: Sequence[types.Diagnostic]) -> types.CodeAction:
    """An offer that gets its edit when it is chosen, or is a command where the editor does not ask then."""
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
    """Whether a kind is one of those asked for, or below one."""
    return only is None or any(not wanted or f"{kind}.".startswith(f"{wanted}.") for wanted in only)
