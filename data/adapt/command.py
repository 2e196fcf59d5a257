"""`quickfill adapt`: learn from a project's own code, and see what it was good for."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coder.errors import InputError
from coder.installation import missing_extra

if TYPE_CHECKING:
    from coder.train.adapt import AdaptSettings, Worth
    from coder.train.packed_rows import PackedRows

EPILOG = """
[bold]Examples[/bold]

quickfill adapt . --out project.safetensors               ten minutes

quickfill complete app.py:12 --adapter project.safetensors

quickfill lsp --adapter project.safetensors
"""

app = typer.Typer(
    add_completion=False, rich_markup_mode="rich", context_settings={"help_option_names": ["-h", "--help"]}
)


@app.command(epilog=EPILOG)
def adapt(
    folder: Annotated[Path, typer.Argument(metavar="PATH", help="The project's folder.", exists=True, file_okay=False)],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The adapter to be written, *.safetensors.")],
    model: Annotated[str, typer.Option(help="`embedded`, a checkpoint's folder, or a hub id.")] = "embedded",
    minutes: Annotated[float, typer.Option(min=0.0, help="The most time for training.")] = 10.0,
    epochs: Annotated[int, typer.Option(min=1, help="How often everything is seen, if there is time.")] = 3,
    rank: Annotated[int, typer.Option(min=1, max=256, help="Of the changes: how much can be learned.")] = 8,
    held_out: Annotated[float, typer.Option(min=0.01, max=0.9, help="Share of the files to judge by.")] = 0.15,
    holes: Annotated[int, typer.Option(min=1, help="Lines of these to be filled, before and after.")] = 40,
    seed: Annotated[int, typer.Option(help="Of what is held out, the holes and the training.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Adapt the model to a project: a small file of changes, for `complete` and `lsp`.

    Some files are not learned from; lines of theirs are filled before and after, so one sees what it was good for. On a
    GPU where there is one. What the ignore files name is not read.
    """
    if find_spec("torch") is None:
        raise missing_extra("adapting needs PyTorch", "torch")
    if out.suffix != ".safetensors":
        raise InputError(f"an adapter is a *.safetensors file; {out} is not called so")
    if out.exists() and not force:
        raise InputError(f"{out} is there already; replace it with --force, or name another file")
    out.absolute().parent.mkdir(parents=True, exist_ok=True)

    from tempfile import TemporaryDirectory

    from rich.console import Console

    from coder.model.checkpoint.opening import open_checkpoint
    from coder.train.adapt import AdaptSettings, Hole, worth
    from coder.train.packed_rows import PackedRows
    from data.adapt.project import Texts, read_project, settings_for, single_lines
    from data.pack.packing import PackingJob, pack

    console = Console(stderr=True)
    project = read_project(folder, held_out, seed)
    checkpoint = open_checkpoint(model)
    asked = [Hole(*parts) for parts in single_lines(project.held_out, holes, seed)]
    with TemporaryDirectory() as temporary:
        job = PackingJob.of(model, Path(temporary), settings_for(checkpoint.config.abilities), seed)
        for _ in pack([Texts(project.training)], job):
            pass
        with console.status("filling held-out lines as it is"):
            before = worth(model, asked)
        learned = _train(
            model,
            PackedRows(job.out),
            out,
            AdaptSettings(rank=rank, epochs=epochs, max_seconds=60 * minutes, seed=seed),
        )
    with console.status("filling the same lines as it is now"):
        after = worth(f"{model}+{out.resolve()}", asked)
    _report(out, f"{len(project.training)} files in {learned}", len(project.held_out), len(asked), before, after)


def _train(model: str, rows: PackedRows, out: Path, settings: AdaptSettings) -> str:
    """Train, and say how many of its steps there was time for."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from coder.train.adapt import adapt as learn

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        row = bar.add_task("learning", total=1.0, note="")
        said = "no step"
        for step in learn(model, rows, out, settings):
            said = f"{step.step} of {step.steps} steps"
            bar.update(row, completed=step.done, note=f"{said}, loss {step.loss:.3f}")
        bar.update(row, completed=1.0)
    return said


def _report(out: Path, learned: str, held_out: int, asked: int, before: Worth, after: Worth) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "before", "after", box=None, pad_edge=False)
    for name, share in before.exact.items():
        table.add_row(f"lines right, {name}", f"{share:.1%}", f"{after.exact[name]:.1%}")
    table.add_row("loss, nats a token", f"{before.loss:.3f}", f"{after.loss:.3f}")
    console = Console()
    console.print(f"learned from {learned}; {asked} lines of {held_out} others filled:", soft_wrap=True)
    console.print(table)
    size = out.stat().st_size / 1_000_000
    console.print(f"{out} ({size:.1f} MB), for --adapter", soft_wrap=True)
    if after.loss >= before.loss:
        Console(stderr=True).print("note: it got no better on held-out files; use it only if you know why")
