"""`quickfill/fill` and `quickfill/edit`: edits of a document, for the version that was asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from coder.errors import InputError
from lsp.documents import Document
from lsp.edit.edit_task import EditTask
from lsp.features import wire
from lsp.features.denoising import Audience, HolesView, RegionView
from lsp.features.editing import changes_for, open_document, span_of, versioned_edit
from lsp.wire.messages import EditParams, FillParams, Watched

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer


async def fill(ls: QuickfillServer, params: object) -> types.WorkspaceEdit:
    asked = wire.parsed(FillParams, params)
    document = open_document(ls, asked.text_document)
    places = [span_of(document, hole) for hole in asked.ranges]
    task = EditTask(document, "fill", tuple(sorted(places)))
    try:
        texts = task.texts
    except InputError as error:
        raise JsonRpcInvalidParams(str(error)) from error
    audience = _audience(ls, document, asked)
    order = [task.spans.index(place) for place in places]
    view = audience and HolesView(audience, texts, task.spans, order)
    return versioned_edit(document, await changes_for(ls, task, view))


async def edit(ls: QuickfillServer, params: object) -> types.WorkspaceEdit | None:
    asked = wire.parsed(EditParams, params)
    document = open_document(ls, asked.text_document)
    task = EditTask(document, "rewrite", (span_of(document, asked.range),), asked.instruction).meant
    audience = _audience(ls, document, asked)
    if task.kind == "fill":
        view = audience and HolesView(audience, task.texts, task.spans, order=[0])
    else:
        view = audience and RegionView(audience)
    changes = await changes_for(ls, task, view)
    return versioned_edit(document, changes) if changes else None


def _audience(ls: QuickfillServer, document: Document, asked: Watched) -> Audience | None:
    wanted = ls.session.settings.denoising if asked.denoising is None else asked.denoising
    return Audience(ls, document, asked.work_done_token) if wanted else None
