"""Requests about a whole text, or several places of it at once, and their answers.

Offsets count characters of the request's text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

from coder.api.completion import (
    DEFAULT_DECODING,
    NOWHERE,
    UNCONSTRAINED,
    CanvasUpdate,
    Completion,
    CompletionRequest,
    Constraints,
    Decoding,
    Where,
)


@dataclass(frozen=True)
class Change:
    """`text` belongs in the place of the characters from `start` to `end`, the end not included."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class FillRequest:
    """Several holes of one text.

    Attributes:
        texts: what stands before, between and behind the holes: one more than there are holes, each may be empty.
        decoding: for each hole; the deadline is for all of them together.
        constraints: bounds that each answer keeps.
    """

    texts: tuple[str, ...]
    where: Where = NOWHERE
    decoding: Decoding = DEFAULT_DECODING
    constraints: Constraints = UNCONSTRAINED


@dataclass(frozen=True)
class HoleUpdate:
    """The state of one hole, the first being 0, after a pass. The last update of a hole has no slots."""

    hole: int
    canvas: CanvasUpdate


@dataclass(frozen=True)
class Filled:
    """The holes' answers.

    Attributes:
        text: the request's texts with the answers between them.
        middles: an answer for each hole, in their order. Where they were written together, each has its own tokens
            and confidence, and the passes and times of them all.
        joint: whether all were written together, in one stream of answers; otherwise one after the other, each seeing
            the answers before it and the text behind it.
        passes: forward passes after the prefills.
        seconds: from the request's start to its answer.
    """

    text: str
    middles: tuple[Completion, ...]
    joint: bool
    passes: int
    seconds: float


FillEvent = HoleUpdate | Filled
"""An event of `Engine.stream_fill`: updates of holes, then their answers."""


@dataclass(frozen=True)
class Diagnostic:
    """Something that a compiler, a linter or the user says is wrong in a text."""

    start: int
    end: int
    message: str = ""


@dataclass(frozen=True)
class RepairRequest:
    """A text in which something may be wrong.

    Attributes:
        start, end: the region in which anything may change; None for the end is the text's end.
        diagnostics: what is known to be wrong; places in doubt are looked for as well.
    """

    text: str
    start: int = 0
    end: int | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    where: Where = NOWHERE
    decoding: Decoding = DEFAULT_DECODING


@dataclass(frozen=True)
class EditRequest:
    """A region to be written anew.

    Attributes:
        start, end: the region. instruction: what to do with it, in words; may be empty.
        decoding: the tokens are those that the answer may have more than the old lines.
    """

    text: str
    start: int
    end: int
    instruction: str = ""
    where: Where = NOWHERE
    decoding: Decoding = DEFAULT_DECODING


Request = TypeVar("Request", CompletionRequest, FillRequest, RepairRequest, EditRequest)


def redecoded(request: Request, **changes: Any) -> Request:
    """Return the request with fields of its `decoding` replaced."""
    return replace(request, decoding=replace(request.decoding, **changes))


@dataclass(frozen=True)
class RegionUpdate:
    """The state of a rewrite after a pass: what will stand in the place of the characters from `start` to `end` of the
    old text. The last slot may be text that is fixed behind the answer."""

    start: int
    end: int
    canvas: CanvasUpdate


@dataclass(frozen=True)
class ApplyRequest:
    """A lazy edit to be merged into a text: code in which comments such as `# ... existing code ...` stand for what
    stays as it is.

    Attributes:
        where: its path or language says by which grammar the edit is understood.
        reading: which of several readings is taken, from 1; None where they must agree in what is lost.
        deadline_ms: after which the merge is given up.
    """

    text: str
    edit: str
    where: Where = NOWHERE
    reading: int | None = None
    deadline_ms: float | None = None


@dataclass(frozen=True)
class Applied:
    """A text with a lazy edit merged into it.

    Attributes:
        text: the whole new text. changes: the smallest replacements that lead to it, in offsets of the old text.
        parts: how many parts of the file are changed: definitions, entries, statements.
        readings: what the edit could mean; where it is more than 1, the model or the request has chosen.
        passes: forward passes that this took, about. seconds: from the request's start to its answer.
    """

    text: str
    changes: tuple[Change, ...]
    parts: int
    readings: int
    passes: int
    seconds: float


@dataclass(frozen=True)
class Edited:
    """The answer to a repair or a rewrite.

    Attributes:
        text: the whole new text; equal to the old one where nothing better was found.
        changes: the smallest replacements that lead to it, in order, in offsets of the old text.
        score_before, score_after: log-probability of the lines around the changes, before and after, nats, by the
            autoregressive pass; 0.0 where nothing changed, and where the model was told in words what to change.
        passes: forward passes after the prefills. seconds: from the request's start to its answer.
        broken_line: number of the line, from 1, that a repair found nothing to mend with; None where the text is sound.
        unused: why nothing is changed although the model wrote an answer.
    """

    text: str
    changes: tuple[Change, ...]
    score_before: float
    score_after: float
    passes: int
    seconds: float
    broken_line: int | None = None
    unused: str = ""


EditEvent = RegionUpdate | Edited
"""An event of `Engine.stream_edit`: updates, then the answer."""
