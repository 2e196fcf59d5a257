"""The `quickfill` command: its commands, those of plugins, and what an error looks like from outside."""

from __future__ import annotations

import errno
import json
import os
import sys
from importlib import metadata
from typing import Annotated

import typer

from coder.commands import (
    apply,
    calibrate,
    complete,
    convert,
    doctor,
    edit,
    fill,
    generate,
    info,
    models,
    repair,
    score,
    serve,
    train,
)
from coder.commands.plugins import PluginGroup
from coder.errors import INTERRUPTED, QuickfillError

UNWRITABLE = 1

EPILOG = """
[bold]Start here[/bold]

quickfill complete app.py:12 --watch      see line 12 being written

quickfill complete app.py:12 --apply      write it into the file

quickfill fill app.py --watch             see every <fill> in it being written

quickfill generate "the n-th prime"       a function from a sentence

quickfill doctor                          what works here, what is missing

[bold]Exit codes[/bold]

0 done, 2 bad input, 3 unusable checkpoint, 4 something is not installed,
5 nothing to suggest, 130 interrupted
"""

app = typer.Typer(
    name="quickfill",
    cls=PluginGroup,
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(epilog=complete.EPILOG)(complete.complete)
app.command(epilog=fill.EPILOG)(fill.fill)
app.command(epilog=repair.EPILOG)(repair.repair)
app.command(epilog=edit.EPILOG)(edit.edit)
app.command(epilog=apply.EPILOG)(apply.apply)
app.command(epilog=generate.EPILOG)(generate.generate)
app.command(epilog=score.EPILOG)(score.score)
app.command()(info.info)
app.command(epilog=doctor.EPILOG)(doctor.doctor)
app.command(epilog=models.EPILOG)(models.models)
app.command(epilog=calibrate.EPILOG)(calibrate.calibrate)
app.command(epilog=convert.EPILOG)(convert.convert)
app.command(epilog=serve.EPILOG)(serve.serve)
app.add_typer(train.app, name="train")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"quickfill {metadata.version('quickfill')}")
        raise typer.Exit


@app.callback()
def quickfill(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Write code with a diffusion model: a whole block at once, refined until it is done. Offline."""


def main() -> None:
    """Run the command line and leave with its exit code. With `--json` errors are a JSON object on standard output."""
    as_json = "--json" in sys.argv
    try:
        code = app(standalone_mode=not as_json)
    except QuickfillError as error:
        code = _report(str(error), error.exit_code, as_json)
    except typer.TyperException as error:
        code = _report(error.format_message(), error.exit_code, as_json)
    except OSError as error:
        code = _unwritable(error)
    if as_json and code == INTERRUPTED:
        _report("interrupted", INTERRUPTED, as_json)
    sys.exit(code)


def _unwritable(error: OSError) -> int:
    """Say that standard output takes nothing: a full disk or device. What is left in its buffer is thrown away."""
    if error.errno not in (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG):
        raise error
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    typer.echo(f"error: the answer cannot be written: {error.strerror}", err=True)
    return UNWRITABLE


def _report(message: str, exit_code: int, as_json: bool) -> int:
    typer.echo(f"error: {message}", err=True)
    if as_json:
        typer.echo(json.dumps({"error": message, "exit_code": exit_code}))
    return exit_code
