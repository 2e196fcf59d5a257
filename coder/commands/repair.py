"""`quickfill repair`: find and correct errors of a file, or leave it alone."""

from __future__ import annotations

from typing import Annotated

import typer

from coder.api.completion import Decoding, Where
from coder.commands import edits, options, shared

EPILOG = """
[bold]Examples[/bold]

quickfill repair app.py                    what is wrong in it, as a diff

quickfill repair app.py:10-30 --apply      in these lines, written into the file

quickfill repair app.py:12 --wrong         this line is wrong, whatever it looks like
"""


def repair(
    target: Annotated[
        str, typer.Argument(metavar="FILE[:LINE[-LINE]]", help="Where changes are allowed; `-` reads standard input.")
    ],
    wrong: Annotated[
        bool, typer.Option("--wrong", help="Something is wrong there: change it for anything that is likelier.")
    ] = False,
    apply: edits.Apply = False,
    json: options.Json = False,
    language: options.Language = None,
    model: options.Model = "embedded",
    runtime: options.Runtime = "auto",
    threads: options.Threads = None,
    deadline_ms: options.Deadline = None,
) -> None:
    """Repair code: syntax errors, names that nothing defines, and what the model is sure is a slip.

    Code in which nothing seems wrong is left alone. Meaning is best judged in a function or two, so name their lines.
    """
    region = edits.read_region(target, apply)
    engine = shared.load_engine(model, runtime, threads, warm=deadline_ms is not None)

    from coder.api.text_requests import Diagnostic, RepairRequest

    request = RepairRequest(
        text=region.text,
        start=region.start,
        end=region.end,
        diagnostics=(Diagnostic(region.start, region.end),) if wrong else (),
        where=Where(path=region.path, language=language),
        decoding=Decoding(deadline_ms=deadline_ms),
    )
    edited = shared.interruptible(lambda cancelled: engine.repair(request, cancelled))
    edits.finish(region, edited, apply, json, language, engine.model_name)
    if edited.broken_line is not None:
        left = "the file is left as it is" if not edited.changes else "the rest is left as it is"
        typer.echo(f"line {edited.broken_line} is broken, and nothing was found that mends it: {left}", err=True)
    elif not edited.changes:
        typer.echo("nothing to repair", err=True)
