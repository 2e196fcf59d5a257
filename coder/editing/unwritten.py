"""Regions in which nothing is written yet: a hole, a body that only stands in for one, a docstring that is missing.

Any model may write there, since no old line is lost. It fills a hole, with the instruction above it as a comment, as
somebody would write who wants to be reminded of what belongs there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from coder.syntax.languages import Language
from coder.syntax.scopes import functions
from coder.syntax.tree import Span

DOCSTRING = re.compile(r"\bdoc[- ]?strings?\b", re.IGNORECASE)
NOTHING_NEW = re.compile(
    r"\s*(?:fill|write|complete|implement)(?: in| out)?(?: the)? (?:body|function|rest)\W*", re.IGNORECASE
)
"""Instructions that say no more than that something is to be written."""

PLACEHOLDER = re.compile(r"\s*(?:pass|\.\.\.|raise NotImplementedError(?:\(.*\))?)?\s*")
"""Python statements that stand for code yet to be written, and do nothing."""

MARK = "<fill>"
"""Stands for a hole in a text."""

RETURNS = "Return "
"""The beginning of a docstring where something is returned: a small model goes on in words then, not in code."""

QUOTES = '"""'


@dataclass(frozen=True)
class RewrittenPart:
    """The part of a text that is written anew, and what the model is shown around it.

    Attributes:
        start, end: the part of the text that gives way.
        lead: stands before the hole for the model alone. lead_at: where, if not right before it.
        opening, closing: stand around the answer, in the text too.
    """

    start: int
    end: int
    lead: str = ""
    opening: str = ""
    closing: str = ""
    lead_at: int | None = None

    def prefix(self, text: str) -> str:
        """The text that the model is shown before the hole and its opening."""
        at = self.start if self.lead_at is None else self.lead_at
        return text[:at] + self.lead + text[at : self.start]


def unwritten_part(
    text: str, start: int, end: int, instruction: str, language: Language | None
) -> RewrittenPart | None:
    """Return where an instruction about a region may write without any line being lost; None where there is none."""
    marker = (language and language.comment) or "#"
    name = language.name if language else ""
    does_nothing = name == "python" and starts_line(text, start) and PLACEHOLDER.fullmatch(text, start, end)
    if does_nothing or text[start:end].strip() in ("", MARK):
        return _hole(text, start, end, instruction, marker)
    body = _function_body(text, start, end, name)
    if body is None or body[0] == body[1]:  # the grammar finds an empty one where it is broken
        return None
    if name == "python":
        return _python_part(text, body, instruction, marker)
    return _braces_part(text, body, instruction, marker)


def comment(instruction: str, marker: str, indentation: str) -> str:
    """Return an instruction as the lines of a comment, the line behind them indented; nothing where it says nothing."""
    if NOTHING_NEW.fullmatch(instruction):
        return ""
    return "".join(f"{marker} {line}\n{indentation}" for line in instruction.splitlines() if line.strip())


def starts_line(text: str, position: int) -> bool:
    """Return whether nothing but blanks stands before a position on its line."""
    return not text[text.rfind("\n", 0, position) + 1 : position].strip()


def _hole(text: str, start: int, end: int, instruction: str, marker: str) -> RewrittenPart:
    first = start + len(text[start:end]) - len(text[start:end].lstrip())
    last = start + len(text[start:end].rstrip())
    first, last = min(first, end), max(min(first, end), last)
    indentation = _indentation(text, first)
    above = None if starts_line(text, first) else text.rfind("\n", 0, first) + 1 + len(indentation)
    return RewrittenPart(first, last, comment(instruction, marker, indentation), lead_at=above)


def _python_part(text: str, body: Span, instruction: str, marker: str) -> RewrittenPart | None:
    """The docstring of a function that has none, or its body where that does nothing."""
    start, end = body
    indentation = _indentation(text, start)
    documented = re.match(r'[rRuU]?("""|\'\'\'|"|\')', text[start:end])
    docstring_end = text.find(documented[1], start + documented.end()) + len(documented[1]) if documented else start
    if DOCSTRING.search(instruction):
        if documented:
            return None
        opening = QUOTES + (RETURNS if "return " in text[start:end] else "")
        return RewrittenPart(start, start, opening=opening, closing=f"{QUOTES}\n{indentation}")
    if not PLACEHOLDER.fullmatch(text, docstring_end, end):
        return None
    rest = text[docstring_end:]
    first = docstring_end + len(rest) - len(rest.lstrip()) if documented else start
    return RewrittenPart(first, max(first, end), comment(instruction, marker, indentation))


def _braces_part(text: str, body: Span, instruction: str, marker: str) -> RewrittenPart | None:
    """The place between the brackets of a body that is empty."""
    start, end = body[0] + 1, body[1] - 1
    if text[start:end].strip():
        return None
    outside = _indentation(text, len(text[:start].rstrip()))
    opening = "\n" + outside + ("\t" if "\n\t" in text else "    ")
    lead = opening + comment(instruction, marker, opening[1:])
    return RewrittenPart(start, end, lead.rstrip(), opening, closing="\n" + outside)


def _function_body(text: str, start: int, end: int, language: str) -> Span | None:
    """The body of the function that fills the region, if one does."""
    region = text[start:end].strip()
    first = start + text[start:end].find(region)
    for function in functions(text, language) or ():
        same_end = not text[function.end : max(function.end, end)].strip()
        if not text[first : function.start].strip() and first <= function.start and function.end <= end and same_end:
            return function.body
    return None


def _indentation(text: str, position: int) -> str:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip())]
