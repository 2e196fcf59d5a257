"""Files of two consecutive releases of a package, filtered as a corpus is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coder.errors import InputError
from data.document import CorpusDocument, Dropped, SourceFile
from data.pack.edits import EditedText
from data.running import CorpusStep
from data.settings import HELD_OUT_PACKAGES, CorpusSettings
from data.sources.releases import ReleasePair, changed_files, read_pairs
from data.sources.source import normalised_name
from data.stages import benchmark_tasks
from data.steps.decode import Decode
from data.steps.decontaminate import Decontaminate
from data.steps.licence import Licence
from data.steps.quality import Quality
from data.steps.secrets import Secrets


@dataclass(frozen=True)
class ReleaseBatch:
    """The files that differ between two releases, and that a corpus would keep as they are in both."""

    pair: ReleasePair
    cache: Path

    def read(self) -> list[EditedText]:
        """Raises InputError where pip cannot get a release."""
        steps = _steps()
        found = []
        for file in changed_files(self.pair, self.cache):
            old, new = _kept(file.old, steps), _kept(file.new, steps)
            if old is not None and new is not None and old.text != new.text:
                found.append(EditedText(old.text, new.text, new.path, new.package, new.version))
        return found


def release_batches(file: Path, cache: Path | None = None) -> Iterator[ReleaseBatch]:
    """Yield the pairs of a list. Raises InputError, also for a package that no training is to see."""
    for pair in read_pairs(file):
        if normalised_name(pair.package) in HELD_OUT_PACKAGES:
            raise InputError(f"{file}: {pair.package} is held out of all training; take it off the list")
        yield ReleaseBatch(pair, cache or CorpusSettings().cache)


def _steps() -> list[CorpusStep]:
    """The steps of a corpus that look at one document."""
    return [Decode(), Licence(), Quality(), Secrets(), Decontaminate(benchmark_tasks(CorpusSettings()))]


def _kept(file: SourceFile, steps: list[CorpusStep]) -> CorpusDocument | None:
    document: SourceFile | CorpusDocument = file
    for step in steps:
        verdict = step(document)
        if isinstance(verdict, Dropped):
            return None
        document = verdict.document
    assert isinstance(document, CorpusDocument)
    return document
