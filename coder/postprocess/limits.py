"""The end of a completion: that of its line or its scope, and before control tokens and unreadable characters."""

from __future__ import annotations

import re

from coder.postprocess.context import PostprocessContext, surroundings
from coder.syntax.lexing import CLOSERS, scan

SPELLED_OUT = re.compile(
    r"<\|\w{1,30}\|>|</?s>|<(?:fim_(?:prefix|middle|suffix|pad)|reponame|filename|gh_stars|file_sep|issue_\w+|jupyter_\w+)>"
)
UNREADABLE = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f\ufffd]")

CONTINUES = re.compile(
    r"(?:else|elif|elsif|elseif|except|finally|catch|rescue|ensure|case|default|when|then|end|until|fi|done|esac)\b"
)
"""Words at the start of a line that belong to the statement above, at its own indentation."""

NOTHING_BUT_CLOSERS = re.compile(r"[)\]}]+[;,]?")


def special_tokens(text: str, context: PostprocessContext) -> str | None:
    """The text up to the first control token that is spelled out, unless the buffer speaks of it too (a file about
    tokenizers does), or up to the first character that no editor should be given."""
    end = len(text)
    for token in SPELLED_OUT.finditer(text):
        if token.group() not in context.prefix and token.group() not in context.suffix:
            end = token.start()
            break
    unreadable = UNREADABLE.search(text, 0, end)
    return text[: unreadable.start() if unreadable else end]


def cut_off(text: str, context: PostprocessContext) -> str | None:
    """Whole lines of a block that was cut off by its length. What a deadline left is whole lines already, and a single
    line stays: half of it may be right."""
    if context.finish_reason != "length":
        return text
    lines, line_break, _ = text.rpartition("\n")
    return lines if line_break and lines.strip() else text


def line(text: str, context: PostprocessContext) -> str | None:
    """The first line of the text, where a line is wanted."""
    return text.partition("\n")[0] if context.mode == "line" else text


def scope(text: str, context: PostprocessContext) -> str | None:
    """The text up to the end of the cursor's scope.

    That is before a line less indented than the cursor's, unless it is a closing bracket that is missing there; and
    before the statement that follows a finished one with a body: where the cursor's line begins it, or a blank line
    separates the two. Lines within a string, or within brackets that the text opens, end nothing.
    """
    if context.mode == "line":
        return text
    written = text.split("\n")
    lines = context.completed_lines(text)
    inside = _lines_inside(text, context)
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    base = _indentation(lines[first])
    body = False
    for index in range(first + 1, len(lines)):
        line = written[index]
        if not line.strip() or index in inside:
            continue
        width, start = _indentation(line), line.lstrip()
        if width < base:
            keep = NOTHING_BUT_CLOSERS.fullmatch(line.strip()) is not None
            return "\n".join(written[: index + keep])
        follows = (first == 0 and not context.starts_line) or not written[index - 1].strip()
        if width == base and body and follows and start[0] not in CLOSERS and not CONTINUES.match(start):
            return "\n".join(written[:index])
        body = body or width > base
    return text


def blank(text: str, context: PostprocessContext) -> str | None:
    """None for blanks and line breaks alone."""
    return text if text.strip() else None


def _indentation(line: str) -> int:
    """The line's indentation in columns, a tab to the next multiple of four."""
    blank = line[: len(line) - len(line.lstrip())]
    return len(blank.expandtabs(4))


def _lines_inside(text: str, context: PostprocessContext) -> set[int]:
    """The lines that begin in a string, or in brackets that the text opened."""
    found = scan(text, context.language, surroundings(context).inside)
    starts = [match.end() for match in re.finditer("\n", text)]
    lines: set[int] = set()
    for number, start in enumerate(starts, start=1):
        opened = 0
        for index, bracket in found.brackets:
            if index < start:
                opened = max(0, opened - 1) if bracket in CLOSERS else opened + 1
        if opened or any(begin < start < end for begin, end in found.literals):
            lines.add(number)
    return lines
