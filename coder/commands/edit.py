"""`quickfill edit`: rewrite lines of a file as an instruction says."""

from __future__ import annotations

from typing import Annotated

import typer

from coder.api.completion import Decoding, Where
from coder.commands import edits, options, shared
from coder.commands.targets import FILE_LINES
from coder.commands.terminal import output
from coder.errors import InputError

EPILOG = """
[bold]Examples[/bold]

quickfill edit app.py:10-14 "write the docstring"

quickfill edit app.py:20-31 "fill the body" --apply

quickfill edit app.py:40                             this line, otherwise
"""


def edit(
    target: Annotated[str, typer.Argument(metavar="FILE:LINE[-LINE]", help="Whole lines, the last one included.")],
    instruction: Annotated[str, typer.Argument(help="What to do with them, in a few words.")] = "",
    apply: edits.Apply = False,
    json: options.Json = False,
    language: options.Language = None,
    model: options.Model = "embedded",
    runtime: options.Runtime = "auto",
    threads: options.Threads = None,
    policy: options.Policy = "auto",
    max_tokens: options.MaxTokens = 256,
    deadline_ms: options.Deadline = None,
) -> None:
    """Rewrite lines of a file as an instruction says.

    Shows the changes as a diff. A model that has not learned to rewrite code writes only where nothing is lost: a
    missing docstring, the body of a function that does nothing yet, an empty line. Elsewhere it is an error.
    """
    if not FILE_LINES.fullmatch(target):
        raise InputError(f"{target!r} names no lines: write FILE:LINE or FILE:LINE-LINE, for example app.py:10-14")
    region = edits.read_region(target, apply)
    engine = shared.load_engine(model, runtime, threads, warm=deadline_ms is not None)

    from coder.api.text_requests import EditRequest

    request = EditRequest(
        text=region.text,
        start=region.start,
        end=region.end,
        instruction=instruction,
        where=Where(path=region.path, language=language),
        decoding=Decoding(policy=policy, max_tokens=max_tokens, deadline_ms=deadline_ms),
    )
    edited = shared.interruptible(lambda cancelled: engine.edit(request, cancelled))
    edits.finish(region, edited, apply, json, language, engine.model_name)
    if not edited.changes:
        typer.echo(f"nothing is changed: {edited.unused}" if edited.unused else "nothing to suggest here", err=True)
        raise typer.Exit(output.NOTHING_TO_SUGGEST)
