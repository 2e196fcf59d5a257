"""White space as the buffer has it: indentation by its tabs or blanks from the cursor on, its own line breaks, nothing
at the ends of lines."""

from __future__ import annotations

import re
from math import gcd

from coder.postprocess.context import REACH, PostprocessContext

USUAL_WIDTH = 4
LINE_BREAK = re.compile(r"\r\n|\r|\n")
LEADING = re.compile(r"^[ \t]+", re.MULTILINE)
INDENTED_BY_SPACES = re.compile(r"^(  +)\S", re.MULTILINE)
"""Two blanks at least: one is the margin of a block comment's lines."""

INDENTED_BY_TABS = re.compile(r"^\t+ *\S", re.MULTILINE)
BLANK_LINES_FIRST = re.compile(r"\A(?:[ \t]*\n)+")
AT_LINE_ENDS = re.compile(r"[ \t]+(?=\n)")
INDENTED_BY_TABS_ALWAYS = ("go", "makefile")
OPENS_BLOCK = re.compile(r"[:{(\[]\s*\Z|\b(?:then|do|else)\s*\Z")
"""The end of a line that a more indented one follows."""


def unix_line_breaks(text: str) -> str:
    """The text with line feeds alone."""
    return LINE_BREAK.sub("\n", text) if "\r" in text else text


def line_break_of(text: str) -> str:
    """The line break used first; a line feed where there is none."""
    found = LINE_BREAK.search(text)
    return found.group() if found else "\n"


def from_the_cursor(text: str, context: PostprocessContext) -> str | None:
    """Return a text that the model wrote without seeing the blanks before the cursor, as it continues behind them.

    On a line of its own the text is moved to the cursor's indentation; more stays where the line above opens a block
    that is no less indented than the cursor. None for a text that belongs to an outer block.
    """
    if not context.prefix.strip():  # no blank lines begin a file, and nothing is indented there
        text = BLANK_LINES_FIRST.sub("", text)
        text = text if context.line_before else _without_first_indentation(text)
    if not context.hidden:
        return text
    if not context.starts_line:
        return text.removeprefix(context.hidden) if text.startswith(context.hidden) else text.lstrip(" \t")
    text = indentation(text, context) or ""
    own = text[: len(text) - len(text.lstrip(" \t"))]
    if not text[len(own) :].partition("\n")[0].strip():
        return None
    step = indentation_step(context)
    deeper = _columns(own, step) - _columns(context.hidden, step)
    if deeper < 0:
        return None
    above = next(iter(context.lines_above()), "")
    indented_above = _columns(above[: len(above) - len(above.lstrip())], step) >= _columns(context.hidden, step)
    if deeper == 0 or (indented_above and OPENS_BLOCK.search(above)):
        return text.removeprefix(context.hidden)
    surplus = own[len(context.hidden) :] if own.startswith(context.hidden) else " " * deeper
    head, line_break, tail = text[len(own) :].partition("\n")
    return head + line_break + _dedented(tail, surplus)


def indentation(text: str, context: PostprocessContext) -> str | None:
    """The text with its lines indented by tabs where the buffer's lines are, by spaces where those are."""
    step = indentation_step(context)
    head, tail = ("", text) if context.starts_line else _split_first_line(text)
    if step == "\t":
        width = _width(tail)
        return head + LEADING.sub(lambda blanks: _with_tabs(blanks.group(), width), tail)
    if step:
        return head + LEADING.sub(lambda blanks: blanks.group().replace("\t", step), tail)
    return text


def indentation_step(context: PostprocessContext) -> str:
    """Return one level of indentation as the cursor's line has it, or else most lines of the buffer, or else the
    language; empty where none of them tells."""
    before = context.prefix[-REACH:] + ("_" if context.starts_line else "")
    buffer = before + context.suffix[:REACH]
    own = context.line_before[: len(context.line_before) - len(context.line_before.lstrip(" \t"))]
    tabs, spaces = len(INDENTED_BY_TABS.findall(buffer)), INDENTED_BY_SPACES.findall(buffer)
    if own.startswith("\t") or (not own and tabs > len(spaces)):
        return "\t"
    if own or spaces:
        return " " * min(map(len, spaces), default=USUAL_WIDTH)
    return "\t" if context.language in INDENTED_BY_TABS_ALWAYS else ""


def trailing_whitespace(text: str, context: PostprocessContext) -> str | None:
    """The text without blanks at its lines' ends. Before more code on the line, the blanks at its end are meant."""
    text = AT_LINE_ENDS.sub("", text)
    return text if context.line_behind.strip() else text.rstrip()


def _split_first_line(text: str) -> tuple[str, str]:
    """Split a text into the continuation of the cursor's line, its line break included, and the rest."""
    line, line_break, rest = text.partition("\n")
    return line + line_break, rest


def _without_first_indentation(text: str) -> str:
    own = text[: len(text) - len(text.lstrip(" \t"))]
    return _dedented(text, own)


def _dedented(text: str, blanks: str) -> str:
    """The text, the lines that begin with these blanks without them."""
    return re.sub(rf"^{re.escape(blanks)}", "", text, flags=re.MULTILINE) if blanks else text


def _columns(blanks: str, step: str) -> int:
    return len(blanks.expandtabs(len(step) if step.strip("\t") else USUAL_WIDTH))


def _width(text: str) -> int:
    """Return the spaces of a level in a text that is indented by spaces: two, three, or the usual number."""
    if INDENTED_BY_TABS.search(text):
        return USUAL_WIDTH
    common = gcd(*map(len, INDENTED_BY_SPACES.findall(text)))
    return common if common in (2, 3) else USUAL_WIDTH


def _with_tabs(blanks: str, width: int) -> str:
    if "\t" in blanks:
        return blanks
    levels, rest = divmod(len(blanks), width)
    return "\t" * levels + " " * rest
