"""Measure how often the next edit is foreseen: `python -m benchmarks.edit_replay --json FILE`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import typer
from platformdirs import user_cache_path

from benchmarks.edit_sessions import EditSession, release_sessions, rename_sessions
from benchmarks.releases import DEVELOPED_ON, JUDGED_ON
from benchmarks.report import Row, machine, print_figures, print_rows, report_console, write_json
from coder.api.text_requests import Change
from coder.editing.changes import changes
from data.pack.edits import in_order, line_edits
from data.sources.releases import ReleasePair
from lsp.edit.next.history import EditHistory
from lsp.edit.next.likelihood import FEATURES, LIKELIHOOD, Likelihood, features
from lsp.edit.next.suggestions import NextEdit, next_edits, places

CACHE = user_cache_path("quickfill") / "wheels"

MOST_ACCEPTED = 60
"""In a row; after that a session is given up."""


@dataclass(frozen=True)
class Asked:
    """One time that a next edit was asked for.

    Attributes:
        left: whether anything was still to be changed.
        shown: the best one, if it was likely enough at all. where, what: whether its line was still to be changed, and
            whether that was exactly what was to be done there.
    """

    seconds: float
    left: bool
    shown: NextEdit | None
    where: bool = False
    what: bool = False


@dataclass
class Replayed:
    """The outcome of a session: what was asked, how many edits the user made, how many were accepted."""

    session: EditSession
    asked: list[Asked] = field(default_factory=list)
    made: int = 0
    accepted: int = 0


def main(
    pairs: Annotated[list[str] | None, typer.Argument(metavar="[NAME:OLD:NEW]...", help="Releases to compare.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    cache: Annotated[Path, typer.Option(help="Where releases are kept.")] = CACHE,
    sessions: Annotated[int, typer.Option(min=1, help="Of each pair, from its changes; half as many renames.")] = 24,
    threshold: Annotated[float | None, typer.Option(help="Least probability of what is shown.")] = None,
    fit: Annotated[bool, typer.Option("--fit", help="Fit the likelihood anew, on other packages.")] = False,
) -> None:
    """Replay edits of real files, and ask after each what comes next."""
    console = report_console()
    likelihood = LIKELIHOOD
    if fit:
        likelihood = fitted(all_sessions(DEVELOPED_ON, cache, sessions))
        weights = dict(zip(FEATURES, likelihood.weights, strict=True))
        print_figures(console, "Weights", {name: round(weight, 3) for name, weight in weights.items()})
    bar = likelihood.threshold if threshold is None else threshold
    judged = [ReleasePair.parse(pair) for pair in pairs] if pairs else list(JUDGED_ON)
    replays = [replay(session, likelihood, bar) for session in all_sessions(judged, cache, sessions)]
    rows = [*by_kind(replays), *by_package(replays)]
    print_rows(console, f"{len(replays)} sessions, shown from {bar:.2f} on", rows)
    print_rows(console, "What was shown", by_source(replays))
    if json is not None:
        write_json(json, {"threshold": bar, "sessions": rows, "sources": by_source(replays), "machine": machine()})


def all_sessions(pairs: Sequence[ReleasePair], cache: Path, most: int) -> list[EditSession]:
    found: list[EditSession] = []
    for pair in pairs:
        found += release_sessions(pair, cache, most, seed=0)
        found += rename_sessions(pair, cache, most // 2, seed=0)
    return found


def replay(session: EditSession, likelihood: Likelihood, threshold: float) -> Replayed:
    """The edits one after the other, downwards from the session's first one; what is right among the suggestions is
    accepted at once, what is not is not offered again."""
    done, now, history, position = Replayed(session), session.old, EditHistory(), session.first
    dismissed: set[tuple[str, str]] = set()
    while (left := line_edits(now, session.new)) and done.accepted < MOST_ACCEPTED:
        edit = in_order(left, position)[0]
        for change in reversed(edit):
            now, history = applied(now, history, change)
        position = edit[0].start
        done.made += 1
        while True:
            asked = ask(session, now, history, likelihood, threshold, dismissed)
            done.asked.append(asked)
            if asked.shown is None or not asked.what or done.accepted >= MOST_ACCEPTED:
                break
            now, history = applied(now, history, Change(asked.shown.start, asked.shown.end, asked.shown.text))
            done.accepted += 1
    return done


def applied(now: str, history: EditHistory, change: Change) -> tuple[str, EditHistory]:
    after = now[: change.start] + change.text + now[change.end :]
    return after, history.after(now, after)


def ask(
    session: EditSession,
    now: str,
    history: EditHistory,
    likelihood: Likelihood,
    threshold: float,
    dismissed: set[tuple[str, str]],
) -> Asked:
    started = time.perf_counter()
    found = next_edits(now, "python", history, likelihood)
    seconds = time.perf_counter() - started
    for edit in found:
        key = line_at(now, edit.start), edit.text
        if edit.probability >= threshold and key not in dismissed:
            what = is_right(now, session.new, edit)
            if not what:
                dismissed.add(key)
            return Asked(seconds, now != session.new, edit, what or is_there(now, session.new, edit), what)
    return Asked(seconds, now != session.new, None)


def is_right(now: str, goal: str, edit: NextEdit) -> bool:
    """Whether the edit is a part of the way from one text to the other: it makes it as much shorter as it is long."""
    after = now[: edit.start] + edit.text + now[edit.end :]
    return _length(now, goal) - _length(after, goal) == _length(now, after)


def is_there(now: str, goal: str, edit: NextEdit) -> bool:
    """Whether something is to be changed on its lines."""
    first, last = now.rfind("\n", 0, edit.start) + 1, now.find("\n", edit.end)
    last = len(now) if last < 0 else last
    return any(change.start <= last and first <= change.end for change in changes(now, goal))


def line_at(text: str, position: int) -> str:
    return text[text.rfind("\n", 0, position) + 1 :].partition("\n")[0]


def fitted(sessions: Sequence[EditSession]) -> Likelihood:
    """A logistic regression of "it was right" over every place that was found, those of one time weighing as one."""
    from scipy.optimize import minimize

    rows = [row for session in sessions for row in examples(session)]
    values = np.array([row[0] for row in rows])
    right = np.array([row[1] for row in rows], dtype=np.float64)
    weights = np.array([row[2] for row in rows])

    def loss(parameters: np.ndarray) -> float:
        log_odds = values @ parameters
        likelihoods = np.logaddexp(0.0, log_odds) - right * log_odds
        return float((weights * likelihoods).sum() / weights.sum() + 1e-3 * (parameters[1:] ** 2).sum())

    best = minimize(loss, np.zeros(values.shape[1])).x
    return Likelihood(tuple(round(float(weight), 3) for weight in best), LIKELIHOOD.threshold)


def examples(session: EditSession) -> Iterator[tuple[tuple[float, ...], bool, float]]:
    """The features of every place that is found while the session's edits are made, whether it was right, and how much
    it weighs."""
    now, history, position = session.old, EditHistory(), session.first
    while left := line_edits(now, session.new):
        edit = in_order(left, position)[0]
        for change in reversed(edit):
            now, history = applied(now, history, change)
        position = edit[0].start
        found = list(places(now, "python", history))[:60]
        for place in found:
            edit = NextEdit(place.start, place.end, place.text, place.source, "", 0.0)
            right = is_there(now, session.new, edit) and is_right(now, session.new, edit)
            yield features(place), right, 1.0 / len(found)


def summary(name: str, replays: Sequence[Replayed]) -> Row:
    asked = [asked for replayed in replays for asked in replayed.asked]
    shown = [asked for asked in asked if asked.shown is not None]
    accepted, made = sum(each.accepted for each in replays), sum(each.made for each in replays)
    return {
        "sessions": f"{name} ({len(replays)})",
        "asked": len(asked),
        "shown": len(shown),
        "show_rate": len(shown) / max(1, len(asked)),
        "shown_while_left": _share(each.shown is not None for each in asked if each.left),
        **_precision(shown),
        "edits_saved": accepted / max(1, accepted + made),
        "median_ms": 1000.0 * median(each.seconds for each in asked) if asked else None,
        "p95_ms": 1000.0 * float(np.quantile([each.seconds for each in asked], 0.95)) if asked else None,
    }


def by_kind(replays: Sequence[Replayed]) -> list[Row]:
    kinds = [("all", replays)] + [
        (kind, [each for each in replays if each.session.kind == kind]) for kind in ("release", "rename")
    ]
    return [summary(name, group) for name, group in kinds if group]


def by_package(replays: Sequence[Replayed]) -> list[Row]:
    packages = sorted({each.session.package for each in replays})
    return [summary(package, [each for each in replays if each.session.package == package]) for package in packages]


def by_source(replays: Sequence[Replayed]) -> list[Row]:
    shown = [asked for replayed in replays for asked in replayed.asked if asked.shown is not None]
    sources = sorted({asked.shown.source for asked in shown if asked.shown is not None})
    groups = {source: [asked for asked in shown if asked.shown and asked.shown.source == source] for source in sources}
    return [{"source": source, "shown": len(group), **_precision(group)} for source, group in groups.items()]


def _precision(shown: Sequence[Asked]) -> dict[str, float | None]:
    return {"where": _share(each.where for each in shown), "what": _share(each.what for each in shown)}


def _share(values: Iterator[bool]) -> float | None:
    known = list(values)
    return sum(known) / len(known) if known else None


def _length(old: str, new: str) -> int:
    """Characters that the smallest replacements take away and bring."""
    return sum(change.end - change.start + len(change.text) for change in changes(old, new))


if __name__ == "__main__":
    typer.run(main)
