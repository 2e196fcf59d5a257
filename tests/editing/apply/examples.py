"""Lazy edits as people and models write them, in files named after their language's suffix, the texts in them separated
by a line of `=====`."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
GOLDEN = sorted((FOLDER / "golden").glob("*.txt"))
"""A file, an edit, and what comes of it."""

DOUBTFUL = sorted((FOLDER / "doubtful").glob("*.txt"))
"""A file and an edit that can be read in ways that differ in what is lost."""


def parts_of(example: Path) -> list[str]:
    """The name of a file in the example's language, and the example's texts."""
    texts = example.read_text(encoding="utf-8").split("=====\n")
    return [f"example.{example.stem.partition('_')[0]}", *texts]
