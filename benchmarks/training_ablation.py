"""Find out what in the recipe matters: `python -m benchmarks.training_ablation OUT --rows ROWS --held-out ROWS`."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.report import Row, print_rows, report_console
from coder.api.stopping import MISPLACED
from coder.errors import InputError
from coder.train.held_out import MOST_SLOTS
from coder.train.infilling import METHODS
from coder.train.run import train
from coder.train.run_folder import last_checkpoint
from coder.train.settings_file import read_settings
from evals.commands import run as run_evaluation
from evals.run_files import read_scored

EXAMPLE = Path(__file__).parents[1] / "examples" / "training" / "ablation"
RESULTS = "results.jsonl"

HOLES = "humaneval-infilling-single-line"


@dataclass(frozen=True)
class Arm:
    """One recipe: its settings that differ, by their dotted names."""

    name: str
    changes: Mapping[str, Any]

    @property
    def folder(self) -> str:
        return self.name.replace(" ", "-")


@dataclass(frozen=True)
class ArmResult:
    """Figures of an arm: of the held-out loss, as a run has them, and of filled holes, by way of decoding."""

    arm: str
    losses: dict[str, float]
    filled: dict[str, dict[str, float]]


def main(
    out: Annotated[Path, typer.Argument(help="A folder for the arms; what is there already is gone on with.")],
    rows: Annotated[Path, typer.Option(help="Packed rows that every arm is trained on.")],
    held_out: Annotated[Path, typer.Option(help="Packed rows for the held-out loss.")],
    init: Annotated[str, typer.Option(help="Weights that every arm begins with.")] = "base",
    settings: Annotated[Path, typer.Option(help="What the arms share.")] = EXAMPLE / "settings.toml",
    arms: Annotated[Path, typer.Option(help="What each of them changes.")] = EXAMPLE / "arms.toml",
    steps: Annotated[int | None, typer.Option(min=1, help="Of each arm; by default as the settings say.")] = None,
    holes: Annotated[int, typer.Option(min=0, help="Held-out holes that each arm fills, by both decodings.")] = 100,
    most_arms: Annotated[int | None, typer.Option(min=1, help="Finish so many arms, and stop.")] = None,
    slice_seconds: Annotated[float | None, typer.Option(help="Save and stop after so many seconds.")] = None,
) -> None:
    """Train arm after arm for the same steps, from the same weights, on the same rows with the same noise.

    Interrupted or stopped, the same command goes on where it was. A line of results.jsonl is an arm that is done.
    """
    shared = {
        "data.rows": rows,
        "data.held_out": held_out,
        "model.init": init,
        "budget.max_steps": steps,
        "budget.slice_seconds": slice_seconds,
    }
    done = read_results(out / RESULTS)
    left = [arm for arm in read_arms(arms) if arm.name not in done]
    for arm in left[:most_arms]:
        run = out / arm.folder / "run"
        figures = train(read_settings(settings, {**shared, **arm.changes, "run.out": run}))
        if not figures:
            raise typer.Exit(130)
        filled = fill(last_checkpoint(run), out / arm.folder / "holes", holes) if holes else {}
        result = ArmResult(arm.name, {name.removeprefix("eval_"): value for name, value in figures.items()}, filled)
        with (out / RESULTS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result)) + "\n")
        done[arm.name] = result
    console = report_console()
    print_rows(console, "Held-out loss and filled holes", list(table(list(done.values()))))
    print_rows(console, "Held-out nats of fully masked canvases, by slot", list(slots(list(done.values()))))


def read_arms(file: Path) -> list[Arm]:
    """The arms of a file: a table each, with sections of settings in it. Raises InputError."""
    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8"))
        return [
            Arm(name, {f"{section}.{key}": value for section, own in arm.items() for key, value in own.items()})
            for name, arm in tree.items()
        ]
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{file} should hold a table for each arm, with sections of settings ({error})") from error


def read_results(file: Path) -> dict[str, ArmResult]:
    """The arms that are done, by name; a line that was cut off is none."""
    found: dict[str, ArmResult] = {}
    for line in file.read_text(encoding="utf-8").splitlines(keepends=True) if file.is_file() else []:
        if line.endswith("\n"):
            result = ArmResult(**json.loads(line))
            found[result.arm] = result
    return found


def fill(checkpoint: Path, folder: Path, holes: int) -> dict[str, dict[str, float]]:
    """The figures of holes that are filled and executed, the same ones for every arm, by way of decoding."""
    specs = [
        f"engine:{checkpoint},policy={method.policy}" + (f",canvas={method.canvas_size}" if method.canvas_size else "")
        for method in METHODS
    ]
    run_evaluation(HOLES, folder, backend=specs, sample=holes)
    summaries = [read_scored(file) for file in sorted(folder.glob("*.scored.json"))]
    return {
        str(summary.run["backend"]["policy"]).partition(":")[0]: {
            name: one.value for name, one in summary.columns.items()
        }
        for summary in summaries
    }


def table(results: Sequence[ArmResult]) -> Iterator[Row]:
    """A row an arm: its losses, and for each way of decoding the share of holes that pass and of misplaced ends."""
    for result in results:
        row: dict[str, object] = {"arm": result.arm}
        row |= {name: result.losses.get(name) for name in ("loss", "next_token", "canvas", "full", "local")}
        for decoding, figures in result.filled.items():
            row |= {f"{decoding} {name}": figures.get(name) for name in ("pass@1", *MISPLACED)}
        yield row


def slots(results: Sequence[ArmResult]) -> Iterator[Row]:
    """A row an arm: its loss in each slot, and below it that of its local autoregression."""
    for result in results:
        for name in ("full", "local"):
            values = {str(slot): result.losses.get(f"{name}_{slot}") for slot in range(1, MOST_SLOTS + 1)}
            yield {"arm": result.arm, "by": name, **values}


if __name__ == "__main__":
    typer.run(main)
