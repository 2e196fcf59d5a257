"""Measure how likely suggestions are to be right: `python -m benchmarks.gate_calibration --json FILE --picture SVG`."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

from benchmarks.report import Row, machine, print_figures, print_rows, report_console, write_json
from benchmarks.typing_replay import is_right
from benchmarks.typing_sessions import typing_sessions
from coder.api.completion import Completion, Mode
from coder.api.text_engine import TextEngine
from lsp.documents import Document
from lsp.engine.opening import load_in_process
from lsp.settings import Settings
from lsp.suggest.drafts import SuggestionQuery, drafts
from lsp.suggest.gate import CALIBRATION, Calibration
from lsp.suggest.surroundings import cursor_in

FITTED_ON, JUDGED_ON = ("pygls",), ("pathspec", "typer")
"""Packages whose code the constants are fitted on, and others that the curve is drawn from."""

THRESHOLDS = tuple(step / 20 for step in range(20))

PLACES_IN_A_SESSION = 4

PATIENT_MS = 60_000
"""So that no answer depends on how fast this machine is."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """A suggestion where a user had typed so far, and whether the rest of the line came true."""

    completion: Completion
    mode: Mode
    right: bool

    @property
    def features(self) -> tuple[float, float, float]:
        """The features that `Calibration` weighs: mean and total log-probability, and whether it is a block."""
        mean = float(np.log(np.clip(self.completion.confidence, 1e-6, 1.0)))
        return mean, mean * self.completion.tokens, float(self.mode == "block")


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw the curve into this file.")] = None,
    sessions: Annotated[int, typer.Option(min=8, help="Stretches of code, of each kind.")] = 150,
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = "embedded",
) -> None:
    """Fit the gate's constants on some packages, and draw precision against show rate on others."""
    console = report_console()
    engine = load_in_process(model, "auto")
    fitted_on = list(places(engine, FITTED_ON, sessions))
    judged_on = list(places(engine, JUDGED_ON, sessions))
    fitted = fit(fitted_on)
    points = curve(judged_on, fitted)
    rows: list[Row] = [vars(point) for point in points]
    print_rows(console, f"{len(judged_on)} places of {', '.join(JUDGED_ON)}", rows)
    constants = {name: getattr(fitted, name) for name in ("bias", "mean", "total", "block")}
    print_figures(console, f"Constants, fitted on {len(fitted_on)} places of {', '.join(FITTED_ON)}", constants)
    print_rows(console, "Said and seen", reliability(judged_on, fitted))
    if json is not None:
        figures = {"constants": constants, "curve": rows, "reliability": reliability(judged_on, fitted)}
        write_json(json, {**figures, "fitted_on": len(fitted_on), "judged_on": len(judged_on), "machine": machine()})
    if picture is not None:
        draw(points, picture)


def places(engine: TextEngine, packages: Sequence[str], sessions: int) -> Iterator[Place]:
    """The suggestions of the model at some keystrokes of typing sessions, where it has any."""
    generator = random.Random(0)
    settings = Settings(budget_ms=PATIENT_MS)
    for session in (*typing_sessions("block", sessions, 0, packages), *typing_sessions("line", sessions, 0, packages)):
        keys = list(session.keystrokes())
        for typed in generator.sample(range(len(keys)), min(PLACES_IN_A_SESSION, len(keys))):
            done = "".join(keys[:typed])
            document = Document("file:///benchmark.py", "python", 1, session.before + done + session.after)
            offset = len(session.before) + len(done)
            cursor = cursor_in(document, offset, offset)
            draft = next(drafts(engine, SuggestionQuery(cursor, settings, invoked=False), threading.Event()))
            if text := draft.completion.text:
                yield Place(draft.completion, cursor.mode, is_right(text, session.typed[len(done) :]))


def fit(places: Sequence[Place], ridge: float = 1e-2) -> Calibration:
    """Logistic regression with a small penalty, by Newton's method."""
    features = np.array([(1.0, *place.features) for place in places])
    right = np.array([place.right for place in places], np.float64)
    weights = np.zeros(features.shape[1])
    for _ in range(50):
        said = 1.0 / (1.0 + np.exp(-features @ weights))
        slope = features.T @ (right - said) - ridge * weights
        curvature = (features * (said * (1.0 - said))[:, None]).T @ features + ridge * np.eye(len(weights))
        weights += np.linalg.solve(curvature, slope)
    bias, mean, total, block = (float(weight) for weight in weights)
    return replace(CALIBRATION, bias=bias, mean=mean, total=total, block=block)


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
    said, right = _said_and_right(places, calibration)
    return [
        {"said": float(said[group].mean()), "seen": float(right[group].mean()), "places": len(group)}
        for group in np.array_split(np.argsort(said), bins)
    ]


def _probability(place: Place, calibration: Calibration) -> float:
    return calibration.probability(place.completion.confidence, place.completion.tokens, place.mode)


def _said_and_right(places: Sequence[Place], calibration: Calibration) -> tuple[Floats, Floats]:
    said = [
        calibration.probability(place.completion.confidence, place.completion.tokens, place.mode) for place in places
    ]
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
    axes.set(xlabel="share of keystrokes with a suggestion", ylabel="share of suggestions whose line is right")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(file, format="svg", metadata={"Date": None}, bbox_inches="tight")


if __name__ == "__main__":
    typer.run(main)
