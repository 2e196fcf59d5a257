"""Duplicates and near duplicates, found with bounded memory: the index lies in a database file.

Documents are looked at in one order, whatever order they came in: those of packages to prefer first, then by name,
version and path. A document stays unless one that stays is equal to it or at least `threshold` similar. So no two of
those that stay are duplicates, and looking once more finds nothing.

Similar documents are found by locality-sensitive hashing: a signature is cut into bands, and only documents with an
equal band are compared (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, chapter 3).
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from datasketch import MinHash, MinHashLSH

from coder.syntax.ngrams import ngrams, tokenize

EXACT = "duplicate"
NEAR = "near duplicate"

CACHE_KIBIBYTES = 64 * 1024

TABLES = """
CREATE TABLE documents (
    shard INTEGER, place INTEGER, preference INTEGER, name TEXT, version TEXT, path TEXT, sha256 TEXT,
    content BLOB, signature BLOB, PRIMARY KEY (shard, place)
);
CREATE TABLE contents (content BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE bands (band INTEGER, document INTEGER, PRIMARY KEY (band, document)) WITHOUT ROWID;
CREATE TABLE dropped (document INTEGER PRIMARY KEY, reason TEXT);
"""
ORDER = "preference, name, version, path, sha256, shard, place"


@dataclass(frozen=True)
class Entry:
    """A document as the index keeps it. shard, place: where it lies. content: its `layout_free_hash`."""

    shard: int
    place: int
    preference: int
    package: str
    version: str
    path: str
    sha256: str
    content: bytes
    signature: Signature


@cache
def bands_and_rows(threshold: float) -> tuple[int, int]:
    """The number of bands, and of places in each, with the fewest mistakes about documents of such a similarity."""
    chosen = MinHashLSH(threshold, PERMUTATIONS)
    return chosen.b, chosen.r


class DuplicateIndex:
    """Attributes: threshold: the estimated Jaccard similarity from which on documents are duplicates."""

    def __init__(self, file: Path, threshold: float) -> None:
        file.unlink(missing_ok=True)
        self.threshold = threshold
        self._bands, self._rows = bands_and_rows(threshold)
        self._database = sqlite3.connect(file)
        self._database.executescript(
            f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{CACHE_KIBIBYTES}; {TABLES}"
        )

    def add(self, entries: Iterable[Entry]) -> None:
        self._database.executemany(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (entry.shard, entry.place, entry.preference, entry.package, entry.version, entry.path, entry.sha256,
                 entry.content, entry.signature.tobytes())
                for entry in entries
            ),
        )  # fmt: skip

    def decide(self) -> None:
        """Look at all of them, once they are all there."""
        self._database.execute(f"CREATE INDEX in_order ON documents ({ORDER})")
        reader = self._database.execute(f"SELECT rowid, content, signature FROM documents ORDER BY {ORDER}")
        for number, content, stored in reader:
            reason = self._reason(number, content, np.frombuffer(stored, np.uint32))
            if reason is not None:
                self._database.execute("INSERT INTO dropped VALUES (?, ?)", (number, reason))

    def verdicts(self, shard: int) -> Iterator[str | None]:
        """Return the reasons why the documents of a shard are dropped, None for those that stay, in their order."""
        rows = self._database.execute(
            "SELECT reason FROM documents LEFT JOIN dropped ON documents.rowid = dropped.document "
            "WHERE shard = ? ORDER BY place",
            (shard,),
        )
        return (reason for (reason,) in rows)

    def close(self) -> None:
        self._database.close()

    def _reason(self, number: int, content: bytes, signature: Signature) -> str | None:
        """Return the reason why the document is dropped; None if it stays, and then it is remembered."""
        if not self._database.execute("INSERT OR IGNORE INTO contents VALUES (?)", (content,)).rowcount:
            return EXACT
        bands = self._bands_of(signature)
        marks = ",".join("?" * len(bands))
        alike = self._database.execute(
            "SELECT DISTINCT signature FROM documents "
            f"WHERE rowid IN (SELECT document FROM bands WHERE band IN ({marks}))",
            bands,
        ).fetchall()
        if alike:
            others = np.stack([np.frombuffer(stored, np.uint32) for (stored,) in alike])
            if similarity(signature, others).max() >= self.threshold:
                return NEAR
        self._database.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?)", [(band, number) for band in bands])
        return None

    def _bands_of(self, signature: Signature) -> list[int]:
        """One number for each band: of the band's place and values."""
        cut = signature[: self._bands * self._rows].reshape(self._bands, self._rows).astype("<u4")
        return [
            int.from_bytes(
                hashlib.blake2b(row.tobytes(), digest_size=8, salt=bytes([place])).digest(), "big", signed=True
            )
            for place, row in enumerate(cut)
        ]


PERMUTATIONS = 128
SHINGLE = 5
"""Tokens of a run."""

Signature = npt.NDArray[np.uint32]
"""uint32 [PERMUTATIONS]; the share of equal places estimates the Jaccard similarity of two texts' runs."""

_PERMUTATIONS = MinHash(PERMUTATIONS).permutations


def layout_free_hash(text: str) -> bytes:
    """A hash that is equal for texts that differ in spaces and line breaks alone."""
    return hashlib.sha256("".join(text.split()).encode()).digest()[:16]


def signature(text: str) -> Signature:
    """The MinHash (Broder 1997) of the text's runs of five tokens."""
    runs = {zlib.crc32(run.encode()) for run in ngrams(tokenize(text), SHINGLE)}
    sketch = MinHash(PERMUTATIONS, hashfunc=int, permutations=_PERMUTATIONS, scheme="affine32")
    sketch.update_batch(runs)
    return sketch.hashvalues


def similarity(one: Signature, others: npt.NDArray[np.uint32]) -> npt.NDArray[np.float64]:
    """The estimated similarity, 0 to 1, of a signature and N others: uint32 [N, PERMUTATIONS] -> float64 [N]."""
    return (others == one).mean(axis=1)
