"""Train arms that differ in one part of the recipe: `python -m benchmarks.studies.training_ablation ROWS OUT`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.report import Row, print_rows, report_console, write_json
from coder.engine.engine import Engine
from coder.model.checkpoint.opening import EMBEDDED
from coder.model.convert.convert import convert
from coder.train.infilling import METHODS
from coder.train.run import train
from coder.train.run_folder import newest_checkpoint
from coder.train.settings_file import parse_settings
from evals.backends.backend import Backend, SamplingSettings
from evals.backends.engine_backend import EngineBackend, EngineSettings
from evals.benchmarks.benchmark import Benchmark
from evals.benchmarks.infilling import MultiLine, SingleLine
from evals.generation import choose_tasks, describe_run
from evals.progress import generate_with_progress, score_with_progress
from evals.run_files import RunFiles
from evals.scoring.summary import PASS, Summary, compare_runs, summarize
from evals.task import Task

BEFORE = "before"
"""The weights that every arm begins with."""

BATCH = 8
"""Holes that are filled together."""

Scores = Mapping[tuple[str, str], Summary]
"""Scored answers by way of decoding and kind of hole."""


@dataclass(frozen=True)
class Arm:
    """One recipe: how its settings differ from the first's, and which of the packed rows it trains on."""

    name: str
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rows: str = "functions"


ARMS = (
    Arm("recipe"),
    Arm("loss everywhere", {"objective": {"middles_only": False}}),
    Arm("whole embedding", {"optimizer": {"frozen_embedding": False}}),
    Arm("larger steps", {"optimizer": {"learning_rate": 4e-4}}),
    Arm("bold steps", {"optimizer": {"learning_rate": 2e-3}}),
    Arm("cut at random", rows="anywhere"),
    Arm("short holes", rows="short-holes"),
    Arm("no wrong tokens", {"objective": {"wrong_token_blocks": 0.0}}),
    Arm("one canvas size", {"objective": {"block_sizes": [16]}}),
)
"""The first is what the others are compared with."""


def main(
    rows: Annotated[Path, typer.Argument(help="A folder of packed rows: `functions`, and what other arms train on.")],
    out: Annotated[Path, typer.Argument(help="A folder for the arms; what is there already is gone on with.")],
    init: Annotated[str, typer.Option(help="Weights that every arm begins with.")] = EMBEDDED,
    steps: Annotated[int, typer.Option(help="Of each arm.")] = 150,
    batch: Annotated[int, typer.Option(help="Rows of a step.")] = 2,
    learning_rate: Annotated[
        float | None, typer.Option(help="Of the arms that have none of their own; by default the recipe's.")
    ] = None,
    holes: Annotated[int, typer.Option(help="Held-out holes of each kind that every arm fills.")] = 150,
    seed: Annotated[int, typer.Option(help="Which holes.")] = 0,
    max_tokens: Annotated[int, typer.Option(help="The most tokens of an answer.")] = 128,
    arm: Annotated[list[str] | None, typer.Option(help="Only these arms.")] = None,
    trained_only: Annotated[bool, typer.Option(help="Leave out what is not trained yet.")] = False,
    workers: Annotated[int | None, typer.Option(help="Answers executed at a time; one a core unless given.")] = None,
    report: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
) -> None:
    """Train every arm for the same steps from the same weights on the same noise, and let all fill the same holes.

    Interrupted, the same command goes on: in the arm under way from its last checkpoint, and in its answers.
    """
    chosen = [one for one in ARMS if not arm or one.name in arm]
    missing = {str(rows / one.rows) for one in chosen if not (rows / one.rows).is_dir()}
    if missing and not trained_only:
        raise typer.BadParameter(f"there is no {', '.join(sorted(missing))}; pack these rows, or choose arms by --arm")
    optimizer: dict[str, Any] = {"rows": batch}
    if learning_rate is not None:
        optimizer["learning_rate"] = learning_rate
    trained: dict[str, str] = {BEFORE: init}
    for one in chosen:
        folder = arm_folder(out, one.name)
        done = finished(folder, steps) if trained_only else trained_arm(one, folder, rows, init, steps, optimizer)
        if done is not None:
            trained[one.name] = str(done)
        elif not trained_only:
            raise typer.Exit(130)
    held_out = held_out_holes(holes, seed)
    scores = {
        name: scores_of(name, weights, arm_folder(out, name), held_out, max_tokens, workers)
        for name, weights in trained.items()
    }
    table = list(compared(scores))
    print_rows(report_console(), f"after {steps} steps of {batch} rows; {holes} holes of each kind", table)
    if report is not None:
        settings = {"steps": steps, **optimizer, "holes": holes, "seed": seed, "max_tokens": max_tokens}
        write_json(report, {"arms": table, **settings})


