"""The interface of a source, and the choice of files that are worth opening."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from coder.syntax.languages import language_of
from data.document import Skipped, SourceFile

Found = SourceFile | Skipped

LARGEST_FILE = 1024 * 1024
"""Bytes. Nobody writes larger ones by hand."""

TOO_LARGE = "too large"
UNREADABLE = "unreadable"
UNSAFE_NAME = "unsafe name"
DAMAGED = "damaged archive"


class CorpusSource(Protocol):
    def files(self) -> Iterator[Found]:
        """The files, in an order that depends on nothing but the content. Raises InputError."""
        ...


@dataclass(frozen=True)
class Wanted:
    """The choice of files to open, by their names."""

    languages: frozenset[str]

    def __call__(self, path: str) -> bool:
        language = language_of(path)
        return language is not None and language.name in self.languages


def normalised_name(package: str) -> str:
    """A distribution's name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", package).strip("-").lower() or "unnamed"
