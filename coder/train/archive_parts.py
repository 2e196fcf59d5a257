"""A folder cut into compressed parts that are small enough to travel, and joined again.

    python -m coder.train.archive_parts cut FOLDER PARTS --mib 15
    python -m coder.train.archive_parts join PARTS FOLDER

For machines that take and return a few megabytes at a time. Standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import sys
import tarfile
import tempfile
from pathlib import Path

from coder.errors import InputError, QuickfillError

LIST = "parts.json"
"""Beside the parts: the name and SHA-256 of each, in order."""

PRESET = 1
"""Of xz: weights hardly get smaller by more, and rows are small by this."""

MIB = 1024 * 1024


def cut(folder: Path, out: Path, part_bytes: int) -> list[Path]:
    """Write what is in `folder` as parts of at most `part_bytes` into `out`, which is made; the parts, in order."""
    out.mkdir(parents=True, exist_ok=True)
    parts: list[Path] = []
    sums = {}
    with tempfile.TemporaryFile(dir=out) as whole:
        with lzma.open(whole, "wb", preset=PRESET) as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
            for file in sorted(path for path in folder.rglob("*") if path.is_file()):
                archive.add(file, file.relative_to(folder).as_posix(), recursive=False)
        whole.seek(0)
        while content := whole.read(part_bytes):
            part = out / f"part-{len(parts):03}"
            part.write_bytes(content)
            parts.append(part)
            sums[part.name] = hashlib.sha256(content).hexdigest()
    (out / LIST).write_text(json.dumps(sums, indent=1) + "\n", encoding="utf-8")
    return parts


def join(parts: Path, folder: Path) -> None:
    """Unpack into `folder` what was cut into the folder `parts`.

    Raises InputError, naming the part, where one is missing or damaged.
    """
    with tempfile.TemporaryFile(dir=parts) as whole:
        for name, expected in json.loads(_read(parts / LIST)).items():
            content = _read(parts / name)
            if hashlib.sha256(content).hexdigest() != expected:
                raise InputError(f"{parts / name} is damaged; bring it over again")
            whole.write(content)
        whole.seek(0)
        folder.mkdir(parents=True, exist_ok=True)
        with lzma.open(whole) as unpacked, tarfile.open(fileobj=unpacked, mode="r|") as archive:
            archive.extractall(folder, filter="data")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); bring all parts into one folder") from error


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m coder.train.archive_parts", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("action", choices=["cut", "join"])
    parser.add_argument("source", type=Path)
    parser.add_argument("destination", type=Path)
    parser.add_argument("--mib", type=float, default=15, help="most of a part, in MiB")
    given = parser.parse_args()
    try:
        if given.action == "cut":
            for part in cut(given.source, given.destination, int(given.mib * MIB)):
                print(part)  # noqa: T201
        else:
            join(given.source, given.destination)
    except QuickfillError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
