"""The session's beginning and end."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from coder.errors import QuickfillError
from lsp.features import configuration, status

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer

log = logging.getLogger(__name__)

LOADING = "quickfill-loading"
"""Names the progress of loading the model."""


async def initialized(ls: QuickfillServer, params: types.InitializedParams) -> None:
    """Read the settings, then load the model, with its progress where the editor shows such a thing."""
    await configuration.read(ls)
    await configuration.register(ls)
    loading = asyncio.ensure_future(ls.session.host.client())
    shown = ls.session.client.progress and await _create_progress(ls)
    if shown:
        begin = types.WorkDoneProgressBegin(title="Quickfill", message="loading the model")
        ls.work_done_progress.begin(LOADING, begin)
    message = "ready"
    try:
        await loading
        await status.look_at_indexes(ls)
    except QuickfillError:
        message = "the model could not be loaded"
    finally:
        if shown:
            ls.work_done_progress.end(LOADING, types.WorkDoneProgressEnd(message=message))


def shutdown(ls: QuickfillServer, params: None) -> None:
    ls.session.close()


async def _create_progress(ls: QuickfillServer) -> bool:
    try:
        await ls.work_done_progress.create_async(LOADING)
    except JsonRpcException as error:
        log.info("the editor does not show progress: %s", error)
        return False
    return True
