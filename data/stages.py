"""The stages of a build in their order, each from the folder of the one before to its own."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from data.collecting import collect
from data.deduplicating import deduplicate
from data.document import CorpusDocument, Row, SourceFile
from data.running import CorpusStep, apply_step
from data.settings import CorpusSettings, DebianSettings, NpmSettings, PinnedSettings, SourceSettings
from data.splitting import Split, write_splits
from data.steps.decode import Decode
from data.steps.decontaminate import Decontaminate
from data.steps.licence import Licence
from data.steps.quality import Quality
from data.steps.secrets import Secrets
from data.tally import Tally
from data.tasks import BenchmarkTask, humaneval_tasks, mbpp_tasks

Run = Callable[[Sequence[Path], Path, int], Iterator[Tally]]
"""From shards into a folder, on some processes; what was done, some of it at a time."""


@dataclass(frozen=True)
class Stage:
    """Attributes: title: what it does, in a few words. settings: those that its result depends on, as text."""

    name: str
    title: str
    settings: str
    run: Run

    def fingerprint(self, before: str) -> str:
        """A hash that is equal only where this stage, and all before it, would do the same once more."""
        told = "\n".join((before, self.name, self.settings, platform.python_version(), metadata.version("quickfill")))
        return hashlib.sha256(told.encode()).hexdigest()


def stages_of(settings: CorpusSettings) -> tuple[Stage, ...]:
    held_out = frozenset(settings.split.held_out)
    sources = [_told(source) for source in settings.sources]
    split = Split(held_out, settings.split.validation, settings.split.seed)
    return (
        Stage("collect", "files from all sources", f"{sources} {settings.languages} {settings.shard_megabytes}",
              lambda _, out, processes: collect(settings, out)),
        Stage("decode", "bytes to text that parses", "",
              _applying(Decode, SourceFile)),
        Stage("licence", "permissive licences alone", settings.licence.model_dump_json(),
              _applying(lambda: Licence(frozenset(settings.licence.allowed), settings.licence.allow_unstated))),
        Stage("quality", "code that people wrote", settings.quality.model_dump_json(),
              _applying(lambda: Quality(frozenset(settings.quality.vendored)))),
        Stage("secrets", "no secrets, no addresses", "",
              _applying(Secrets)),
        Stage("deduplicate", "nothing twice", f"{settings.duplicates.model_dump_json()} {sorted(held_out)}",
              lambda shards, out, processes: deduplicate(
                  shards, out, settings.duplicates.threshold, held_out, processes)),
        Stage("decontaminate", "no benchmark's tasks", settings.decontamination.model_dump_json(),
              _applying(lambda: Decontaminate(benchmark_tasks(settings), settings.decontamination.length))),
        Stage("split", "train, validation, held out", f"{settings.split.model_dump_json()} {settings.shard_megabytes}",
              lambda shards, out, _: write_splits(shards, out, split, settings.shard_bytes)),
    )  # fmt: skip


def _told(source: SourceSettings) -> str:
    """A source's settings, with the list that they name where they name one: another list is another source."""
    told = source.model_dump_json()
    if isinstance(source, PinnedSettings | NpmSettings | DebianSettings) and source.file.is_file():
        told += source.file.read_text(encoding="utf-8", errors="replace")
    return told


def benchmark_tasks(settings: CorpusSettings) -> list[BenchmarkTask]:
    """Raises InputError."""
    asked = settings.decontamination
    return humaneval_tasks(asked.humaneval) + (mbpp_tasks(asked.mbpp) if asked.mbpp is not None else [])


def _applying(make_step: Callable[[], CorpusStep], row_type: type[Row] = CorpusDocument) -> Run:
    """The step over each shard. It is made when it is needed, since it may have to read files."""
    return lambda shards, out, processes: apply_step(make_step(), shards, out, processes, row_type)
