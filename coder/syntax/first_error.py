"""The place up to which a text can be read before its syntax is known to be broken."""

from __future__ import annotations

import re
from collections.abc import Sequence

from coder.syntax.parsing import error_spans
from coder.syntax.soundness import compiler_error, is_sound

NEVER_CLOSED = "was never closed"
OPEN_END = (NEVER_CLOSED, "unterminated", "unexpected EOF", "EOF in multi-line")
"""Messages of the compiler about something whose end is missing; they point at the beginning then."""

MISMATCHED = re.compile("does not match opening|unmatched")
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

    It reports what is wrong about tokens, such as a string without an end, before all else, so that the lines above are
    asked about too; and the bracket that closes another one, where that one may be the wrong one.
    """
    lines = text.split("\n")
    error = compiler_error(text)
    while error is not None and error.lineno is not None:
        if opened := OPENED_ON.search(error.msg):
            return int(opened[1]), len(lines[int(opened[1]) - 1])
        above = lines[: error.lineno - 1]
        earlier = compiler_error("\n".join(above)) if above else None
        if earlier is None or _is_cut_short(earlier, above):
            of_brackets = earlier is not None and NEVER_CLOSED in earlier.msg and MISMATCHED.search(error.msg)
            return _place(earlier if earlier is not None and of_brackets else error, lines)
        error = earlier
    return None if error is None else _place(error, lines)


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
