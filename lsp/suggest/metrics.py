"""The outcomes of suggestions (accepted, partially accepted, typed, dismissed), and counts of them by day, kept on this
machine for its user: never sent anywhere.

An editor may report an outcome, by the accept command or by the notifications of Copilot's server. Where it does not,
the next change of the document tells."""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path

import platformdirs

from lsp.documents import Document
from lsp.suggest.suggestion_cache import Suggestion
from lsp.suggest.surroundings import Cursor


class Outcome(Enum):
    SHOWN = "shown"
    ACCEPTED = "accepted"
    PARTIALLY_ACCEPTED = "partially_accepted"
    TYPED = "typed"
    """The user typed all of it."""
    DISMISSED = "dismissed"


@dataclass
class _Pending:
    """A suggestion that is on the screen.

    Attributes:
        cursor: where it was made. text: the whole text that it would put there.
        taken: characters of it that are in the document by now.
        partially: whether some of them were accepted, not typed.
    """

    suggestion: Suggestion
    cursor: Cursor
    text: str
    taken: int = 0
    partially: bool = False


class Outcomes:
    """Follows the suggestions of the latest answer until each has one outcome.

    Args:
        record: called with each outcome and the document's language.
    """

    def __init__(self, record: Callable[[Outcome, str], None]) -> None:
        self._record = record
        self._pending: dict[str, _Pending] = {}

    def shown(self, cursor: Cursor, suggestions: tuple[Suggestion, ...]) -> None:
        """Suggestions were sent to the editor. What it showed before is replaced, if it is not among them."""
        names = {suggestion.id for suggestion in suggestions}
        if not names & self._pending.keys():
            self.dismiss()
            if suggestions:
                self._record(Outcome.SHOWN, cursor.document.language)
        for suggestion in suggestions:
            known = self._pending.get(suggestion.id)
            # The beginning of a text that was still being written gives way to all of it.
            if known is None or not known.text.endswith(suggestion.text):
                partially = known is not None and known.partially
                text = cursor.selected + suggestion.text
                self._pending[suggestion.id] = _Pending(suggestion, cursor, text, partially=partially)

    def accepted(self, id: str) -> None:
        if id in self._pending:
            self._finish(Outcome.ACCEPTED, self._pending[id])

    def partially_accepted(self, id: str) -> None:
        if id in self._pending:
            self._pending[id].partially = True

    def changed(self, document: Document) -> None:
        """Update the suggestions of a document that has a new text."""
        following = [pending for pending in self._pending.values() if pending.cursor.document.uri == document.uri]
        alive = {}
        for pending in following:
            taken = _taken(pending, document.unix.text)
            if taken is None:
                continue
            pending.partially |= 1 < taken - pending.taken < len(pending.text)
            if taken == len(pending.text):
                typed = pending.taken + 1 == taken and not pending.partially
                self._finish(Outcome.TYPED if typed else Outcome.ACCEPTED, pending)
                return
            pending.taken = taken
            alive[pending.suggestion.id] = pending
        if following and not alive:
            self.dismiss()

    def dismiss(self) -> None:
        """End the suggestions on the screen. Alternatives count as one."""
        if self._pending:
            best = max(self._pending.values(), key=lambda pending: pending.partially)
            self._finish(Outcome.PARTIALLY_ACCEPTED if best.partially else Outcome.DISMISSED, best)

    def _finish(self, outcome: Outcome, pending: _Pending) -> None:
        self._pending.clear()
        self._record(outcome, pending.cursor.document.language)


def _taken(pending: _Pending, text: str) -> int | None:
    """Count the characters of a suggestion that stand in the document; None where it was changed in another way."""
    cursor = pending.cursor
    before = cursor.document.text[: cursor.start]
    # Brackets that the suggestion stands in for are replaced when it is accepted, and still there while it is typed.
    for behind in (cursor.suffix[pending.suggestion.replaces :], cursor.suffix):
        middle = text[len(before) : len(text) - len(behind)]
        fits = len(text) == len(before) + len(middle) + len(behind)
        if fits and pending.text.startswith(middle) and text.startswith(before) and text.endswith(behind):
            return len(middle)
    return None


