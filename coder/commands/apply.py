"""`quickfill apply`: merge a lazy edit into a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coder.commands import edits, options, shared
from coder.commands.complete import read_target
from coder.commands.targets import STDIN, Target
from coder.commands.terminal import output
from coder.errors import InputError

if TYPE_CHECKING:
    from coder.api.completion import Score
    from coder.diffusion.events import TimeLimits
    from coder.engine.engine import Engine

EPILOG = """
[bold]Examples[/bold]

quickfill apply app.py edit.py                       the changes as a diff

pbpaste | quickfill apply app.py - --apply           written into the file

An edit repeats what changes and a little around it; `# ... existing code ...`, in the comments of the language, stands
for the rest.
"""


def apply(
    file: Annotated[Path, typer.Argument(help="The file to change.")],
    edit: Annotated[str, typer.Argument(metavar="EDIT", help="The file that holds the edit; `-` is standard input.")],
    apply: edits.Apply = False,
    json: options.Json = False,
    reading: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Of an edit with several readings, the one to take.")
    ] = None,
    language: options.Language = None,
    model: options.Model = "embedded",
    runtime: options.Runtime = "auto",
    threads: options.Threads = None,
) -> None:
    """Merge an edit into a file that says `... existing code ...` for what stays.

    Shows the changes as a diff. The syntax decides where each part belongs; the model is loaded only where several
    places are equally good. What cannot be merged, or does not parse then, is an error, and nothing is written. Where
    an edit can be read in ways that differ in what is lost, they are shown, and --reading chooses one.
    """
    if str(file) == STDIN:
        raise InputError("only the edit can come from standard input; name the file to change")
    region = edits.read_region(str(file), apply)

    from coder.api.completion import Where
    from coder.api.text_requests import ApplyRequest
    from coder.editing.apply import apply_edit

    engine: Engine | None = None

    def score(prefix: str, suffix: str, middle: str, limits: TimeLimits) -> Score:
        nonlocal engine
        engine = engine or shared.load_engine(model, runtime, threads)
        return engine.score(prefix, suffix, middle, limits)

    request = ApplyRequest(region.text, read_target(Target(edit, None)).text, Where(region.path, language), reading)
    applied = apply_edit(request, score)
    edits.finish(region, applied, apply, json, language, model)
    if not applied.changes:
        typer.echo("the file is so already", err=True)
        raise typer.Exit(output.NOTHING_TO_SUGGEST)
