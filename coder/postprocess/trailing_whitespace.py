"""Blanks at the ends of lines, and blank lines at the end."""

from __future__ import annotations

import re

from coder.postprocess.context import PostprocessContext

AT_LINE_ENDS = re.compile(r"[ \t]+(?=\n)")


def trailing_whitespace(text: str, context: PostprocessContext) -> str | None:
    """The text without blanks at its lines' ends. Before more code on the line, the blanks at its end are meant."""
    text = AT_LINE_ENDS.sub("", text)
    return text if context.line_behind.strip() else text.rstrip()
