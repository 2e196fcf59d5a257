"""`quickfill lsp`: the language server's command."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

app = typer.Typer(context_settings={"help_option_names": ["-h", "--help"]})


@app.callback(invoke_without_command=True)
def lsp(
    log_level: Annotated[
        str, typer.Option(help="error, warning, info or debug; written to standard error.")
    ] = "warning",
) -> None:
    """Serve an editor over standard input and output (Language Server Protocol 3.18)."""
    from lsp.greeting import greet

    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    # What a library prints must not get between the messages.
    sys.stdout = sys.stderr
    client = greet(incoming, outgoing)
    if client is None:
        raise typer.Exit(1)
    from lsp.server import run

    raise typer.Exit(run(client, incoming, outgoing))
