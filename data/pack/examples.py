"""Training documents of all kinds from some files, in the shares that the settings ask for."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from coder.train.packed_rows import PackedDocument
from data.pack import infilling
from data.pack.chat import chat
from data.pack.example import Example, HoleExample
from data.pack.layout import Layout
from data.pack.other_files import Package, with_other_files
from data.pack.settings import ExampleKind, PackSettings
from data.pack.text import SourceText

INFILLING: Mapping[ExampleKind, Callable[[SourceText, int, PackSettings, random.Random], HoleExample | None]] = {
    ExampleKind.FUNCTION: infilling.function,
    ExampleKind.INFILL: infilling.infill,
    ExampleKind.HOLES: infilling.holes,
}

ATTEMPTS = 3
"""So many examples of a kind are tried before a file counts as having none."""

MOST_OUTSIDE = 3000
"""Characters outside of functions that count for how many examples a file gives: there is more to learn from code than
from long tables."""

SAMPLE = 4000
"""Characters of a file that tell how many of them make a token."""


@dataclass(frozen=True)
class ExampleMaker:
    """Makes examples from one file.

    Attributes:
        room: characters that fill a row, about.
        package: what the files around it define.
    """

    file: SourceText
    settings: PackSettings
    room: int
    package: Package

    def example(self, kind: ExampleKind, generator: random.Random) -> Example | None:
        """One of a kind; None where the file has nothing for it, or by bad luck."""
        if kind == ExampleKind.CHAT:
            return chat(self.file, self.settings, generator)
        example = INFILLING[kind](self.file, self.room, self.settings, generator)
        if example is None or generator.random() >= self.settings.other_files:
            return example
        return with_other_files(example, self.file, self.package, generator)


def makers(files: Sequence[SourceText], layout: Layout, settings: PackSettings) -> Iterator[ExampleMaker]:
    """Yield one for each of the files that can be used; they know each other's definitions."""
    usable = [file for file in files if file.usable]
    packages: dict[tuple[str, str], list[SourceText]] = defaultdict(list)
    for file in usable:
        packages[file.package, file.version].append(file)
    defined = {key: Package.of(members) for key, members in packages.items()}
    for file in usable:
        sample = file.text[:SAMPLE]
        room = settings.row_length * len(sample) // max(1, len(layout.tokenizer.encode(sample)))
        yield ExampleMaker(file, settings, room, defined[file.package, file.version])


def training_documents(
    files: Sequence[SourceText], layout: Layout, settings: PackSettings, seed: int
) -> Iterator[tuple[ExampleKind, PackedDocument]]:
    """More of a long file than of a short one.

    Each time the kind is taken that is needed most; where a file has nothing for it, such as no functions, the next.
    """
    shares = Shares(settings.kinds)
    for maker in makers(files, layout, settings):
        for number in range(max(1, round(_worth(maker.file) / settings.characters_per_example))):
            generator = maker.file.generator(seed, number)
            for kind in (kind for kind in shares.by_need() for _ in range(ATTEMPTS)):
                example = maker.example(kind, generator)
                document = None if example is None else layout.document(example, settings.row_length)
                if document is not None:
                    shares.count(kind)
                    yield kind, document
                    break


def _worth(file: SourceText) -> int:
    """Characters that examples are made of."""
    inside, end = 0, 0
    for function in file.pieces.functions:
        inside += max(0, function.end - max(end, function.start))
        end = max(end, function.end)
    return inside + min(len(file.text) - inside, MOST_OUTSIDE)


class Shares:
    """Counts of the examples of each kind, against the weights that they should have."""

    def __init__(self, weights: Mapping[ExampleKind, float]) -> None:
        total = sum(weights.values())
        self._wanted = {kind: weight / total for kind, weight in weights.items() if weight > 0}
        self._counts: Counter[ExampleKind] = Counter()

    def count(self, kind: ExampleKind) -> None:
        self._counts[kind] += 1

    def by_need(self) -> list[ExampleKind]:
        """The kinds that are wanted at all, the one that lacks most first."""
        next_total = self._counts.total() + 1
        return sorted(self._wanted, key=lambda kind: self._counts[kind] - self._wanted[kind] * next_total)
