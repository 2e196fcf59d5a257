"""Counts of what a step did, which can be added up in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from data.document import CorpusDocument, Dropped, Kept, Row, Verdict


@dataclass
class Tally:
    """Documents and bytes that came in and that went on.

    Attributes:
        dropped: documents by reason. notes: what was done to those that went on, how many times.
        licenses, languages, packages: documents that went on; packages by `name version`.
    """

    documents_in: int = 0
    bytes_in: int = 0
    documents_out: int = 0
    bytes_out: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    licenses: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    packages: Counter[str] = field(default_factory=Counter)

    def count(self, row: Row, verdict: Verdict) -> None:
        self.documents_in += 1
        self.bytes_in += row.size
        match verdict:
            case Dropped(reason):
                self.dropped[reason] += 1
            case Kept(document, notes):
                self.notes.update(notes)
                self.count_out(document)

    def count_out(self, row: Row) -> None:
        self.documents_out += 1
        self.bytes_out += row.size
        self.licenses[row.license] += 1
        self.packages[f"{row.package} {row.version}".strip()] += 1
        if isinstance(row, CorpusDocument):
            self.languages[row.language] += 1

    def add(self, other: Tally) -> None:
        for name, value in vars(other).items():
            if isinstance(value, Counter):
                getattr(self, name).update(value)
            else:
                setattr(self, name, getattr(self, name) + value)

    def as_json(self) -> dict[str, Any]:
        return {
            name: dict(sorted(value.items())) if isinstance(value, dict) else value
            for name, value in vars(self).items()
        }

    @staticmethod
    def of_json(content: dict[str, Any]) -> Tally:
        tally = Tally()
        for name in vars(tally):
            setattr(tally, name, Counter(content[name]) if isinstance(content[name], dict) else content[name])
        return tally


def total(tallies: Iterable[Tally]) -> Tally:
    result = Tally()
    for tally in tallies:
        result.add(tally)
    return result
