"""`quickfill calibrate`: smoothing factors for a checkpoint, so that it loses less in int8."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coder.commands.terminal.source import read_source, unix_line_breaks
from coder.errors import InputError

EPILOG = """
[bold]Example[/bold]

quickfill calibrate my-checkpoint src/*.py
"""


def calibrate(
    folder: Annotated[Path, typer.Argument(help="The checkpoint; the factors are written into it.")],
    sources: Annotated[list[Path], typer.Argument(help="Source files of the kind it will complete, some twenty.")],
) -> None:
    """Measure a checkpoint's outlier channels over source files, so that it loses less in int8.

    The factors change nothing that the checkpoint computes. Needs the extra `torch`.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; download the checkpoint first")
    texts = [unix_line_breaks(read_source(source).text) for source in sources]

    from coder.model.checkpoint.opening import open_checkpoint
    from coder.model.convert.smoothing import SMOOTHING_FILE, save_smoothing
    from coder.model.torch.calibration import calibrate as measure

    save_smoothing(folder, measure(open_checkpoint(str(folder)), texts))
    typer.echo(f"wrote {folder / SMOOTHING_FILE}, from {len(texts)} files")
