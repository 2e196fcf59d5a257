"""The plots of a report, as SVG text that stands in a page."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from evals.reports.frontier import Point, families, unbeaten
from evals.reports.groups import GROUP_NAMES, Bin, LengthGroup

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INCHES = (6.4, 4.0)
SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "quickfill",  # the same figures give the same text
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
}


def frontier_chart(found: Sequence[Point]) -> str:
    """pass@1 with its interval against tokens a second; runs along one parameter joined, the unbeaten ones ringed."""
    with _chart("tokens per second", "pass@1, %") as (axes, done):
        for name, members in families(found):
            axes.plot([p.speed for p in members], [100 * p.score.value for p in members], "-", alpha=0.5, label=name)
        for point in found:
            low, high = point.score.value - point.score.low, point.score.high - point.score.value
            axes.errorbar(point.speed, 100 * point.score.value, [[100 * low], [100 * high]], fmt="o", capsize=2)
            axes.annotate(
                _text(point.label),
                (point.speed, 100 * point.score.value),
                xytext=(6, 4),
                textcoords="offset points",
                fontsize=8,
            )
        best = unbeaten(found)
        axes.plot([p.speed for p in best], [100 * p.score.value for p in best], "o", ms=12, mfc="none", mec="black")
        axes.margins(x=0.15)
        if families(found):
            axes.legend(frameon=False, fontsize=8)
    return done[0]


def length_chart(runs: Sequence[tuple[str, Sequence[LengthGroup]]]) -> str:
    """pass@1 by lines of the canonical answer, a line a run."""
    with _chart("lines of the canonical answer", "pass@1, %") as (axes, done):
        present = {group.name for _, groups in runs for group in groups}
        names = [name for name in GROUP_NAMES if name in present]
        for label, groups in runs:
            places = [names.index(group.name) for group in groups]
            values = [100 * group.score.value for group in groups]
            low = [100 * (group.score.value - group.score.low) for group in groups]
            high = [100 * (group.score.high - group.score.value) for group in groups]
            axes.errorbar(places, values, [low, high], fmt="o-", capsize=2, label=_text(label))
        axes.set_xticks(range(len(names)), names)
        axes.set_ylim(-2, 102)
        axes.legend(frameon=False, fontsize=8)
    return done[0]


def calibration_chart(runs: Sequence[tuple[str, Sequence[Bin]]]) -> str:
    """The share of right answers against confidence, a line a run; the diagonal is what confidence promises."""
    with _chart("mean confidence of an answer", "right answers, share") as (axes, done):
        axes.plot([0, 1], [0, 1], "--", color="gray", lw=1)
        for label, bins in runs:
            line = axes.plot([b.confidence for b in bins], [b.passed for b in bins], "-", alpha=0.5, label=_text(label))
            most = max(entry.answers for entry in bins)
            sizes = [10 + 90 * entry.answers / most for entry in bins]
            axes.scatter([b.confidence for b in bins], [b.passed for b in bins], s=sizes, color=line[0].get_color())
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.02)
        axes.legend(frameon=False, fontsize=8)
    return done[0]


@contextmanager
def _chart(across: str, up: str) -> Iterator[tuple[Axes, list[str]]]:
    """Axes to draw on; when it is left, the list holds the SVG element."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    done: list[str] = []
    with rc_context(SETTINGS):
        figure = Figure(INCHES, layout="constrained")
        canvas = FigureCanvasSVG(figure)
        axes = figure.subplots()
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        yield axes, done
        output = io.StringIO()
        canvas.print_svg(output, metadata={"Date": None, "Creator": None})
    content = output.getvalue()
    done.append(content[content.index("<svg") :])


def _text(label: str) -> str:
    """A label that is not taken for mathematics."""
    return label.replace("$", r"\$")
