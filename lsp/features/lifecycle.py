"""The session's beginning and end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from coder.errors import QuickfillError
from lsp.features import configuration

if TYPE_CHECKING:
    from lsp.server import QuickfillServer

log = logging.getLogger(__name__)

LOADING = "quickfill-loading"
"""Names the progress of loading the model."""


async def initialized(ls: QuickfillServer, params: types.InitializedParams) -> None:
    await configuration.read(ls)
    progress = ls.work_done_progress
    shown = ls.session.client.progress and await _create_progress(ls)
    if shown:
        progress.begin(LOADING, types.WorkDoneProgressBegin(title="Quickfill", message="loading the model"))
    message = "ready"
    try:
        await ls.session.host.client()
    except QuickfillError as error:
        message = "the model could not be loaded"
        ls.window_show_message(types.ShowMessageParams(types.MessageType.Error, f"Quickfill: {error}"))
    finally:
        if shown:
            progress.end(LOADING, types.WorkDoneProgressEnd(message=message))


def shutdown(ls: QuickfillServer, params: None) -> None:
    ls.session.suggester.interrupt()
    ls.session.host.close()


async def _create_progress(ls: QuickfillServer) -> bool:
    try:
        await ls.work_done_progress.create_async(LOADING)
    except JsonRpcException as error:
        log.info("the editor does not show progress: %s", error)
        return False
    return True
