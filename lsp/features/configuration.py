"""Settings: asked for at the start, and again when the editor says that they changed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lsp.settings import SECTION, read_settings

if TYPE_CHECKING:
    from lsp.server import QuickfillServer

log = logging.getLogger(__name__)


async def did_change_configuration(ls: QuickfillServer, params: types.DidChangeConfigurationParams) -> None:
    pushed = params.settings
    pushed = pushed.get(SECTION) if isinstance(pushed, dict) else None
    if pushed is None:
        await read(ls)
    else:
        use(ls, pushed)


async def read(ls: QuickfillServer) -> None:
    """Ask the editor for its settings, if it can be asked, and use them."""
    section = None
    if ls.session.client.configuration:
        item = types.ConfigurationItem(section=SECTION)
        try:
            section, *_ = await ls.workspace_configuration_async(types.ConfigurationParams([item])) or [None]
        except JsonRpcException as error:
            log.warning("the editor does not tell its settings: %s", error)
    use(ls, section)


def use(ls: QuickfillServer, section: object) -> None:
    session = ls.session
    session.settings, problems = read_settings(session.client.options, section)
    session.suggester.gate.chosen = session.settings.gate
    for problem in problems:
        ls.window_show_message(types.ShowMessageParams(types.MessageType.Warning, f"Quickfill: {problem}"))
