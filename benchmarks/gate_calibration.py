"""Measure how likely suggestions are to be right: `python -m benchmarks.gate_calibration --json FILE --picture SVG`."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

from benchmarks.held_out_packages import held_out_package
from benchmarks.report import Row, machine, print_figures, print_rows, report_console, write_json
from benchmarks.typing_sessions import Kind, TypingSession, typing_sessions
from coder.engine.engine import Engine
from lsp.documents import Document, Documents
from lsp.settings import Settings
from lsp.suggest.drafts import SuggestionQuery
from lsp.suggest.gate import CALIBRATION, Calibration, Gate, log_doubt
from lsp.suggest.search import Search
from lsp.suggest.surroundings import Cursor, SurroundingsSource, cursor_in

FITTED_ON, JUDGED_ON = ("pygls", "coder"), ("pathspec", "typer", "lsp")
"""Packages whose code the constants are fitted on, and others that the curve is drawn from: code that uses well-known
words, and this project's own, which is harder to guess."""

THRESHOLDS = tuple(step / 20 for step in range(20))

SHARES: dict[Kind, float] = {"block": 1.0, "line": 0.5, "prose": 0.3}
"""Sessions of a kind, as a share of those that are asked for."""

THOUGHTFUL, OTHERS = 3, 2
"""Places of a session: so many where people stop to think, and others."""

STOPS = re.compile(r"(?:^|\n)\s*$|(?:= |\(|return |: |, )$")
"""The text before a place where people think: a line's beginning, and what opens an expression."""

PATIENT_MS = 60_000
"""So that no answer depends on how fast this machine is."""

NOTHING = -1.0
"""In the place of a probability, where there is nothing to show."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """A suggestion where a user had typed so far.

    Attributes:
        doubt: about its first line, as `Calibration` weighs it; None where there is nothing to show.
        right: whether what was typed next begins with its first line.
    """

    situation: str
    doubt: float | None
    right: bool


class FirstLine(Search):
    """A search that ends with the line that is judged."""

    def _may_show_more(self) -> bool:
        return not self.found and super()._may_show_more()


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw the curve into this file.")] = None,
    sessions: Annotated[int, typer.Option(min=8, help="Stretches of code, of each kind.")] = 150,
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = "embedded",
) -> None:
    """Fit the gate's constants on some packages, and draw precision against show rate on others."""
    console = report_console()
    engine = Engine.load(model)
    fitted_on = list(places(engine, FITTED_ON, sessions))
    judged_on = list(places(engine, JUDGED_ON, sessions))
    fitted = fit(fitted_on)
    points = curve(judged_on, fitted)
    rows: list[Row] = [vars(point) for point in points]
    print_rows(console, f"{len(judged_on)} places of {', '.join(JUDGED_ON)}", rows)
    constants = {"bias": fitted.bias, "doubt": fitted.doubt}
    print_figures(console, f"Constants, fitted on {len(fitted_on)} places of {', '.join(FITTED_ON)}", constants)
    print_rows(console, "Said and seen", reliability(judged_on, fitted))
    situations = by_situation(judged_on)
    print_rows(console, f"At the default threshold of {CALIBRATION.threshold}", situations)
    if json is not None:
        figures = {"constants": constants, "curve": rows, "situations": situations}
        figures |= {"reliability": reliability(judged_on, fitted)}
        write_json(json, {**figures, "fitted_on": len(fitted_on), "judged_on": len(judged_on), "machine": machine()})
    if picture is not None:
        draw(points, picture)


def places(engine: Engine, packages: Sequence[str], sessions: int) -> Iterator[Place]:
    """Some places of typing sessions, with the suggestions of the model, which knows the rest of the package."""
    generator, surroundings = random.Random(0), SurroundingsSource()
    settings, gate = Settings(budget_ms=PATIENT_MS), Gate(chosen=0.0)
    for folder in {held_out_package(package).folder for package in packages}:
        engine.workspace_index(str(folder)).wait()
    for kind, share in SHARES.items():
        for session in typing_sessions(kind, math.ceil(share * sessions), 0, packages):
            folder = held_out_package(session.package).folder
            for done in sorted(stops(session, generator), key=len):
                text = session.before + done + session.after
                document = Document((folder.parent / session.file).as_uri(), "python", 1, text)
                offset = len(session.before) + len(done)
                cursor = cursor_in(document, offset, offset)
                gather = surroundings.around(document, offset, Documents(), settings, [folder.as_uri()])
                search = FirstLine(SuggestionQuery(cursor, settings, invoked=False, gather=gather), gate)
                search.run(engine)
                first_line = search.first_line if search.found else None
                right = bool(search.found) and comes_true(search.found[0].text, session.typed[len(done) :])
                yield Place(situation(kind, cursor), first_line, right)


