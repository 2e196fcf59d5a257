"""What an editor tells about suggestions: that one was accepted, by our command or in Copilot's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lsp.features.wire import parsed
from lsp.wire.messages import CompletionEvent

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer


def accepted(ls: QuickfillServer, arguments: Sequence[object]) -> None:
    """`quickfill.accepted`, with a suggestion's id."""
    if arguments:
        ls.session.outcomes.accepted(str(arguments[0]))


def did_show(ls: QuickfillServer, params: object) -> None:
    """Suggestions count as shown when they are sent, so this is only understood, not counted."""


def did_partially_accept(ls: QuickfillServer, params: object) -> None:
    suggestion = parsed(CompletionEvent, params).item.suggestion
    if suggestion is not None:
        ls.session.outcomes.partially_accepted(suggestion)


def did_show_inline_edit(ls: QuickfillServer, params: object) -> None:
    """The same for a next edit."""


def did_focus(ls: QuickfillServer, params: object) -> None:
    """Which document has the focus does not matter to us."""
