"""`quickfill eval arena`: two runs before people who do not know which is which."""

from __future__ import annotations

import webbrowser
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coder.errors import InputError
from coder.installation import missing_extra

if TYPE_CHECKING:
    from evals.arena.pairs import Votes
    from evals.records import Record


def arena(
    run_a: Annotated[Path, typer.Argument(metavar="RUN_A.jsonl", help="Answers, as `generate` and `run` write them.")],
    run_b: Annotated[Path, typer.Argument(metavar="RUN_B.jsonl", help="Answers of another backend.")],
    votes: Annotated[Path, typer.Option(metavar="FILE", help="Where votes go; those in it are kept.")] = Path(
        "votes.jsonl"
    ),
    benchmark: Annotated[str | None, typer.Option(help="What was answered, where the files do not say.")] = None,
    tasks: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The benchmark's published file, where it is one of a file.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the order and the sides.")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
) -> None:
    """Vote on pairs of answers in the browser, blind, and see which run people prefer."""
    absent = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if absent:
        raise missing_extra(f"the arena needs {', '.join(absent)}", "evals")
    from rich.console import Console

    from evals.arena.pairs import Votes, make_pairs
    from evals.arena.server import serve
    from evals.benchmarks.catalog import open_benchmark
    from evals.records import read_records

    first, second = read_records(run_a), read_records(run_b)
    named = benchmark or first[0].run.get("benchmark")
    if not named:
        raise InputError(f"{run_a} does not say which benchmark it answers; name it with --benchmark")
    by_id = {task.task_id: task for task in open_benchmark(named, tasks).tasks()}
    runs = _names(first, second, run_a, run_b)
    kept = Votes(votes, runs)
    pairs = make_pairs(runs, first, second, by_id, seed)
    console = Console()

    def ready(address: str) -> None:
        console.print(f"{len(kept.missing(pairs))} of {len(pairs)} pairs are waiting at {address}", markup=False)
        if browser:
            webbrowser.open(address)

    serve(pairs, kept, port, ready)
    console.print(_result(kept))


def _names(first: list[Record], second: list[Record], run_a: Path, run_b: Path) -> tuple[str, str]:
    """The runs' labels; their files' names where those are the same."""
    labels = (first[0].label, second[0].label)
    if labels[0] and labels[1] and labels[0] != labels[1]:
        return labels[0], labels[1]
    if run_a.name == run_b.name:
        return str(run_a), str(run_b)
    return run_a.name, run_b.name


def _result(votes: Votes):
    """A table of strengths."""
    from rich.table import Table

    from evals.arena.bradley_terry import strengths

    table = Table("run", title=f"{len(votes.given)} votes", box=None, pad_edge=False, title_justify="left")
    for name in ("preferred", "as good", "log-strength", "95 %"):
        table.add_column(name, justify="right")
    for found in strengths(votes.given):
        mine = [vote for vote in votes.given if found.run in (vote.left_run, vote.right_run)]
        won = sum(getattr(vote, f"{vote.choice}_run", None) == found.run for vote in mine)
        ties = sum(vote.choice == "tie" for vote in mine)
        interval = f"{found.low:+.2f} to {found.high:+.2f}"
        table.add_row(found.run, str(won), str(ties), f"{found.log_strength:+.2f}", interval)
    return table