def stops(session: TypingSession, generator: random.Random) -> set[str]:
    """Some beginnings of what is typed, of which most are places to think."""
    beginnings = list(accumulate(session.keystrokes(), initial=""))[:-1]
    thoughtful = [done for done in beginnings if STOPS.search(done)]
    chosen = generator.sample(thoughtful, min(THOUGHTFUL, len(thoughtful)))
    return {*chosen, *generator.sample(beginnings, min(OTHERS, len(beginnings)))}


def situation(kind: Kind, cursor: Cursor) -> str:
    """What a place is, in words."""
    if kind == "prose":
        return "comment or docstring"
    if cursor.mode == "line":
        return "inside a line"
    above, _, line = cursor.prefix.rpartition("\n")
    if line.strip():
        return "end of a line"
    return "first line of a block" if above.endswith(":") else "new line"


def comes_true(suggestion: str, to_come: str) -> bool:
    """Whether what is typed next begins with the suggestion's first line that is not blank."""
    blank = suggestion[: len(suggestion) - len(suggestion.lstrip())]
    return to_come.startswith((blank + suggestion.lstrip().partition("\n")[0]).rstrip())


def fit(places: Sequence[Place], ridge: float = 1e-2) -> Calibration:
    """Logistic regression with a small penalty, by Newton's method."""
    features = np.array([(1.0, log_doubt(place.doubt)) for place in places if place.doubt is not None])
    right = np.array([place.right for place in places if place.doubt is not None], np.float64)
    weights = np.zeros(features.shape[1])
    for _ in range(50):
        said = 1.0 / (1.0 + np.exp(-features @ weights))
        slope = features.T @ (right - said) - ridge * weights
        curvature = (features * (said * (1.0 - said))[:, None]).T @ features + ridge * np.eye(len(weights))
        weights += np.linalg.solve(curvature, slope)
    bias, doubt = (float(weight) for weight in weights)
    return replace(CALIBRATION, bias=bias, doubt=doubt)


@dataclass(frozen=True)
class Point:
    """Of the curve: `shown` is the share of places where something is shown, `right` the share of that which is right;
    None where nothing is shown."""

    threshold: float
    shown: float
    right: float | None


def curve(places: Sequence[Place], calibration: Calibration) -> list[Point]:
    """Precision against show rate, as the threshold rises."""
    said, right = _said_and_right(places, calibration)
    points = []
    for threshold in THRESHOLDS:
        shown = said >= threshold
        points.append(Point(threshold, float(shown.mean()), float(right[shown].mean()) if shown.any() else None))
    return points


def reliability(places: Sequence[Place], calibration: Calibration, bins: int = 5) -> list[Row]:
    """The probability that the gate gives beside the observed share, in groups of equal size."""
    said, right = _said_and_right([place for place in places if place.doubt is not None], calibration)
    return [
        {"said": float(said[group].mean()), "seen": float(right[group].mean()), "places": len(group)}
        for group in np.array_split(np.argsort(said), bins)
    ]


def by_situation(places: Sequence[Place]) -> list[Row]:
    """What the default gate shows of each kind of place, and how much of that is right."""
    rows: list[Row] = []
    for name in sorted({place.situation for place in places}):
        there = [place for place in places if place.situation == name]
        said, right = _said_and_right(there, CALIBRATION)
        shown = said >= CALIBRATION.threshold
        precision = float(right[shown].mean()) if shown.any() else None
        rows.append({"situation": name, "places": len(there), "shown": float(shown.mean()), "right": precision})
    return rows


def _said_and_right(places: Sequence[Place], calibration: Calibration) -> tuple[Floats, Floats]:
    said = [NOTHING if place.doubt is None else calibration.probability(place.doubt) for place in places]
    return np.array(said), np.array([place.right for place in places], np.float64)


def draw(points: Sequence[Point], file: Path) -> None:
    """Precision against show rate, with the thresholds along the curve."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "quickfill"
    from matplotlib import pyplot

    drawn = [(point.threshold, point.shown, point.right) for point in points if point.right is not None]
    figure, axes = pyplot.subplots(figsize=(6, 4))
    axes.plot([shown for _, shown, _ in drawn], [right for _, _, right in drawn], marker="o", markersize=4)
    for threshold, shown, right in drawn[::2]:
        axes.annotate(f"{threshold:.1f}", (shown, right), (4, 5), textcoords="offset points")
    _, shown, right = min(drawn, key=lambda point: abs(point[0] - CALIBRATION.threshold))
    axes.plot([shown], [right], "s", color="tab:red", label="default")
    axes.set(xlabel="share of places with a suggestion", ylabel="share of suggestions whose line is right")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(file, format="svg", metadata={"Date": None}, bbox_inches="tight")


if __name__ == "__main__":
    typer.run(main)
