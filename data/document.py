"""The rows of the corpus: files as they were found, and documents, which are text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

TRAIN = "train"
VALIDATION = "validation"
HELD_OUT = "held_out"


@dataclass(frozen=True)
class SourceFile:
    """A file as it was found.

    Attributes:
        path: inside its package, with forward slashes.
        package: the name of its distribution, repository or folder, normalised as package indexes do.
        license: the SPDX expression that its package states; empty where it states none.
    """

    path: str
    content: bytes
    package: str
    version: str
    license: str

    @property
    def size(self) -> int:
        return len(self.content)


@dataclass(frozen=True)
class CorpusDocument:
    """A row of the corpus.

    Attributes:
        text: the whole file, its licence notice included, each line ended by `\\n`, without byte order mark.
        language: as `coder.syntax.languages` names it.
        license: the SPDX expression that holds for this file.
        sha256: of the text as UTF-8, hexadecimal.
        is_test: whether the file tests code.
        split: `train`, `validation` or `held_out`; empty until the last step.
    """

    text: str
    language: str
    path: str
    package: str
    version: str
    license: str
    sha256: str
    is_test: bool = False
    split: str = ""

    @property
    def size(self) -> int:
        return len(self.text.encode())

    def with_text(self, text: str) -> CorpusDocument:
        return replace(self, text=text, sha256=sha256_of(text))


Row = SourceFile | CorpusDocument


@dataclass(frozen=True)
class Skipped:
    """A file that a source could not or would not read."""

    path: str
    package: str
    reason: str


@dataclass(frozen=True)
class Kept:
    """A step's verdict: the document goes on, perhaps changed. `notes` say what was done to it, to be counted."""

    document: CorpusDocument
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dropped:
    """A step's verdict: the document goes no further."""

    reason: str


Verdict = Kept | Dropped


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
