"""Rewriting a region as an instruction says.

A checkpoint that was trained on edits reads the old text and the instruction in its own layout. Any other one fills a
hole: the region is taken out, all but a function's head, and the instruction stands above it as a comment, as somebody
would write who wants to be reminded of what belongs there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

from coder.api.cancellation import Cancellation, is_over
from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Rewritten, Slot
from coder.api.streams import last
from coder.api.text_requests import Edited, EditEvent, EditRequest, RegionUpdate
from coder.editing.changes import changes
from coder.editing.hole_borders import blanks_before, without_blanks
from coder.editing.region_fit import Region
from coder.editing.repair import Model
from coder.errors import InputError
from coder.syntax.languages import Language, language_for
from coder.syntax.parsing import Span
from coder.syntax.scopes import functions

DOCSTRING = re.compile(r"\bdoc[- ]?strings?\b", re.IGNORECASE)
NOTHING_NEW = re.compile(
    r"\s*(?:fill|write|complete|implement)(?: in| out)?(?: the)? (?:body|function|rest)\W*", re.IGNORECASE
)
"""Instructions that say no more than that something is to be written."""

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


def rewrite(model: Model, request: EditRequest, cancelled: Cancellation | None = None) -> Edited:
    """The text with the region written anew; unchanged where nothing was written, or what was written breaks it. It is
    never less sound than it was (see `coder.editing.region_fit`).

    Raises InputError for a region outside the text.
    """
    return last(stream_rewrite(model, request, cancelled), Edited)


def stream_rewrite(
    model: Model, request: EditRequest, cancelled: Cancellation | None = None
) -> Generator[EditEvent, None, None]:
    """Updates of the region, then the new text; otherwise like `rewrite`."""
    started = time.monotonic()
    text = request.text
    if not 0 <= request.start <= request.end <= len(text):
        raise InputError(f"the region {request.start} to {request.end} is outside the text, which has {len(text)}")
    language = language_for(request.where.language, request.where.path)
    marker = (language and language.comment) or "#"
    if model.config.abilities.edits:
        hole = RewrittenPart(request.start, request.end)
        rewritten = Rewritten(text[hole.start : hole.end], _comment(request.instruction, marker, ""))
    else:
        hole = hole_of(text, request.start, request.end, request.instruction, language)
        rewritten = None
    prefix = hole.prefix(text) + hole.opening
    inside_line = rewritten is None and not hole.opening and not _starts_line(text, hole.start)
    blanks = blanks_before(prefix) if inside_line else ""
    asked = CompletionRequest(
        prefix=prefix.removesuffix(blanks),
        suffix=hole.closing + text[hole.end :],
        replace_brackets=False,
        rewritten=rewritten,
        where=request.where,
        decoding=request.decoding,
    )
    for event in model.stream(asked, cancelled):
        if not isinstance(event, Completion):
            yield RegionUpdate(hole.start, hole.end, _between(hole, event, blanks))
            continue
        answer = "" if event.finish_reason == "cancelled" else event.text
        if inside_line:
            answer = without_blanks(answer, blanks)

        def over() -> bool:
            return is_over(request.decoding.deadline_ms, started, cancelled)

        new = _fitting(text, hole, answer, language.name if language else "", over)
        before, after = (0.0, 0.0) if over() else _scores(model, text, new, hole)
        yield Edited(new, changes(text, new), before, after, event.passes, time.monotonic() - started)


def _between(hole: RewrittenPart, update: CanvasUpdate, blanks: str) -> CanvasUpdate:
    """The canvas with what stands around the answer, without the blanks that the text has before it."""
    closing = (Slot(hole.closing),) if hole.closing else ()
    settled = hole.opening + update.settled.removeprefix(blanks)
    return replace(update, settled=settled, slots=(*update.slots, *closing))


def _scores(model: Model, old: str, new: str, hole: RewrittenPart) -> tuple[float, float]:
    """Log-probabilities of what gave way and of what stands in its place."""
    if new == old:
        return 0.0, 0.0
    prefix, suffix = hole.prefix(old), old[hole.end :]
    parts = old[hole.start : hole.end], new[hole.start : len(new) - len(suffix)]
    before, after = (sum(score.log_probability for score in model.score_tokens(prefix, suffix, part)) for part in parts)
    return before, after


def hole_of(text: str, start: int, end: int, instruction: str, language: Language | None) -> RewrittenPart:
    """Where to write for an instruction about a region: a function's docstring or body, or all of the region."""
    name = language.name if language else ""
    marker = (language and language.comment) or "#"
    head = _function_body(text, start, end, name)
    if head is not None and name == "python":
        body_start, body_end = head
        indentation = _indentation(text, body_start)
        documented = text.startswith(QUOTES, body_start)
        docstring_end = text.find(QUOTES, body_start + 3) + 3 if documented else body_start
        if DOCSTRING.search(instruction):
            after = "" if documented else "\n" + indentation
            opening = QUOTES + (RETURNS if "return " in text[docstring_end:body_end] else "")
            return RewrittenPart(body_start, docstring_end, opening=opening, closing=QUOTES + after)
        if documented and docstring_end > body_start + 3:
            body_start = docstring_end + len(text[docstring_end:]) - len(text[docstring_end:].lstrip())
        return RewrittenPart(body_start, max(body_start, body_end), _comment(instruction, marker, indentation))
    if head is not None:
        return RewrittenPart(
            head[0] + 1, head[1] - 1, "\n" + _comment(instruction, marker, _indentation(text, start) + "    ")
        )
    first = start + len(text[start:end]) - len(text[start:end].lstrip())
    last = start + len(text[start:end].rstrip())
    indentation = _indentation(text, first)
    above = None if _starts_line(text, first) else text.rfind("\n", 0, first) + 1 + len(indentation)
    return RewrittenPart(min(first, end), max(first, last), _comment(instruction, marker, indentation), lead_at=above)


def _function_body(text: str, start: int, end: int, language: str) -> Span | None:
    """The body of the function that fills the region, if one does."""
    region = text[start:end].strip()
    first = start + text[start:end].find(region) if region else start
    for function in functions(text, language) or ():
        same_end = not text[function.end : max(function.end, end)].strip()
        if not text[first : function.start].strip() and first <= function.start and function.end <= end and same_end:
            return function.body
    return None


def _fitting(text: str, hole: RewrittenPart, answer: str, language: str, over: Callable[[], bool]) -> str:
    """The text with what fits of the answer in the hole; of a docstring that is a part of its first line."""
    region = Region(text, hole.start, hole.end, language)
    docstring = answer.strip().split(QUOTES)[0].split("\n")[0].rstrip()
    parts = [docstring] if hole.closing else region.beginnings(answer)
    part = region.best((hole.opening + part + hole.closing for part in parts if part.strip()), over)
    return text if part is None else region.joined(part)


def _comment(instruction: str, marker: str, indentation: str) -> str:
    if NOTHING_NEW.fullmatch(instruction):
        return ""
    return "".join(f"{marker} {line}\n{indentation}" for line in instruction.splitlines() if line.strip())


def _starts_line(text: str, position: int) -> bool:
    """Whether nothing but blanks stands before a position on its line."""
    return not text[text.rfind("\n", 0, position) + 1 : position].strip()


def _indentation(text: str, position: int) -> str:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip())]
