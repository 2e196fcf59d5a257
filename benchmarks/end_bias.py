"""Find how readily answers should end, for lines and for blocks: `python -m benchmarks.end_bias MODEL HOLES`."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.report import Row, machine, print_figures, print_rows, report_console, write_json
from coder.api.completion import Mode
from coder.engine.engine import Engine
from coder.errors import InputError
from coder.model.checkpoint.files import read_json
from coder.model.checkpoint.opening import find_checkpoint
from coder.train.infilling import METHODS, Hole, fill_with, read_holes, stopping_shares
from coder.train.run_folder import CONFIG_FILE, link

BIASES = "0.5 0 -0.5 -1 -1.5 -2 -2.5"

FIELDS: Mapping[Mode, str] = {"line": "line_bias", "block": "block_bias"}


def main(
    model: Annotated[str, typer.Argument(help="A checkpoint of this project: a folder, or `embedded`.")],
    holes: Annotated[Path, typer.Argument(help="Held-out holes as JSON lines: prefix, middle, suffix.")],
    biases: Annotated[str, typer.Option(help="Nats added to the end token, with spaces between them.")] = BIASES,
    count: Annotated[int, typer.Option(min=1, help="Holes of each kind, the first ones.")] = 100,
    max_tokens: Annotated[int, typer.Option(min=1, help="Of an answer.")] = 64,
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
) -> None:
    """Fill holes with every bias by both ways of decoding, and say which bias gives most exact answers of each kind."""
    found = read_holes(holes)
    values = [float(bias) for bias in biases.split()]
    kinds: dict[Mode, Sequence[Hole]] = {
        kind: [hole for hole in found if kind_of(hole) == kind][:count] for kind in FIELDS
    }
    if not values or not any(kinds.values()):
        raise InputError("give at least one bias and one hole")
    rows = [row for bias in values for row in measured(model, bias, kinds, max_tokens)]
    chosen: Row = {FIELDS[kind]: best_bias([row for row in rows if row["holes"] == kind]) for kind in FIELDS}
    console = report_console()
    print_rows(console, "Biases of the end token", rows)
    print_figures(console, "`ending` in config.json", chosen)
    if json is not None:
        write_json(json, {"biases": rows, "ending": chosen, "model": model, "machine": machine()})


def kind_of(hole: Hole) -> Mode:
    return "block" if "\n" in hole.middle.strip() else "line"


def measured(model: str, bias: float, kinds: Mapping[Mode, Sequence[Hole]], max_tokens: int) -> Iterator[Row]:
    """A row for each kind of holes and way of decoding, with a bias that counts for both kinds."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine.load(str(with_bias(find_checkpoint(model), Path(folder) / "model", bias)))
        try:
            for kind, holes in kinds.items():
                for method in METHODS if holes else ():
                    answers = fill_with(engine, holes, max_tokens, [method], kind)
                    yield {
                        "holes": kind,
                        "bias": bias,
                        "decoding": method.name,
                        "count": len(answers),
                        "exact": sum(answer.exact for answer in answers) / len(answers),
                        "first_line": sum(answer.first_line for answer in answers) / len(answers),
                        **stopping_shares(answers),
                    }
        finally:
            engine.close()


def with_bias(checkpoint: Path, folder: Path, bias: float) -> Path:
    """The same checkpoint in another folder, the end token's bias changed for lines and blocks alike."""
    shutil.copytree(checkpoint, folder, copy_function=link)
    config = read_json(folder / CONFIG_FILE)
    ending = {**config["quickfill"].get("ending", {}), **dict.fromkeys(FIELDS.values(), bias)}
    config["quickfill"]["ending"] = ending
    (folder / CONFIG_FILE).unlink()
    (folder / CONFIG_FILE).write_text(json.dumps(config), encoding="utf-8")
    return folder


def best_bias(rows: Sequence[Row]) -> float | None:
    """The bias with most exact answers, both ways of decoding together; of equal ones the smallest change."""
    exact: dict[float, float] = {}
    for row in rows:
        bias, share = row["bias"], row["exact"]
        assert isinstance(bias, float) and isinstance(share, float)
        exact[bias] = exact.get(bias, 0.0) + share
    return max(exact, key=lambda bias: (round(exact[bias], 9), -abs(bias)), default=None)


if __name__ == "__main__":
    typer.run(main)
