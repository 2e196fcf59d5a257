"""What the zygote sees of the processes below it, in /proc."""

from __future__ import annotations

import os
import resource
from pathlib import Path

PROC = Path("/proc")


def descendants(root: int) -> set[int]:
    """All processes below one. Empty where there is no /proc."""
    parents: dict[int, int] = {}
    for entry in os.listdir(PROC) if PROC.exists() else ():
        if entry.isdigit():
            fields = _read(entry, "stat").rpartition(")")[2].split()
            if len(fields) > 1:
                parents[int(entry)] = int(fields[1])
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
        fields = _read(str(process), "statm").split()
        pages += int(fields[1]) if len(fields) > 1 else 0
    return pages * resource.getpagesize()


def _read(process: str, name: str) -> str:
    try:
        return (PROC / process / name).read_text(encoding="utf-8", errors="replace")
    except OSError:  # it has ended meanwhile
        return ""
