"""Gzipped tar files that cannot fill the memory or run for ever."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

MOST_AT_ONCE = 2 * 1024 * 1024
"""Bytes. tarfile reads long names and extended headers whole, as long as they say they are."""


class ArchiveTooLargeError(Exception):
    """More comes out of an archive than any honest one holds."""


class BoundedStream:
    """A stream that can be read up to a place, a little at a time. Beyond either it raises ArchiveTooLargeError."""

    def __init__(self, stream: IO[bytes], end: int) -> None:
        self._stream, self._end = stream, end

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MOST_AT_ONCE or self._stream.tell() + size > self._end:
            raise ArchiveTooLargeError
        return self._stream.read(size)

    def seek(self, place: int, whence: int = 0) -> int:
        if whence != 0 or place > self._end:
            raise ArchiveTooLargeError
        return self._stream.seek(place)

    def tell(self) -> int:
        return self._stream.tell()


@contextmanager
def open_tar(path: Path, most: int) -> Iterator[tarfile.TarFile]:
    """A gzipped tar, whose members are best read in order.

    Raises ArchiveTooLargeError while it is read, once more than `most` bytes have to be decompressed.
    """
    with gzip.open(path) as compressed, tarfile.open(fileobj=BoundedStream(compressed, most), mode="r:") as archive:  # type: ignore[call-overload]
        yield archive
