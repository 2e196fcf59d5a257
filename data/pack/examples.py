"""Training documents of all kinds from some files, in the shares that the settings ask for."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from coder.train.packed_rows import Document
from data.pack import changed_texts, editing, infilling
from data.pack.changed_texts import ChangedText
from data.pack.example import Example
from data.pack.layout import Layout
from data.pack.other_files import Package, with_other_files
from data.pack.settings import Kind, PackSettings
from data.pack.shares import Shares
from data.pack.text import SourceText

INFILLING: Mapping[Kind, Callable[[SourceText, int, PackSettings, random.Random], Example | None]] = {
    Kind.FUNCTION: infilling.function,
    Kind.INFILL: infilling.infill,
    Kind.LEFT_TO_RIGHT: infilling.left_to_right,
    Kind.HOLES: infilling.holes,
}

CHANGES: Mapping[Kind, tuple[Callable[[SourceText, random.Random], ChangedText | None], ...]] = {
    Kind.REWRITE: (changed_texts.damaged, changed_texts.renamed, changed_texts.undocumented),
    Kind.NEXT_EDIT: (changed_texts.renamed,),
}
"""How the old text of each kind of edit is made; earlier releases, where there are some, serve both."""

FROM_RELEASES = 0.5
"""How often an edit is what changed since the release before, where there is one."""

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
        package: what the files around it define. earlier: the same file in the release before, if it is known.
    """

    file: SourceText
    settings: PackSettings
    room: int
    package: Package
    earlier: SourceText | None = None

    def example(self, kind: Kind, generator: random.Random) -> Example | None:
        """One of a kind; None where the file has nothing for it, or by bad luck."""
        if kind not in INFILLING:
            change = self._change(kind, generator)
            make = editing.rewrite if kind == Kind.REWRITE else editing.next_edit
            return None if change is None else make(self.file, change, self.room, generator)
        example = INFILLING[kind](self.file, self.room, self.settings, generator)
        if example is None or kind == Kind.LEFT_TO_RIGHT or generator.random() >= self.settings.other_files:
            return example
        return with_other_files(example, self.file, self.package, self.settings.repository_name, generator)

    def _change(self, kind: Kind, generator: random.Random) -> ChangedText | None:
        if self.earlier is not None and generator.random() < FROM_RELEASES:
            return ChangedText(self.earlier.text, self.file.text)
        return generator.choice(CHANGES[kind])(self.file, generator)


def makers(files: Sequence[SourceText], layout: Layout, settings: PackSettings) -> Iterator[ExampleMaker]:
    """One for each of the files that can be used; they know each other's definitions and earlier releases."""
    usable = [file for file in files if file.usable]
    packages: dict[tuple[str, str], list[SourceText]] = defaultdict(list)
    releases: dict[tuple[str, str], list[SourceText]] = defaultdict(list)
    for file in usable:
        packages[file.package, file.version].append(file)
        releases[file.package, file.path].append(file)
    defined = {key: Package.of(members) for key, members in packages.items()}
    for file in usable:
        before = [one for one in releases[file.package, file.path] if _order(one.version) < _order(file.version)]
        earlier = max(before, key=lambda one: _order(one.version), default=None)
        sample = file.text[:SAMPLE]
        room = settings.row_length * len(sample) // max(1, len(layout.tokenizer.encode(sample)))
        yield ExampleMaker(file, settings, room, defined[file.package, file.version], earlier)


def training_documents(
    files: Sequence[SourceText], layout: Layout, settings: PackSettings, seed: int
) -> Iterator[tuple[Kind, Document]]:
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


def _order(version: str) -> list[tuple[int, str]]:
    """For sorting: numbers by value."""
    return [(int(number or 0), word) for number, word in re.findall(r"(\d+)|([^\d.]+)", version)]
