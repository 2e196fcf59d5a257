"""The contents of a report on scored runs, before they are put into a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coder.errors import InputError
from evals.reports.failures import FailedAnswer, failures
from evals.reports.frontier import Point, points, unbeaten
from evals.reports.groups import Bin, LengthGroup, by_length, calibration, expected_calibration_error
from evals.scoring.statistics import Comparison
from evals.scoring.summary import Summary, compare_with_first
from evals.task import Task

MOST_FAILURES = 50


@dataclass(frozen=True)
class RunReport:
    """One run: by length, by confidence, and what it got wrong."""

    summary: Summary
    lengths: list[LengthGroup]
    bins: list[Bin]
    calibration_error: float | None
    failures: list[FailedAnswer]

    @property
    def label(self) -> str:
        return self.summary.label


@dataclass(frozen=True)
class Report:
    """Runs of one benchmark.

    Attributes:
        comparisons: each run less the first.
        points, frontier: score and speed of the runs, and of those that no other beats at both.
        warning: what a reader has to know before anything else; empty where there is nothing.
    """

    benchmark: str
    runs: list[RunReport]
    comparisons: list[tuple[str, str, Comparison]]
    points: list[Point]
    frontier: list[Point]
    warning: str


def make_report(summaries: Sequence[Summary], tasks: Mapping[str, Task], most: int = MOST_FAILURES) -> Report:
    """A report of scored runs.

    Args:
        tasks: the benchmark's, for lengths and differences; what is not in it is reported without them.
        most: failures to show of each run.

    Raises InputError when the runs are of different benchmarks, or have no task in common.
    """
    benchmarks = sorted({summary.benchmark for summary in summaries})
    if len(benchmarks) != 1:
        raise InputError(f"a report is about one benchmark; these runs are of {', '.join(benchmarks) or 'none'}")
    found = points(summaries)
    return Report(
        benchmark=benchmarks[0],
        runs=[_run_report(summary, tasks, most) for summary in summaries],
        comparisons=compare_with_first(summaries) if len(summaries) > 1 else [],
        points=found,
        frontier=unbeaten(found),
        warning=_warning(summaries),
    )


def _run_report(summary: Summary, tasks: Mapping[str, Task], most: int) -> RunReport:
    bins = calibration(summary.results)
    return RunReport(
        summary=summary,
        lengths=by_length(summary.results, tasks),
        bins=bins,
        calibration_error=expected_calibration_error(bins),
        failures=failures(summary.results, tasks, most),
    )


def _warning(summaries: Sequence[Summary]) -> str:
    outside = [summary.label for summary in summaries if summary.sandboxed is False]
    if not outside:
        return ""
    return f"Programs of {', '.join(outside)} were run without a sandbox: their verdicts can be forged."
