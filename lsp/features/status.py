"""`quickfill/status`: what runs, and how it is."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from coder.errors import QuickfillError
from lsp.suggest.surroundings import indexed_folders
from lsp.wire.messages import IndexReport

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer

log = logging.getLogger(__name__)


async def status(ls: QuickfillServer, params: object) -> dict[str, object]:
    await look_at_indexes(ls)
    return ls.session.status.to_json()


async def look_at_indexes(ls: QuickfillServer) -> None:
    """Ask the engine, if it is there, what the indexes of the workspace hold; those that it does not have yet it begins
    to build."""
    session = ls.session
    if not session.host.is_ready:
        return
    try:
        engine = await session.host.client()
        folders = indexed_folders(session.settings, session.folders)
        states = [await asyncio.to_thread(engine.index_state, folder) for folder in folders]
    except QuickfillError as error:
        log.warning("the indexes are not known: %s", error)
        return
    session.indexes = [
        IndexReport(
            folder=folder,
            files=state.files,
            words=state.words,
            bytes=state.bytes,
            building=state.building,
            complete=state.complete,
            age_seconds=state.age_seconds,
        )
        for folder, state in zip(folders, states, strict=True)
    ]
