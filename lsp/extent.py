"""How far a suggestion goes: to the end of the line, or of the block that the cursor is in."""

from __future__ import annotations

from typing import Literal

from coder.context.window import closing_brackets

Extent = Literal["line", "block"]

OPENERS = ":{[("
CLOSERS = "}])"


def extent_at(suffix: str) -> Extent:
    """A block where nothing but blanks and closing brackets follows on the line, else the line."""
    rest = suffix.split("\n", 1)[0]
    return "block" if not rest.strip() or closing_brackets(suffix) else "line"


def end_of_extent(text: str, prefix: str, extent: Extent) -> int | None:
    """Where a text that is being written behind `prefix` leaves its extent; None while it does not.

    A block ends before a line that is indented less than it, and before the paragraph behind a blank line that is not
    indented more.
    """
    if extent == "line":
        return text.find("\n") if "\n" in text else None
    current_line = prefix.rpartition("\n")[2]
    on_blank_line = not current_line.strip()
    scope = len(current_line) if on_blank_line else _indentation(current_line)
    inside = not on_blank_line and _opens(current_line + text.partition("\n")[0])
    start = text.find("\n") + 1
    after_blank = False
    while start:
        end = text.find("\n", start)
        line = text[start:] if end < 0 else text[start:end]
        if line.strip():
            least = scope + (inside and line.lstrip()[0] not in CLOSERS)
            depth = _indentation(line)
            if depth < least or (after_blank and depth <= scope):
                return len(text[:start].rstrip())
            after_blank = False
        elif end >= 0:
            after_blank = True
        start = end + 1
    return None


def _opens(line: str) -> bool:
    return line.rstrip()[-1:] in OPENERS and bool(line.strip())


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
