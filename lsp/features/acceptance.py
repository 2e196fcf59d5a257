"""What an editor tells about suggestions: that one was accepted, by our command or in Copilot's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from lsp.features.wire import parsed
from lsp.greeting import ACCEPTED_COMMAND
from lsp.messages import CompletionEvent

if TYPE_CHECKING:
    from lsp.server import QuickfillServer


def execute_command(ls: QuickfillServer, params: types.ExecuteCommandParams) -> None:
    """`quickfill.accepted`, with a suggestion's id; there is no other command."""
    if params.command != ACCEPTED_COMMAND:
        raise JsonRpcInvalidParams(f"there is no command {params.command!r}")
    if params.arguments:
        ls.session.outcomes.accepted(str(params.arguments[0]))


def did_show(ls: QuickfillServer, params: object) -> None:
    """Suggestions count as shown when they are sent, so this is only understood, not counted."""


def did_partially_accept(ls: QuickfillServer, params: object) -> None:
    suggestion = parsed(CompletionEvent, params).item.suggestion
    if suggestion is not None:
        ls.session.outcomes.partially_accepted(suggestion)


def did_focus(ls: QuickfillServer, params: object) -> None:
    """Which document has the focus does not matter to us."""
