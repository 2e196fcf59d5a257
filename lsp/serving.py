"""Serving one editor: the greeting at once, then everything that takes longer to import."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

from lsp.wire.greeting import greet


def main() -> int:
    """Serve standard input and output as `quickfill lsp` without options does, which starts here: the command line
    takes longer to import than an editor should wait for its first answer."""
    return serve_standard_streams("WARNING")


def serve_standard_streams(log_level: str, adapter: Path | None = None) -> int:
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    # What a library prints must not come between the messages.
    sys.stdout = sys.stderr
    return serve(incoming, outgoing, log_level, adapter)


def serve(incoming: BinaryIO, outgoing: BinaryIO, log_level: str, adapter: Path | None = None) -> int:
    """Serve one editor. Returns the exit code: 0 after a proper shutdown, 1 otherwise, as the protocol asks for.

    Args:
        log_level: the least one, as `logging` spells it.
        adapter: added to the model that the editor's settings name.
    """
    client = greet(incoming, outgoing)
    if client is None:
        return 1
    import logging

    logging.basicConfig(level=log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if log_level != "DEBUG":
        # pygls warns of requests that are cancelled after they were answered, which is every other keystroke.
        logging.getLogger("pygls").setLevel(logging.ERROR)
    from lsp.engine.opening import opener_of
    from lsp.server import run

    return run(client, incoming, outgoing, opener_of(adapter))
