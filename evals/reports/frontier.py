"""Quality against speed: what each run reaches, and which runs nothing else beats at both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from evals.scoring.statistics import Estimate
from evals.scoring.summary import PASS, Summary

SPEED = "tokens/s"


@dataclass(frozen=True)
class Point:
    """One run.

    Attributes:
        score: pass@1. speed: tokens a second.
        family: runs that differ in their policy's parameter alone have the same; None where there is no parameter.
        parameter: such as the threshold.
    """

    label: str
    score: Estimate
    speed: float
    family: str | None = None
    parameter: float | None = None


def points(summaries: Sequence[Summary]) -> list[Point]:
    """The runs whose score and speed are both known, in their order."""
    return [
        Point(summary.label, summary.columns[name], summary.plain[SPEED], *_family(summary))
        for summary in summaries
        if (name := f"{PASS}{summary.suffix}") in summary.columns and SPEED in summary.plain
    ]


def families(found: Sequence[Point]) -> list[tuple[str, list[Point]]]:
    """Points of one family, ordered by the parameter, for those with more than one."""
    by_name: dict[str, list[Point]] = defaultdict(list)
    for point in found:
        if point.family is not None:
            by_name[point.family].append(point)
    return [
        (name, sorted(members, key=lambda point: point.parameter or 0.0))
        for name, members in by_name.items()
        if len(members) > 1
    ]


def unbeaten(found: Sequence[Point]) -> list[Point]:
    """The frontier: points that no other is at least as fast and as good as, and better in one; fastest last."""
    kept = [
        point
        for point in found
        if not any(
            other.speed >= point.speed
            and other.score.value >= point.score.value
            and (other.speed, other.score.value) != (point.speed, point.score.value)
            for other in found
        )
    ]
    return sorted(kept, key=lambda point: point.speed)


def _family(summary: Summary) -> tuple[str | None, float | None]:
    settings = summary.run.get("backend") or {}
    name, colon, parameter = str(settings.get("policy", "")).partition(":")
    try:
        value = float(parameter) if colon else None
    except ValueError:
        return None, None
    if value is None:
        return None, None
    others = [f"{key} {settings[key]}" for key in ("canvas", "length") if settings.get(key) not in (None, "predicted")]
    return ", ".join([name, *others]), value
