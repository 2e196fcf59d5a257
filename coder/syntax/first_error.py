"""The place up to which a text can be read before its syntax is known to be broken."""

from __future__ import annotations

import re
from collections.abc import Sequence

from coder.syntax.soundness import compiler_error, is_sound
from coder.syntax.tree import error_spans

NEVER_CLOSED = "was never closed"
OPEN_END = (NEVER_CLOSED, "unterminated", "unexpected EOF", "EOF in multi-line")
"""Messages of the compiler about something whose end is missing; they point at the beginning then."""

BRACKETS = re.compile(f"does not match opening|unmatched|{NEVER_CLOSED}")
OPENED_ON = re.compile(r"does not match opening parenthesis .* on line (\d+)")


def first_error(text: str, language: str) -> int | None:
    """The offset at which Python's compiler stumbles: what stands before it alone is at fault, or the character there.

    None where it does not, where the end of something is missing, and for other languages: their grammars mend what
    they read, so where they see an error says little.
    """
    if language != "python":
        return None
    error = compiler_error(text, parse_only=True)
    if error is None or error.lineno is None or error.offset is None or any(words in error.msg for words in OPEN_END):
        return None
    # The end of what it complains about: the beginning may be fine.
    line, column = max((error.lineno, error.offset), (error.end_lineno or 0, (error.end_offset or 0) - 1))
    lines = text.split("\n")[:line]
    return sum(len(line) + 1 for line in lines[:-1]) + min(max(0, column - 1), len(lines[-1]))


def first_broken_line(text: str, language: str) -> int | None:
    """The number of the line, from 1, up to which a text that breaks its language's syntax can be read; None for one
    that breaks none, and where no grammar is installed."""
    if is_sound(text, language) is not False:
        return None
    place = stumbling_place(text) if language == "python" else None
    if place is not None:
        return place[0]
    return next((text.count("\n", 0, start) + 1 for start, _ in error_spans(text, language) or ()), 1)


def stumbling_place(text: str) -> tuple[int, int] | None:
    """The line, from 1, at which Python's compiler stumbles, and how many characters of it are left; None where it does
    not.

    It reports what is wrong about tokens, such as a string or a bracket without an end, before all else, so that the
    lines above are asked about too.
    """
    return _first_fault(text.split("\n"), cut=False)


def _first_fault(lines: Sequence[str], cut: bool) -> tuple[int, int] | None:
    """The same for lines, of which more may follow if they are cut: what is only missing at their end is no fault."""
    error = compiler_error("\n".join(lines)) if lines else None
    if error is None:
        return None
    if cut and _is_cut_short(error, lines):
        return _first_fault(lines[: (error.lineno or 1) - 1], cut=True) if NEVER_CLOSED in error.msg else None
    opened = OPENED_ON.search(error.msg)
    place = (int(opened[1]), len(lines[int(opened[1]) - 1])) if opened else _place(error, lines)
    above = lines[: place[0] - 1]
    if earlier := _first_fault(above, cut=True):
        return earlier
    outer = compiler_error("\n".join(above)) if above and not opened and BRACKETS.search(error.msg) else None
    return _place(outer, lines) if outer is not None and NEVER_CLOSED in outer.msg else place


def _place(error: SyntaxError, lines: Sequence[str]) -> tuple[int, int]:
    number = error.lineno or 1
    line = lines[number - 1] if number <= len(lines) else ""
    return number, len(line) - (error.offset or 0)


def _is_cut_short(error: SyntaxError, lines: Sequence[str]) -> bool:
    """Return whether the compiler misses only what may follow behind these lines."""
    if error.lineno is None or any(words in error.msg for words in OPEN_END):
        return True
    line = lines[error.lineno - 1] if error.lineno <= len(lines) else ""
    is_last = not any(each.strip() for each in lines[error.lineno :])
    return is_last and not 0 < (error.offset or 0) <= len(line)
