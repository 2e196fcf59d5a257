"""The files of a run with several backends: answers, kept verdicts and the scored run, named by the backend's label."""

from __future__ import annotations

import re
from pathlib import Path

from coder.errors import InputError


class RunFiles:
    """One folder. `answers` holds the files of answers in the order in which backends were added."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.answers: list[Path] = []

    def add(self, label: str) -> Path:
        """Where the answers of a backend go. Raises InputError when two have the same name."""
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
