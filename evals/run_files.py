"""The files of runs: names for answers and verdicts, and scored runs, each a JSON object of figures and results."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from coder.errors import InputError
from evals.scoring.judging import Result
from evals.scoring.statistics import Estimate
from evals.scoring.summary import Summary

FORMAT = 1


def write_scored(summary: Summary, file: Path) -> None:
    """Write a scored run, whole or not at all: first the figures and their intervals, then a line for each result."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "benchmark": summary.benchmark,
        "label": summary.label,
        **{name: column.value for name, column in summary.columns.items()},
        "tasks": summary.tasks,
        "samples": summary.samples,
        "unjudged": summary.unjudged,
        "sandboxed": summary.sandboxed,
        "intervals": {name: [column.low, column.high] for name, column in summary.columns.items()},
        "speed": summary.plain,
        "run": summary.run,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f"{file.name}.new")
    results = ",\n".join(json.dumps(asdict(result)) for result in summary.results)
    head = json.dumps(content, indent=1).removesuffix("\n}")
    temporary.write_text(f'{head},\n "results": [\n{results}\n ]\n}}\n', encoding="utf-8", newline="\n")
    temporary.replace(file)


def read_scored(file: Path) -> Summary:
    """A scored run. Raises InputError for anything else."""
    try:
        content = json.loads(file.read_bytes())
        if content["format"] != FORMAT:
            raise InputError(
                f"{file} is of format {content['format']}, this version reads {FORMAT}; score the run anew"
            )
        return Summary(
            label=content["label"],
            benchmark=content["benchmark"],
            tasks=content["tasks"],
            samples=content["samples"],
            unjudged=content["unjudged"],
            sandboxed=content["sandboxed"],
            columns={name: Estimate(content[name], *limits) for name, limits in content["intervals"].items()},
            plain=content["speed"],
            results=[Result(**row) for row in content["results"]],
            run=content["run"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} is not a scored run (`quickfill eval score … --json {file.name}`)") from error


class RunFiles:
    """One folder. `answers` holds the files of answers in the order in which backends were added."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.answers: list[Path] = []

    def add(self, label: str) -> Path:
        """The file for the answers of a backend. Raises InputError when two have the same name."""
        name = re.sub(r"[^\w.]+", "-", label).strip("-.") or "answers"
        file = self._folder / f"{name}.jsonl"
        if file in self.answers:
            raise InputError(f"two backends are called {label}; they would write the same file")
        self.answers.append(file)
        return file

    def scored(self, answers: Path) -> Path:
        return answers.with_suffix(".scored.json")

    def verdicts(self, answers: Path) -> Path:
        return answers.with_suffix(".verdicts.jsonl")
