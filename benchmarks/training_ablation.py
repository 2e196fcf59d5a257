"""What in the recipe matters: `python -m benchmarks.training_ablation ROWS OUT`. The README beside this explains it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.infilling_pass_rate import Holes, fill_and_judge, held_out_holes
from benchmarks.report import Row, print_rows, report_console, write_json
from coder.engine.engine import Engine
from coder.model.checkpoint.opening import EMBEDDED
from coder.model.convert.convert import convert
from coder.train.infilling import METHODS
from coder.train.run import train
from coder.train.run_folder import newest_checkpoint
from coder.train.settings_file import parse_settings
from evals.backends.engine_backend import EngineBackend, EngineSettings
from evals.scoring.summary import PASS, Summary, compare_runs

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
    """What weights write into the holes in int8, by both ways of decoding; remembered in the arm's folder."""
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


if __name__ == "__main__":
    typer.run(main)
