"""`quickfill/fill` and `quickfill/edit`, and what all edits of a document have in common: the engine is asked, and the
answer is for the version of the document that was asked about."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcContentModified, JsonRpcException, JsonRpcInvalidParams

from coder.api.completion import Decoding, Where
from coder.api.text_requests import Change, Diagnostic
from coder.errors import InputError, QuickfillError
from lsp.documents import Document, file_path
from lsp.edit.edit_task import Conditions, EditTask, EditWatcher, Span
from lsp.features.denoising import Audience, HolesPreview, RegionPreview
from lsp.suggest.drafts import DENOISING_POLICY
from lsp.suggest.surroundings import indexed_folder
from lsp.wire.messages import ActionParams, EditParams, FillParams, Range, TextDocument, Watched

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer


REQUEST_FAILED = -32803
"""`LSPErrorCodes.RequestFailed`: a request that was right and could not be answered."""

ANNOTATION = "quickfill"


async def changes_for(ls: QuickfillServer, task: EditTask, watch: EditWatcher | None = None) -> tuple[Change, ...]:
    """Return the changes of the task's document, if that has not changed meanwhile. The work ends with the request.

    Raises JsonRpcContentModified, and JsonRpcException where the engine cannot do it.
    """
    # Alternatives that are still searched for a suggestion are wanted no more, and the engine does one thing at a time.
    ls.session.suggester.interrupt()
    cancelled = threading.Event()
    host, conditions = ls.session.host, _conditions(ls, task.document, watched=watch is not None)
    try:
        engine = await host.client()
        with host.working():
            changes = await asyncio.to_thread(task.changes, engine, conditions, cancelled, watch)
    except QuickfillError as error:
        raise JsonRpcException(str(error), REQUEST_FAILED) from error
    finally:
        cancelled.set()
    require_unchanged(ls, task.document)
    return changes


def open_document(ls: QuickfillServer, identifier: TextDocument) -> Document:
    """The document as the editor has it. Raises JsonRpcInvalidParams, JsonRpcContentModified."""
    document = ls.session.documents.get(identifier.uri)
    if document is None:
        raise JsonRpcInvalidParams(f"{identifier.uri} is not open")
    if identifier.version not in (None, document.version):
        raise JsonRpcContentModified("the document has changed meanwhile")
    return document


def require_unchanged(ls: QuickfillServer, document: Document) -> None:
    if ls.session.documents.get(document.uri) is not document:
        raise JsonRpcContentModified("the document has changed meanwhile")


def task_of(ls: QuickfillServer, asked: ActionParams) -> EditTask:
    """A task as it came over the wire. Raises JsonRpcInvalidParams, JsonRpcContentModified."""
    document = open_document(ls, asked.text_document)
    diagnostics = (Diagnostic(*span_of(document, each.range), each.message) for each in asked.diagnostics)
    spans = sorted(span_of(document, each) for each in asked.ranges)
    return EditTask(document, asked.kind, tuple(spans), asked.instruction, tuple(diagnostics))


def params_of(task: EditTask) -> ActionParams:
    """A task as it goes over the wire."""
    document = task.document
    return ActionParams.model_validate(
        {
            "kind": task.kind,
            "text_document": {"uri": document.uri, "version": document.version},
            "ranges": [range_params(document, span) for span in task.spans],
            "instruction": task.instruction,
            "diagnostics": [
                {"range": range_params(document, (each.start, each.end)), "message": each.message}
                for each in task.diagnostics
            ],
        }
    )


def span_of(document: Document, range: Range | types.Range) -> Span:
    """The characters of `document.unix` in a range, whichever of its ends comes first."""
    places = ((place.line, place.character) for place in (range.start, range.end))
    start, end = sorted(document.unix.offset(*place) for place in places)
    return start, end


def range_params(document: Document, span: Span) -> Range:
    return Range.model_validate(document.unix.range(*span), from_attributes=True)


def versioned_edit(document: Document, changes: Iterable[Change]) -> types.WorkspaceEdit:
    """An edit that an editor applies to this version of the document only."""
    edit = types.TextDocumentEdit(_identifier(document), _text_edits(document, changes))
    return types.WorkspaceEdit(document_changes=[edit])


def edit_for_client(
    ls: QuickfillServer, document: Document, changes: Iterable[Change], label: str
) -> types.WorkspaceEdit:
    """The same in the form that the editor knows, with a label for each change where it shows one."""
    if not ls.session.client.document_changes:
        return types.WorkspaceEdit(changes={document.uri: _text_edits(document, changes)})
    if not ls.session.client.annotations:
        return versioned_edit(document, changes)
    annotated = [
        types.AnnotatedTextEdit(ANNOTATION, edit.range, edit.new_text) for edit in _text_edits(document, changes)
    ]
    return types.WorkspaceEdit(
        document_changes=[types.TextDocumentEdit(_identifier(document), annotated)],
        change_annotations={ANNOTATION: types.ChangeAnnotation(label, needs_confirmation=False)},
    )


def _text_edits(document: Document, changes: Iterable[Change]) -> list[types.TextEdit]:
    return [document.text_edit(change.start, change.end, change.text) for change in changes]


def _identifier(document: Document) -> types.OptionalVersionedTextDocumentIdentifier:
    return types.OptionalVersionedTextDocumentIdentifier(document.uri, document.version)


def _conditions(ls: QuickfillServer, document: Document, *, watched: bool) -> Conditions:
    settings, path = ls.session.settings, file_path(document.uri)
    return Conditions(
        Where(
            path=None if path is None else str(path),
            language=document.language,
            workspace=None if path is None else indexed_folder(path, settings, ls.session.folders),
            exclude=settings.exclude,
        ),
        Decoding(policy=DENOISING_POLICY if watched else "auto", deadline_ms=settings.edit_budget_ms),
    )


async def fill(ls: QuickfillServer, params: object) -> types.WorkspaceEdit:
    asked = FillParams.parse(params)
    document = open_document(ls, asked.text_document)
    places = [span_of(document, hole) for hole in asked.ranges]
    task = EditTask(document, "fill", tuple(sorted(places)))
    try:
        texts = task.texts
    except InputError as error:
        raise JsonRpcInvalidParams(str(error)) from error
    audience = _audience(ls, document, asked)
    order = [task.spans.index(place) for place in places]
    view = audience and HolesPreview(audience, texts, task.spans, order)
    return versioned_edit(document, await changes_for(ls, task, view))


async def edit(ls: QuickfillServer, params: object) -> types.WorkspaceEdit | None:
    asked = EditParams.parse(params)
    document = open_document(ls, asked.text_document)
    task = EditTask(document, "rewrite", (span_of(document, asked.range),), asked.instruction).meant
    audience = _audience(ls, document, asked)
    if task.kind == "fill":
        view = audience and HolesPreview(audience, task.texts, task.spans, order=[0])
    else:
        view = audience and RegionPreview(audience)
    changes = await changes_for(ls, task, view)
    return versioned_edit(document, changes) if changes else None


def _audience(ls: QuickfillServer, document: Document, asked: Watched) -> Audience | None:
    wanted = ls.session.settings.denoising if asked.denoising is None else asked.denoising
    return Audience(ls, document, asked.work_done_token) if wanted else None
