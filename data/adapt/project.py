"""A project's files, to learn from and to be judged by."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coder.errors import InputError
from coder.model.checkpoint.config import Abilities
from data.pack.batches import batches
from data.pack.holes import HOLES
from data.pack.settings import ExampleKind, HoleKind, PackSettings
from data.pack.text import SourceText

ROW_LENGTH = 512
"""Shorter than for a corpus: a step on a processor takes seconds."""

CHARACTERS_PER_EXAMPLE = 400
"""A project is small, so each part of it is shown in several ways."""

SHORTEST_LINE = 8
"""Characters of a line that is worth being asked for."""

ATTEMPTS = 20


@dataclass(frozen=True)
class Project:
    """Attributes: training, held_out: its files; what is in one is not in the other."""

    training: tuple[SourceText, ...]
    held_out: tuple[SourceText, ...]


@dataclass(frozen=True)
class Texts:
    """Files that are in memory already, as a batch to be packed."""

    files: tuple[SourceText, ...]

    def read(self) -> list[SourceText]:
        return list(self.files)


def read_project(folder: Path, held_out: float, seed: int) -> Project:
    """The files of a folder that may be read, a share of those with functions set aside.

    Raises InputError where there are too few of them.
    """
    files = [
        file for batch in batches([folder]) for file in batch.read() if isinstance(file, SourceText) and file.usable
    ]
    with_functions = [file for file in files if file.pieces.functions]
    if len(with_functions) < 2:
        raise InputError(
            f"{folder} has {len(with_functions)} files with functions in them; adapting takes two at least, one to "
            "learn from and one to see what it was good for"
        )
    count = min(len(with_functions) - 1, max(1, round(held_out * len(with_functions))))
    aside = random.Random(f"{seed}").sample(with_functions, count)
    return Project(tuple(file for file in files if file not in aside), tuple(aside))


def settings_for(abilities: Abilities) -> PackSettings:
    """Return the shares of examples of what a checkpoint can do already."""
    kinds = {ExampleKind.FUNCTION: 0.6, ExampleKind.INFILL: 0.4}
    if abilities.holes:
        kinds[ExampleKind.HOLES] = 0.12
    return PackSettings(
        row_length=ROW_LENGTH,
        characters_per_example=CHARACTERS_PER_EXAMPLE,
        kinds=kinds,
        other_files=PackSettings().other_files if abilities.context else 0.0,
    )


def single_lines(files: Sequence[SourceText], count: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """Prefix, middle and suffix of `count` holes, each a line of a function or its rest; fewer where there are none."""
    generator = random.Random(f"{seed}")
    seen = set()
    for _ in range(count * ATTEMPTS):
        file = generator.choice(files)
        body = generator.choice(file.pieces.functions).body
        form = generator.choice([HoleKind.LINE, HoleKind.REST_OF_LINE])
        hole = HOLES[form](file, body, generator)
        if hole is None or hole[1] - hole[0] < SHORTEST_LINE or (file.path, hole) in seen:
            continue
        seen.add((file.path, hole))
        yield file.text[: hole[0]], file.text[slice(*hole)], file.text[hole[1] :]
        if len(seen) == count:
            return
