"""Counts of what the suggestions were worth, kept on this machine for its user: never sent anywhere."""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import platformdirs

log = logging.getLogger(__name__)

BUCKETS_PER_DOUBLING = 4
"""Latencies are counted in buckets, each 19 % wider than the one before, which is as exact as percentiles need."""


def state_folder() -> Path:
    return Path(platformdirs.user_state_dir("quickfill"))


@dataclass
class Tally:
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
    def from_json(line: str) -> Tally:
        """Raises ValueError, TypeError, AttributeError or KeyError for what is no tally."""
        content = json.loads(line)
        counted = ({str(name): int(count) for name, count in content[key].items()} for key in ("counts", "languages"))
        counts, languages = map(Counter, counted)
        latencies = Counter({int(bucket): int(count) for bucket, count in content["latencies"].items()})
        return Tally(date.fromisoformat(content["day"]), counts, languages, latencies)


class Metrics:
    """Counts in memory, appended now and then to a file a month: windows that write at once add up."""

    def __init__(self, folder: Path) -> None:
        self.enabled = True
        self._folder = folder
        self._tally = Tally(_today())

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
        tally, self._tally = self._tally, Tally(_today())
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


def read_tallies(folder: Path) -> Iterator[Tally]:
    """All that was written. Lines that are damaged count for nothing."""
    for file in sorted(folder.glob("metrics-*.jsonl")):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                yield Tally.from_json(line)
            except (ValueError, TypeError, AttributeError, KeyError):
                log.warning("a line of %s is damaged", file.name)


def total(tallies: Iterable[Tally]) -> Tally:
    added = Tally(date.min)
    for tally in tallies:
        added.counts += tally.counts
        added.languages += tally.languages
        added.latencies += tally.latencies
    return added


def _today() -> date:
    return datetime.now(UTC).astimezone().date()
