"""Indentation as the buffer has it."""

from __future__ import annotations

import re
from math import gcd

from coder.postprocess.context import REACH, PostprocessContext

USUAL_WIDTH = 4
LEADING = re.compile(r"^[ \t]+", re.MULTILINE)
INDENTED_BY_SPACES = re.compile(r"^( +)\S", re.MULTILINE)
INDENTED_BY_TABS = re.compile(r"^\t+ *\S", re.MULTILINE)


def indentation(text: str, context: PostprocessContext) -> str | None:
    """The text with its lines indented by tabs where the buffer's lines are, by spaces where those are."""
    buffer = context.prefix[-REACH:] + context.suffix[:REACH]
    tabs, spaces = len(INDENTED_BY_TABS.findall(buffer)), INDENTED_BY_SPACES.findall(buffer)
    head, tail = ("", text) if not context.line_before.strip() else _split_first_line(text)
    if tabs > len(spaces):
        width = _width(tail)
        return head + LEADING.sub(lambda blanks: _with_tabs(blanks.group(), width), tail)
    if spaces:
        width = min((len(blanks) for blanks in spaces if len(blanks) > 1), default=USUAL_WIDTH)
        return head + LEADING.sub(lambda blanks: blanks.group().replace("\t", " " * width), tail)
    return text


def _split_first_line(text: str) -> tuple[str, str]:
    """What continues the cursor's line, its line break included, and the rest."""
    line, line_break, rest = text.partition("\n")
    return line + line_break, rest


def _width(text: str) -> int:
    """How many spaces a level is in a text that is indented by spaces: two, three, or the usual number."""
    if INDENTED_BY_TABS.search(text):
        return USUAL_WIDTH
    common = gcd(*(len(blanks) for blanks in INDENTED_BY_SPACES.findall(text) if len(blanks) > 1))
    return common if common in (2, 3) else USUAL_WIDTH


def _with_tabs(blanks: str, width: int) -> str:
    if "\t" in blanks:
        return blanks
    levels, rest = divmod(len(blanks), width)
    return "\t" * levels + " " * rest
