"""The edits that are offered at a place of a document. Quick, since editors ask with every movement of the cursor."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from coder.api.text_requests import Diagnostic
from coder.editing.unwritten import MARK
from coder.syntax.languages import language_named
from coder.syntax.names import undefined_names
from coder.syntax.scopes import Scope, functions
from coder.syntax.tree import error_spans
from lsp.documents import Document
from lsp.edit.edit_task import EditTask, Span

MOST_HOLES = 100

LONGEST_PARSED = 400_000
"""Characters of a document that is parsed for an offer."""

LINES_AROUND = 20
"""Lines above and below broken syntax in which it may be repaired: it often shows behind the place that is wrong."""


@dataclass(frozen=True)
class Offer:
    """An edit that may be asked for, with its title."""

    title: str
    task: EditTask


def offers(
    document: Document, start: int, end: int, diagnostics: Sequence[Diagnostic], *, rewrites: bool
) -> list[Offer]:
    """Return the edits for the characters from `start` to `end` of `document.unix`, which `diagnostics` touch.

    Args:
        rewrites: whether the model has learned to rewrite code; if not, it writes where nothing is lost.
    """
    written_anew = (offer for offer in _rewrites(document, start, end) if rewrites or offer.task.loses_nothing)
    return [*_repairs(document, start, end, diagnostics), *written_anew, *_fills(document)]


def holes(text: str) -> tuple[Span, ...]:
    """The marked holes, the first hundred of them."""
    marks = re.finditer(re.escape(MARK), text)
    return tuple(mark.span() for mark, _ in zip(marks, range(MOST_HOLES), strict=False))


def function_around(document: Document, start: int, end: int) -> Scope | None:
    """The innermost named function that the characters from `start` to `end` lie in, from its line's start on."""
    text = document.unix.text
    if len(text) > LONGEST_PARSED:
        return None
    around = [
        function
        for function in functions(text, document.language) or ()
        if text.rfind("\n", 0, function.start) < start and end <= function.end
    ]
    return min(around, key=lambda function: function.end - function.start, default=None)


def repair_task(document: Document, start: int, end: int, diagnostics: Sequence[Diagnostic]) -> EditTask:
    """Repair what is wrong about a place. Broken syntax may have its cause in lines nearby, other things not."""
    region = _lines_around(document.unix.text, start, end, LINES_AROUND if _errors(document) else 0)
    inside = tuple(each for each in diagnostics if region[0] <= each.start and each.end <= region[1])
    return EditTask(document, "repair", (region,), diagnostics=inside)


def _repairs(document: Document, start: int, end: int, diagnostics: Sequence[Diagnostic]) -> Iterator[Offer]:
    """For the first thing that is wrong there: as the editor says, or else as the language does. A text with holes is
    to be filled first."""
    known, text = language_named(document.language), document.unix.text
    if known is None or known.grammar is None or len(text) > LONGEST_PARSED or MARK in text:
        return
    wrong = diagnostics or [Diagnostic(*span) for span in _wrong(document, start, end)]
    for first in wrong[:1]:
        message = f": {first.message.splitlines()[0]}" if first.message.strip() else ""
        task = repair_task(document, first.start, first.end, wrong)
        yield Offer(f"Repair{message}", task)


def _wrong(document: Document, start: int, end: int) -> list[Span]:
    """Broken syntax, or names that nothing defines, on the lines of a place."""
    text = document.unix.text
    first, last = _lines_around(text, start, end, 0)
    spans = _errors(document) or [span for _, span in undefined_names(text, document.language) or ()]
    return [span for span in spans if first <= span[1] and span[0] <= last]


def _lines_around(text: str, start: int, end: int, count: int) -> Span:
    """The lines of a place with so many above and below them."""
    for _ in range(count + 1):
        start = text.rfind("\n", 0, max(0, start))
    for _ in range(count + 1):
        found = text.find("\n", end)
        if found < 0:
            return start + 1, len(text)
        end = found + 1
    return start + 1, end - 1


def _errors(document: Document) -> list[Span]:
    return error_spans(document.unix.text, document.language) or []


def _rewrites(document: Document, start: int, end: int) -> Iterator[Offer]:
    """The selection, or without one the function around the cursor; and that function's docstring."""
    function = function_around(document, start, end)
    if end - start > 1:  # some editors always have one character selected
        yield Offer("Rewrite the selection", EditTask(document, "rewrite", ((start, end),)))
    elif function is not None:
        span = function.start, function.end
        yield Offer(f"Rewrite {function.name}", EditTask(document, "rewrite", (span,)))
    if function is not None and document.language == "python":
        span = function.start, function.end
        yield Offer(f"Write the docstring of {function.name}", EditTask(document, "docstring", (span,)))


def _fills(document: Document) -> Iterator[Offer]:
    marks = holes(document.unix.text)
    if marks:
        title = "Fill the hole" if len(marks) == 1 else f"Fill {len(marks)} holes"
        yield Offer(title, EditTask(document, "fill", marks))
