"""Text of other files of a package before an example: what the hole uses of them, and some that it does not."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from coder.api.completion import Snippet
from coder.syntax.definitions import definitions
from data.pack.example import HoleExample
from data.pack.text import SourceText

IDENTIFIER = re.compile(r"[^\W\d]\w{2,}")
NEAR = 1200
"""Characters before the hole whose names count."""

MOST_SNIPPETS = 5
LONGEST_SNIPPET = 800
MOST_BYSTANDERS = 2
"""Definitions of which nothing is used: not all that an editor finds is of use."""


@dataclass(frozen=True)
class Package:
    """Index of what the files of a package define, by name, with the text that an editor would show of it."""

    defined: dict[str, list[Snippet]]

    @staticmethod
    def of(files: Iterable[SourceText]) -> Package:
        defined: dict[str, list[Snippet]] = {}
        for file in files:
            for definition in definitions(file.text, file.language):
                if len(definition.text) <= LONGEST_SNIPPET and IDENTIFIER.fullmatch(definition.name):
                    defined.setdefault(definition.name, []).append(Snippet(file.path, definition.text))
        return Package(defined)

    def snippets(self, path: str, near: str, answer: str, generator: random.Random) -> tuple[Snippet, ...]:
        """Snippets of files other than `path`: what the answer names comes last, where it is cut last.

        Args:
            near: the text before the hole.
        """
        wanted, seen = set(IDENTIFIER.findall(answer)), set(IDENTIFIER.findall(near))
        groups = [self._of(names, path, generator) for names in (wanted, seen - wanted)]
        bystanders = generator.sample(sorted(self.defined), min(MOST_BYSTANDERS, len(self.defined)))
        used = [*groups[0], *groups[1]][: generator.randint(1, MOST_SNIPPETS)]
        if not used:
            return ()
        extra = self._of(bystanders, path, generator)[: generator.randint(0, MOST_BYSTANDERS)]
        return tuple(reversed([*used, *(snippet for snippet in extra if snippet not in used)]))

    def _of(self, names: Iterable[str], path: str, generator: random.Random) -> list[Snippet]:
        found = []
        for name in sorted(names):
            others = [snippet for snippet in self.defined.get(name, ()) if snippet.path != path]
            if others:
                found.append(generator.choice(others))
        generator.shuffle(found)
        return found


def with_other_files(
    example: HoleExample, source: SourceText, package: Package, generator: random.Random
) -> HoleExample:
    """Return the example with text of other files before it, or as it is where it uses none."""
    snippets = package.snippets(source.path, example.texts[0][-NEAR:], "".join(example.answers), generator)
    return replace(example, snippets=snippets, repository=source.package) if snippets else example
