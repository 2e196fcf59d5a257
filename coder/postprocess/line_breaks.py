"""Line breaks: line feeds inside, the buffer's own outside."""

from __future__ import annotations

import re

LINE_BREAK = re.compile(r"\r\n|\r|\n")


def unix_line_breaks(text: str) -> str:
    """The text with line feeds alone."""
    return LINE_BREAK.sub("\n", text) if "\r" in text else text


def line_break_of(text: str) -> str:
    """The line break used first; a line feed where there is none."""
    found = LINE_BREAK.search(text)
    return found.group() if found else "\n"