log = logging.getLogger(__name__)

BUCKETS_PER_DOUBLING = 4
"""Latencies are counted in buckets, each 19 % wider than the one before, which is as exact as percentiles need."""


def state_folder() -> Path:
    return Path(platformdirs.user_state_dir("quickfill"))


@dataclass
class DayCounts:
    """Counts of one day.

    Attributes:
        counts: by outcome. languages: shown suggestions by language.
        latencies: answers by bucket; bucket b is about 2 ** (b / 4) milliseconds.
    """

    day: date
    counts: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    latencies: Counter[int] = field(default_factory=Counter)

    def add_latency(self, seconds: float) -> None:
        self.latencies[round(BUCKETS_PER_DOUBLING * math.log2(max(1.0, seconds * 1000.0)))] += 1

    def latency_ms(self, share: float) -> float | None:
        """The latency that so large a share of the answers does not exceed, milliseconds; None without answers."""
        wanted = share * self.latencies.total()
        for bucket, count in sorted(self.latencies.items()):
            wanted -= count
            if wanted <= 0:
                return 2.0 ** (bucket / BUCKETS_PER_DOUBLING)
        return None

    def to_json(self) -> str:
        content = {"counts": self.counts, "languages": self.languages, "latencies": self.latencies}
        return json.dumps({"day": self.day.isoformat(), **content}, separators=(",", ":"))

    @staticmethod
    def from_json(line: str) -> DayCounts:
        """Raises ValueError, TypeError, AttributeError or KeyError for what is no tally."""
        content = json.loads(line)
        counted = ({str(name): int(count) for name, count in content[key].items()} for key in ("counts", "languages"))
        counts, languages = map(Counter, counted)
        latencies = Counter({int(bucket): int(count) for bucket, count in content["latencies"].items()})
        return DayCounts(date.fromisoformat(content["day"]), counts, languages, latencies)


class SuggestionMetrics:
    """Counts in memory, appended now and then to a file a month: windows that write at once add up."""

    def __init__(self, folder: Path) -> None:
        self.enabled = True
        self._folder = folder
        self._tally = DayCounts(_today())

    def count(self, outcome: str, language: str) -> None:
        self._turn_the_day()
        self._tally.counts[outcome] += 1
        if outcome == "shown":
            self._tally.languages[language] += 1

    def add_latency(self, seconds: float) -> None:
        self._turn_the_day()
        self._tally.add_latency(seconds)

    def flush(self) -> None:
        """Write what was counted since the last time. A folder that cannot be written costs the counts, no more."""
        tally, self._tally = self._tally, DayCounts(_today())
        if not self.enabled or not (tally.counts or tally.latencies):
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / f"metrics-{tally.day:%Y-%m}.jsonl").open("a", encoding="utf-8") as file:
                file.write(f"{tally.to_json()}\n")
        except OSError as error:
            log.warning("the metrics cannot be written: %s", error)

    def _turn_the_day(self) -> None:
        if self._tally.day != _today() or self._tally.counts["shown"] >= 50:
            self.flush()


def read_counts(folder: Path) -> Iterator[DayCounts]:
    """Every tally in the folder. Damaged lines are logged and left out."""
    for file in sorted(folder.glob("metrics-*.jsonl")):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                yield DayCounts.from_json(line)
            except (ValueError, TypeError, AttributeError, KeyError):
                log.warning("a line of %s is damaged", file.name)


def total(tallies: Iterable[DayCounts]) -> DayCounts:
    added = DayCounts(date.min)
    for tally in tallies:
        added.counts += tally.counts
        added.languages += tally.languages
        added.latencies += tally.latencies
    return added


def _today() -> date:
    return datetime.now(UTC).astimezone().date()
