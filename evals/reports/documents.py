"""A report as Markdown, and as one HTML page without scripts, which loads nothing."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from coder.installation import missing_extra
from evals.reports.report import Report
from evals.scoring.statistics import Estimate

if TYPE_CHECKING:
    from jinja2 import Environment


def require_extra() -> None:
    """Raises MissingDependencyError where the extra `evals` is not installed."""
    absent = [name for name in ("jinja2", "matplotlib") if find_spec(name) is None]
    if absent:
        raise missing_extra(f"reports need {', '.join(absent)}", "evals")


def markdown(report: Report) -> str:
    """Tables of figures, intervals and differences."""
    return _environment().get_template("report.md.jinja").render(report=report, **_columns(report))


def html(report: Report) -> str:
    """The report as a page, with plots, and with failures to read."""
    from evals.reports.charts import calibration_chart, frontier_chart, length_chart

    lengths = [(run.label, run.lengths) for run in report.runs if run.lengths]
    bins = [(run.label, run.bins) for run in report.runs if run.bins]
    charts = {
        "frontier": frontier_chart(report.points) if report.points else "",
        "lengths": length_chart(lengths) if lengths else "",
        "calibration": calibration_chart(bins) if bins else "",
    }
    return _environment().get_template("report.html.jinja").render(report=report, charts=charts, **_columns(report))


def _columns(report: Report) -> dict[str, list[str]]:
    """The names of all figures of the runs, in their order."""
    summaries = [run.summary for run in report.runs]
    return {
        "estimated": list(dict.fromkeys(name for summary in summaries for name in summary.columns)),
        "plain": list(dict.fromkeys(name for summary in summaries for name in summary.plain)),
        "settings": list(dict.fromkeys(name for summary in summaries for name in summary.run)),
    }


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("evals.reports"),
        autoescape=lambda name: name is not None and ".html." in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["estimate"] = _estimate
    environment.filters["points"] = lambda value: f"{100 * value:+.1f}"
    environment.filters["cell"] = lambda text: str(text).replace("|", r"\|").replace("\n", " ")
    return environment


def _estimate(found: Estimate | None, name: str) -> str:
    """A value with its interval, in per cent but for similarities; a dash where there is none."""
    if found is None:
        return "–"
    if name.startswith("edit similarity"):
        return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
    return f"{100 * found.value:.1f} % [{100 * found.low:.1f}, {100 * found.high:.1f}]"
