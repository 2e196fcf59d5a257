"""The place up to which a text can be read before its syntax is known to be broken."""

from __future__ import annotations

from coder.syntax.soundness import compiler_error

OPEN_END = ("was never closed", "unterminated", "unexpected EOF", "EOF in multi-line")
"""Messages of the compiler about something whose end is missing; they point at the beginning then."""


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
