"""What in the recipe matters: `python -m benchmarks.training_ablation ROWS OUT`. The README beside this explains it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.code_holes import human_eval_holes
from benchmarks.report import Row, print_rows, report_console, write_json
from coder.engine import Engine
from coder.model.checkpoint import EMBEDDED
from coder.model.convert import convert
from coder.train.infilling import METHODS, Answer, Hole, fill_with
from coder.train.run import train
from coder.train.run_folder import last_checkpoint, newest_checkpoint
from coder.train.settings_file import parse_settings

ANSWERS = "answers.json"
MAX_TOKENS = 64


@dataclass(frozen=True)
class Arm:
    """One recipe: how it differs from the first, and whether it trains on the mixed rows."""

    name: str
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    mixed: bool = False


ARMS = (
    Arm("recipe"),
    Arm("loss everywhere", {"objective": {"middles_only": False}}),
    Arm("whole embedding", {"optimizer": {"frozen_embedding": False}}),
    Arm("bold steps", {"optimizer": {"learning_rate": 2e-3}}),
    Arm("cut at random", mixed=True),
    Arm("no wrong tokens", {"objective": {"wrong_token_blocks": 0.0}}),
    Arm("one canvas size", {"objective": {"block_sizes": [16]}}),
)
"""The first is what the others are compared with."""


def main(
    rows: Annotated[Path, typer.Argument(help="Packed rows of function examples.")],
    out: Annotated[Path, typer.Argument(help="A folder for the arms; what is there already is gone on with.")],
    mixed: Annotated[
        Path | None, typer.Option(help="Packed rows of other examples, for the arm that has no functions.")
    ] = None,
    init: Annotated[str, typer.Option(help="Weights that every arm begins with.")] = EMBEDDED,
    steps: Annotated[int, typer.Option(help="Of each arm.")] = 150,
    batch: Annotated[int, typer.Option(help="Rows of a step.")] = 2,
    holes: Annotated[int, typer.Option(help="Held-out holes that every arm fills.")] = 300,
    arm: Annotated[list[str] | None, typer.Option(help="Only these arms.")] = None,
    report: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
) -> None:
    """Train every arm for the same steps from the same weights on the same noise, and let all fill the same holes.

    Interrupted, the same command goes on: in the arm under way from its last checkpoint.
    """
    chosen = [one for one in ARMS if (not arm or one.name in arm) and (mixed is not None or not one.mixed)]
    held_out = [Hole(hole.prefix, hole.middle, hole.suffix) for hole in human_eval_holes(holes)]
    answers = {}
    for one in chosen:
        folder = out / one.name.replace(" ", "-")
        source = mixed if one.mixed and mixed is not None else rows
        trained = trained_arm(one, folder, source, init, steps, batch)
        if trained is None:
            raise typer.Exit(130)
        answers[one.name] = answers_of(trained, folder, held_out)
    table = list(compared(answers))
    print_rows(report_console(), f"after {steps} steps of {batch} rows; {len(held_out)} holes", table)
    if report is not None:
        write_json(report, {"arms": table, "steps": steps, "batch": batch, "holes": len(held_out)})


def trained_arm(arm: Arm, folder: Path, rows: Path, init: str, steps: int, batch: int) -> Path | None:
    """The last checkpoint of an arm, which is trained now where it is not yet; None where it was interrupted."""
    tree: dict[str, dict[str, Any]] = {
        "data": {"rows": rows},
        "model": {"init": init, "version": arm.name},
        "objective": {},
        "optimizer": {"rows": batch},
        "budget": {"max_steps": steps},
        "run": {"out": folder, "evaluate_every": 0, "save_every": 25, "keep": 1},
    }
    for section, values in arm.changes.items():
        tree[section] |= values
    done = newest_checkpoint(folder)
    if done is None or done.name != f"checkpoint-{steps}":
        train(parse_settings(tree, arm.name))
    done = last_checkpoint(folder)
    return done if done.name == f"checkpoint-{steps}" else None


def answers_of(checkpoint: Path, folder: Path, holes: list[Hole]) -> list[dict[str, Any]]:
    """What the arm writes into the holes, in int8, remembered beside it."""
    file = folder / ANSWERS
    if file.is_file() and len(known := json.loads(file.read_text(encoding="utf-8"))) == len(holes) * len(METHODS):
        return known
    convert(str(checkpoint), folder / "int8", force=True)
    engine = Engine.load(str(folder / "int8"), runtime="onnx")
    try:
        found = [_record(answer) for answer in fill_with(engine, holes, MAX_TOKENS, METHODS)]
    finally:
        engine.close()
    file.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found


def compared(answers: Mapping[str, list[dict[str, Any]]]) -> Iterator[Row]:
    """A row for each arm and way of decoding: exact answers, and against the first arm those won and lost."""
    from scipy.stats import binomtest

    first = next(iter(answers.values()))
    for name, own in answers.items():
        for method in METHODS:
            right = [answer["exact"] for answer in own if answer["policy"] == method.policy]
            lines = [answer["first_line"] for answer in own if answer["policy"] == method.policy]
            reference = [answer["exact"] for answer in first if answer["policy"] == method.policy]
            won = sum(here and not there for here, there in zip(right, reference, strict=True))
            lost = sum(there and not here for here, there in zip(right, reference, strict=True))
            yield {
                "arm": name,
                "decoding": method.policy,
                "exact": sum(right) / len(right),
                "first_line": sum(lines) / len(lines),
                "won": won,
                "lost": lost,
                # McNemar's test, exact: of the holes in which they differ, half would be won by chance.
                "p": float(binomtest(won, won + lost).pvalue) if won + lost else 1.0,
            }


def _record(answer: Answer) -> dict[str, Any]:
    return {
        "policy": answer.method.policy,
        "text": answer.text,
        "exact": answer.exact,
        "first_line": answer.first_line,
    }


if __name__ == "__main__":
    typer.run(main)
