"""What ghost text and the completion menu have in common."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from lsprotocol import types

from coder.errors import QuickfillError
from lsp.suggest.candidate import Watcher
from lsp.suggest.cursor import Cursor
from lsp.suggest.silence import wants_suggestions
from lsp.suggest.suggester import Question
from lsp.suggest.suggestion_cache import Suggestion
from lsp.wire.greeting import ACCEPTED_COMMAND

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer

log = logging.getLogger(__name__)


async def suggestions_at(
    ls: QuickfillServer, cursor: Cursor, *, invoked: bool, watch: Watcher | None = None
) -> tuple[Suggestion, ...]:
    """Suggestions, counted as shown. Where the engine fails there are none: the status says why."""
    session, started = ls.session, time.monotonic()
    if not wants_suggestions(cursor.document, session.settings, session.folders):
        return ()
    try:
        gather = session.surroundings.around(
            cursor.document, cursor.start, session.documents, session.settings, session.folders
        )
        found = await session.suggester.suggest(Question(cursor, session.settings, invoked, gather, watch))
    except QuickfillError as error:
        log.warning("no suggestion: %s", error)
        return ()
    if found:
        session.metrics.add_latency(time.monotonic() - started)
    session.outcomes.shown(cursor, found)
    return found


def insertion(cursor: Cursor, suggestion: Suggestion, line_break: str) -> str:
    """What a suggestion inserts, with the line breaks of the document."""
    return (cursor.selected + suggestion.text).replace("\n", line_break)


def accept_command(suggestion: Suggestion) -> types.Command:
    """Tells which suggestion was accepted, and, to whom it may concern, how likely it was found to be right."""
    facts = {"probability": round(suggestion.probability, 4)}
    return types.Command("Suggestion accepted", ACCEPTED_COMMAND, arguments=[suggestion.id, facts])
