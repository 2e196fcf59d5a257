"""The processes below the zygote, as /proc shows them."""

from __future__ import annotations

import resource
from pathlib import Path

PROC = Path("/proc")


def descendants(root: int) -> set[int]:
    """All processes below one."""
    parents: dict[int, int] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            fields = _read(entry / "stat").rpartition(")")[2].split()
            if fields:
                parents[int(entry.name)] = int(fields[1])
    found: set[int] = set()
    grown = True
    while grown:
        more = {process for process, parent in parents.items() if parent == root or parent in found} - found
        found |= more
        grown = bool(more)
    return found


def resident_bytes(processes: set[int]) -> int:
    """The memory that processes hold, in bytes; what they share is counted for each."""
    pages = 0
    for process in processes:
        fields = _read(PROC / str(process) / "statm").split()
        pages += int(fields[1]) if fields else 0
    return pages * resource.getpagesize()


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:  # it has ended meanwhile
        return ""
