"""Files from all sources into raw shards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data.document import Skipped, SourceFile
from data.settings import (
    ArchiveSettings,
    CorpusSettings,
    DebianSettings,
    EnvironmentSettings,
    FolderSettings,
    GitSettings,
    NpmSettings,
    PinnedSettings,
    SourceSettings,
)
from data.shards import ShardWriter
from data.sources.archive import Archive, archives_in
from data.sources.debian import DebianPackages
from data.sources.folder import Folder
from data.sources.git import GitRepository
from data.sources.installed import Environment, StandardLibrary
from data.sources.npm import NpmPackages
from data.sources.pinned import PinnedPackages
from data.sources.source import CorpusSource, Wanted
from data.tally import Tally

FILES_AT_A_TIME = 500
"""So often is said how far it is."""


def collect(settings: CorpusSettings, out: Path) -> Iterator[Tally]:
    """Write the files of every source, in order; what was found, some hundred files at a time. Raises InputError."""
    writer = ShardWriter(out, "files", SourceFile, settings.shard_bytes)
    tally = Tally()
    for source in open_sources(settings):
        for found in source.files():
            _count(tally, found)
            if isinstance(found, SourceFile):
                writer.write(found)
            if tally.documents_in >= FILES_AT_A_TIME:
                yield tally
                tally = Tally()
    writer.close()
    yield tally


def open_sources(settings: CorpusSettings) -> Iterator[CorpusSource]:
    wanted = Wanted(frozenset(settings.languages))
    for source in settings.sources:
        yield from _open(source, wanted, settings.cache)


def _open(source: SourceSettings, wanted: Wanted, cache: Path) -> Iterator[CorpusSource]:
    match source:
        case FolderSettings():
            yield Folder(source.path, wanted, source.package, source.license)
        case GitSettings():
            yield GitRepository(source.path, wanted, source.revision, source.package, source.license)
        case ArchiveSettings():
            for path in source.paths:
                for archive in archives_in(path):
                    yield Archive(archive, wanted, source.license)
        case PinnedSettings():
            yield PinnedPackages(source.file, cache, wanted)
        case NpmSettings():
            yield NpmPackages(source.file, cache, wanted)
        case DebianSettings():
            yield DebianPackages(source.file, cache, wanted)
        case EnvironmentSettings():
            yield Environment(wanted, source.paths, source.packages, source.exclude)
        case _:
            yield StandardLibrary(wanted)


def _count(tally: Tally, found: SourceFile | Skipped) -> None:
    tally.documents_in += 1
    if isinstance(found, SourceFile):
        tally.bytes_in += found.size
        tally.count_out(found)
    else:
        tally.dropped[found.reason] += 1
