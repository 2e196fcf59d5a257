"""The data card: what a corpus holds, where it comes from, and what became of everything that came in."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from coder.errors import InputError
from data.document import CorpusDocument
from data.settings import CorpusSettings
from data.splitting import SplitTotals
from data.tally import Tally

CARD_JSON = "card.json"
CARD_MARKDOWN = "card.md"

LIBRARIES = ("datasketch", "detect-secrets", "license-expression", "tree-sitter-python")
"""The distributions whose versions decide what a corpus holds."""


@dataclass(frozen=True)
class CorpusCard:
    """Attributes: settings: as they were in force. stages: what each did, in order. splits: see `SplitTotals`."""

    settings: dict[str, Any]
    stages: dict[str, Tally]
    splits: SplitTotals
    versions: dict[str, str]

    @staticmethod
    def of(settings: CorpusSettings, stages: dict[str, Tally], splits: SplitTotals) -> CorpusCard:
        versions = {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
        return CorpusCard(_without_folders(settings), stages, splits, versions)

    def as_json(self) -> dict[str, Any]:
        return {
            "splits": {name: dict(sorted(counter.items())) for name, counter in sorted(self.splits.items())},
            "stages": {name: tally.as_json() for name, tally in self.stages.items()},
            "settings": self.settings,
            "versions": self.versions,
        }


def write_card(card: CorpusCard, folder: Path) -> None:
    (folder / CARD_MARKDOWN).write_text(markdown(card), encoding="utf-8", newline="\n")
    text = json.dumps(card.as_json(), indent=1, ensure_ascii=False)
    (folder / CARD_JSON).write_text(text + "\n", encoding="utf-8", newline="\n")


def read_card(folder: Path) -> CorpusCard:
    """Raises InputError where there is none."""
    file = folder / CARD_JSON
    try:
        content = json.loads(file.read_bytes())
        stages = {name: Tally.of_json(tally) for name, tally in content["stages"].items()}
        splits = {name: Counter(counter) for name, counter in content["splits"].items()}
        return CorpusCard(content["settings"], stages, splits, content["versions"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"cannot read the data card {file}: {error}") from error


def markdown(card: CorpusCard) -> str:
    last = list(card.stages.values())[-1]
    return "\n".join((
        "# Data card",
        "",
        f"{last.documents_out:,} documents of source code, {megabytes(last.bytes_out)} MB, from "
        f"{len(last.packages)} packages. A row a document: {', '.join(CorpusDocument.__dataclass_fields__)}.",
        "",
        "## Splits",
        "",
        "By package: no package is in two of them.",
        "",
        *table(("split", "documents", "of them tests", "MB", "tokens"), split_rows(card)),
        "",
        "## From files to documents",
        "",
        *table(("step", "in", "out", "MB out", "dropped, and why"), funnel_rows(card)),
        "",
        "What was changed or marked:",
        "",
        *table(("step", "what", "times"), note_rows(card)),
        "",
        "## Licences",
        "",
        "Documents after each step, by SPDX expression.",
        "",
        *_licences(card),
        "",
        "## Packages",
        "",
        *table(("package", "documents"), [(name, f"{n:,}") for name, n in sorted(last.packages.items())]),
        "",
        "## Made with",
        "",
        ", ".join(f"{name} {number}" for name, number in card.versions.items()) + ", and these settings:",
        "",
        "```json",
        json.dumps(card.settings, indent=1, ensure_ascii=False),
        "```",
        "",
    ))  # fmt: skip


def split_rows(card: CorpusCard) -> list[tuple[str, ...]]:
    return [
        (name, f"{c['documents']:,}", f"{c['tests']:,}", megabytes(c["bytes"]), f"{c['tokens']:,}")
        for name, c in sorted(card.splits.items())
    ]


def funnel_rows(card: CorpusCard) -> list[tuple[str, ...]]:
    return [
        (name, f"{tally.documents_in:,}", f"{tally.documents_out:,}", megabytes(tally.bytes_out), _reasons(tally))
        for name, tally in card.stages.items()
    ]


def note_rows(card: CorpusCard) -> list[tuple[str, ...]]:
    return [
        (name, note, f"{times:,}") for name, tally in card.stages.items() for note, times in sorted(tally.notes.items())
    ]


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table, a line at a time."""
    yield f"| {' | '.join(heading)} |"
    yield f"|{'---|' * len(heading)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def megabytes(size: int) -> str:
    """10⁶ bytes."""
    return f"{size / 1e6:,.1f}"


def _licences(card: CorpusCard) -> Iterator[str]:
    last = list(card.stages.values())[-1]
    stages = [(name, tally) for name, tally in card.stages.items() if name not in ("collect", "decode")]
    rows = [
        (expression, *(f"{tally.licenses[expression]:,}" for _, tally in stages))
        for expression, _ in sorted(last.licenses.items(), key=lambda item: (-item[1], item[0]))
    ]
    yield from table(("licence", *(name for name, _ in stages)), rows)


def _reasons(tally: Tally) -> str:
    counted = sorted(tally.dropped.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {reason}" for reason, count in counted)


def _without_folders(settings: CorpusSettings) -> dict[str, Any]:
    """The settings without this machine's folders: of each path its last part."""
    return _shortened(settings.model_dump(exclude={"cache"}))


def _shortened(value: Any) -> Any:
    match value:
        case Path():
            return value.name
        case dict():
            return {key: _shortened(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_shortened(inner) for inner in value]
        case _:
            return value
