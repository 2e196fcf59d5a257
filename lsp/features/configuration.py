"""Settings: asked for at the start, and again when the editor says that they changed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lsp.settings import SECTION, read_settings

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that an editor may take to tell its settings before the server goes on without."""


async def did_change_configuration(ls: QuickfillServer, params: types.DidChangeConfigurationParams) -> None:
    """Some editors send the settings along, others want to be asked."""
    settings = params.settings
    section = settings.get(SECTION) if isinstance(settings, dict) else None
    if section is None:
        await read(ls)
    else:
        use(ls, section)


async def read(ls: QuickfillServer) -> None:
    """Ask the editor for its settings, if it can be asked, and use them."""
    section = None
    if ls.session.client.configuration:
        asking = ls.workspace_configuration_async(types.ConfigurationParams([types.ConfigurationItem(section=SECTION)]))
        try:
            answer = await asyncio.wait_for(asking, PATIENCE)
            section = answer[0] if answer else None
        except (JsonRpcException, TimeoutError) as error:
            log.warning("the editor does not tell its settings: %s", error)
    use(ls, section)


async def register(ls: QuickfillServer) -> None:
    """Ask to be told when the settings change, where the editor wants to be asked."""
    if ls.session.client.registers_configuration:
        method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
        options = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
        registration = types.Registration("quickfill-configuration", method, options)
        ls.client_register_capability(types.RegistrationParams([registration]))


def use(ls: QuickfillServer, section: object) -> None:
    """Go on with these settings, and tell the user which of them are not used."""
    settings, problems = read_settings(ls.session.client.options, section)
    ls.session.use(settings)
    if settings.log_level is not None:
        logging.getLogger().setLevel(settings.log_level.upper())
    for problem in problems:
        ls.show_warning(problem)
