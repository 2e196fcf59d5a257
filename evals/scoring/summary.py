"""From results to columns: the figures of a run, each with its interval, and of two runs beside each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coder.errors import InputError
from evals.records import Key
from evals.scoring.judging import Result
from evals.scoring.statistics import Comparison, Estimate, compare, estimate, pass_at_k, quantile

KS = (1, 10, 100)
PASS = "pass@1"


@dataclass(frozen=True)
class Summary:
    """A scored run.

    Attributes:
        label: of the run. tasks, samples: judged tasks, and answers to them.
        unjudged: answers that nothing here could judge; no column counts them but those of the text.
        columns: figures by name, best read in their order. A figure at another than the predicted length says so in
            its name.
        plain: further figures without an interval: tokens per pass, tokens per second, latencies in seconds.
        run: the settings, versions and hashes of the run.
    """

    label: str
    benchmark: str
    tasks: int
    samples: int
    unjudged: int
    sandboxed: bool | None
    columns: dict[str, Estimate]
    plain: dict[str, float]
    results: list[Result] = field(repr=False)
    run: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def suffix(self) -> str:
        return length_suffix(self.run)


def summarize(
    benchmark: str, results: list[Result], run: Mapping[str, Any], times: Mapping[Key, float] | None = None
) -> Summary:
    """The figures of a run. Raises InputError when there are no results."""
    if not results:
        raise InputError("there are no answers to score")
    judged = [result for result in results if result.passed is not None]
    by_task = passes_by_task(judged)
    suffix = length_suffix(run)
    columns: dict[str, Estimate] = {}
    fewest = min(map(len, by_task.values()), default=0)
    for k in (k for k in KS if k <= fewest):
        columns[f"pass@{k}{suffix}"] = estimate([pass_at_k(len(passed), sum(passed), k) for passed in by_task.values()])
    for name, read in _TEXT_COLUMNS.items():
        if values := _means(results, read):
            columns[f"{name}{suffix}"] = estimate(values)
    for name in dict.fromkeys(name for result in results for name in result.measures):
        columns[f"{name}{suffix}"] = estimate(_means(results, lambda result, name=name: result.measures.get(name)))
    sandboxed = {result.sandboxed for result in results if result.sandboxed is not None}
    return Summary(
        label=run.get("label") or "samples",
        benchmark=benchmark,
        tasks=len({result.task_id for result in results}),
        samples=len(results),
        unjudged=len(results) - len(judged),
        sandboxed=None if not sandboxed else sandboxed == {True},
        columns=columns,
        plain=_speed(results, times or {}),
        results=results,
        run=dict(run),
    )


def length_suffix(run: Mapping[str, Any]) -> str:
    """The text behind the name of a column of this run; empty at predicted length."""
    length = (run.get("backend") or {}).get("length", "predicted")
    by_tokens = "" if length == "predicted" else f" ({str(length).replace(':', ' ')} length)"
    return by_tokens + (f" (cut to {run['cut']})" if "cut" in run else "")


def passes_by_task(results: Iterable[Result]) -> dict[str, list[bool]]:
    """Return whether each sample of each task passed, for those that were judged."""
    by_task: dict[str, list[bool]] = defaultdict(list)
    for result in results:
        if result.passed is not None:
            by_task[result.task_id].append(result.passed)
    return dict(by_task)


def compare_runs(first: Summary, second: Summary) -> Comparison:
    """The second run's pass@1 less the first's, over the tasks of both. Raises InputError when there are none."""
    one, other = passes_by_task(first.results), passes_by_task(second.results)
    shared = [task for task in one if task in other]
    if first.benchmark != second.benchmark or not shared:
        raise InputError(f"{first.label} and {second.label} have no judged task in common")
    return compare([one[task] for task in shared], [other[task] for task in shared])


def compare_with_first(summaries: Sequence[Summary]) -> list[tuple[str, str, Comparison]]:
    """The first run's label, another's, and the other less the first, for each of the others.

    Empty where nothing is right or wrong, as in `bias`. Raises InputError when two runs have no judged task in common.
    """
    first, *others = summaries
    if not any(passes_by_task(summary.results) for summary in summaries):
        return []
    return [(first.label, other.label, compare_runs(first, other)) for other in others]


def _means(results: Sequence[Result], read: Callable[[Result], float | bool | None]) -> list[float]:
    """One value a task: the mean over its samples of what is known of them."""
    by_task: dict[str, list[float]] = defaultdict(list)
    for result in results:
        if (value := read(result)) is not None:
            by_task[result.task_id].append(float(value))
    return [sum(values) / len(values) for values in by_task.values()]


def _any(found: list[str] | None) -> bool | None:
    return None if found is None else bool(found)


_TEXT_COLUMNS: dict[str, Callable[[Result], float | bool | None]] = {
    "exact match": lambda result: result.exact_match,
    "edit similarity": lambda result: result.edit_similarity,
    "syntax valid": lambda result: result.syntax_valid,
    "undefined names": lambda result: _any(result.undefined_names),
    "invented APIs": lambda result: _any(result.invented_uses),
}
"""`undefined names` and `invented APIs` are shares of the answers that parse."""


def _speed(results: Sequence[Result], times: Mapping[Key, float]) -> dict[str, float]:
    """Tokens per pass, tokens per second and latencies, where they are known."""
    figures: dict[str, float] = {}
    counted = [(result.tokens, result.passes) for result in results if result.tokens is not None and result.passes]
    if counted:
        figures["tokens/pass"] = sum(tokens for tokens, _ in counted) / sum(passes for _, passes in counted)
    timed = [(times[key], result.tokens) for result in results if (key := (result.task_id, result.sample)) in times]
    if timed:
        seconds = [value for value, _ in timed]
        if all(tokens is not None for _, tokens in timed):
            figures["tokens/s"] = sum(tokens or 0 for _, tokens in timed) / max(sum(seconds), 1e-9)
        figures["p50 s"], figures["p95 s"] = quantile(seconds, 0.5), quantile(seconds, 0.95)
    return figures
