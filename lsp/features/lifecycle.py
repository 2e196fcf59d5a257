"""The session's beginning and end, its settings, its status."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from coder.errors import QuickfillError
from lsp.settings import SECTION, read_settings
from lsp.suggest.surroundings import indexed_folders
from lsp.wire.messages import IndexReport

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer


log = logging.getLogger(__name__)

LOADING = "quickfill-loading"
"""Names the progress of loading the model."""


async def initialized(ls: QuickfillServer, params: types.InitializedParams) -> None:
    """Read the settings, then load the model, with its progress where the editor shows such a thing."""
    await ask_settings(ls)
    await _register(ls)
    loading = asyncio.ensure_future(ls.session.host.client())
    shown = ls.session.client.progress and await _create_progress(ls)
    if shown:
        begin = types.WorkDoneProgressBegin(title="Quickfill", message="loading the model")
        ls.work_done_progress.begin(LOADING, begin)
    message = "ready"
    try:
        await loading
        await look_at_indexes(ls)
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


PATIENCE = 5.0
"""Seconds that an editor may take to tell its settings before the server goes on without."""


async def did_change_configuration(ls: QuickfillServer, params: types.DidChangeConfigurationParams) -> None:
    """Some editors send the settings along, others want to be asked."""
    settings = params.settings
    section = settings.get(SECTION) if isinstance(settings, dict) else None
    if section is None:
        await ask_settings(ls)
    else:
        _use(ls, section)


async def ask_settings(ls: QuickfillServer) -> None:
    """Ask the editor for its settings, if it can be asked, and use them."""
    section = None
    if ls.session.client.configuration:
        asking = ls.workspace_configuration_async(types.ConfigurationParams([types.ConfigurationItem(section=SECTION)]))
        try:
            answer = await asyncio.wait_for(asking, PATIENCE)
            section = answer[0] if answer else None
        except (JsonRpcException, TimeoutError) as error:
            log.warning("the editor does not tell its settings: %s", error)
    _use(ls, section)


async def _register(ls: QuickfillServer) -> None:
    """Ask to be told when the settings change, where the editor wants to be asked."""
    if ls.session.client.registers_configuration:
        method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
        options = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
        registration = types.Registration("quickfill-configuration", method, options)
        ls.client_register_capability(types.RegistrationParams([registration]))


def _use(ls: QuickfillServer, section: object) -> None:
    """Go on with these settings, and tell the user which of them are not used."""
    settings, problems = read_settings(ls.session.client.options, section)
    ls.session.use(settings)
    if settings.log_level is not None:
        logging.getLogger().setLevel(settings.log_level.upper())
    for problem in problems:
        ls.show_warning(problem)


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