def arm_folder(out: Path, name: str) -> Path:
    return out / name.replace(" ", "-")


def finished(folder: Path, steps: int) -> Path | None:
    """The checkpoint that an arm ends with, if it is that far."""
    newest = newest_checkpoint(folder)
    return newest if newest is not None and newest.name == f"checkpoint-{steps}" else None


def trained_arm(arm: Arm, folder: Path, rows: Path, init: str, steps: int, optimizer: Mapping[str, Any]) -> Path | None:
    """The last checkpoint of an arm, which is trained now where it is not yet; None where it was interrupted."""
    tree: dict[str, dict[str, Any]] = {
        "data": {"rows": rows / arm.rows},
        "model": {"init": init, "version": arm.name},
        "objective": {},
        "optimizer": dict(optimizer),
        "budget": {"max_steps": steps},
        "run": {"out": folder, "evaluate_every": 0, "save_every": 25, "keep": 1},
    }
    for section, values in arm.changes.items():
        tree[section] |= values
    if finished(folder, steps) is None:
        train(parse_settings(tree, arm.name))
    return finished(folder, steps)


def scores_of(
    name: str, weights: str, folder: Path, holes: Sequence[Holes], max_tokens: int, workers: int | None
) -> Scores:
    """The answers of some weights to the holes in int8, by both ways of decoding; remembered in the arm's folder."""
    convert(weights, folder / "int8", force=True)
    engine = Engine.load(str(folder / "int8"), runtime="onnx")
    scores: dict[tuple[str, str], Summary] = {}
    try:
        for method in METHODS:
            settings = EngineSettings(name, method.policy, method.canvas_size, runtime="onnx", batch=BATCH)
            backend = EngineBackend(settings, engine)
            by_kind = fill_and_judge(backend, holes, folder / "answers", max_tokens, workers)
            scores |= {(method.name, kind): summary for kind, summary in by_kind.items()}
    finally:
        engine.close()
    return scores


def compared(scores: Mapping[str, Scores]) -> Iterator[Row]:
    """A row for each arm, way of decoding and kind of hole: the shares of answers that pass and that are exact, and the
    holes won and lost against the first arm, with McNemar's exact p. Without an arm, "before" is compared with itself.
    """
    first = next((own for name, own in scores.items() if name != BEFORE), scores[BEFORE])
    for name, own in scores.items():
        for (decoding, kind), summary in own.items():
            against = compare_runs(first[decoding, kind], summary)
            yield {
                "arm": name,
                "decoding": decoding,
                "holes": kind,
                "passed": summary.columns[PASS].value,
                "exact": summary.columns["exact match"].value,
                "won": against.only_second,
                "lost": against.only_first,
                "p": against.p_value,
            }


BOTH = "both"
"""The name of the holes of all kinds together."""


@dataclass(frozen=True)
class Holes:
    """Holes of one kind."""

    kind: str
    benchmark: Benchmark
    tasks: list[Task]


def held_out_holes(each: int, seed: int = 0) -> list[Holes]:
    """So many single-line and so many multi-line holes, which `seed` draws."""
    benchmarks = {"single-line": SingleLine(), "multi-line": MultiLine()}
    return [Holes(kind, one, choose_tasks(one.tasks(), each, seed)) for kind, one in benchmarks.items()]


def fill_and_judge(
    backend: Backend, holes: Sequence[Holes], folder: Path, max_tokens: int, workers: int | None = None
) -> dict[str, Summary]:
    """The scored answers by kind of hole, and those of all kinds together.

    Answers and verdicts are kept in `folder`, named by the backend and by a hash of all that decides them: nothing is
    asked or executed twice, and other holes, weights or settings have files of their own.

    Raises SandboxError where programs cannot be run safely.
    """
    found: dict[str, Summary] = {}
    for one in holes:
        decoding = SamplingSettings(max_tokens)
        run = describe_run(one.benchmark, one.tasks, backend, decoding, 1)
        key = hashlib.sha256(json.dumps(run, sort_keys=True).encode("ascii")).hexdigest()[:12]
        files = RunFiles(folder)
        answers = files.add(f"{backend.identity.label} {one.kind} {key}")
        generate_with_progress(one.benchmark, one.tasks, backend, answers, decoding, 1)
        found[one.kind] = score_with_progress(
            one.benchmark, one.tasks, answers, files.verdicts(answers), workers, allow_unsandboxed=False
        )
    results = [result for summary in found.values() for result in summary.results]
    return {**found, BOTH: summarize(BOTH, results, {"label": backend.identity.label})}


if __name__ == "__main__":
    typer.run(main)
