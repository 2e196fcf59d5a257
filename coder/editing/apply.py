"""Applying a lazy edit: code with markers (`# ... existing code ...`) for what stays, merged into a file.

Syntax decides where each piece of the edit belongs; the model is asked only where several places are equally good.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from coder.api.completion import Score
from coder.api.streams import Cancellation, limits_of
from coder.api.text_requests import Applied, ApplyRequest
from coder.diffusion.events import Stopped, TimeLimits
from coder.editing.changes import changes, diff, lost_rows, with_line_breaks
from coder.editing.merge.cutting import pieces_of
from coder.editing.merge.markers import JSX, is_marker
from coder.editing.merge.merging import Reading, merges
from coder.editing.merge.pieces import Pieces
from coder.errors import InputError
from coder.syntax.languages import Language, language_for
from coder.syntax.soundness import is_sound
from coder.syntax.tree import error_spans

MOST_READINGS = 8
"""Of an ambiguous edit, that are compared or shown."""

MOST_LINES_SHOWN = 16
"""Of the changes of one reading in a message."""

LINES_BEHIND = 2
"""Lines behind a change that are compared with it, since it shows in what follows whether it fits."""

MOST_COMPARED = 4000
"""Characters of each reading's changes that the model reads: the first ones tell them apart."""

OUT_OF_TIME = "time was up before the edit was merged: leave more of the file out, or give it longer"

FENCED = re.compile(r"\s*```[^\n]*\n(.*?)\n?```\s*", re.DOTALL)
CLASS_BODIES = ("javascript", "javascriptreact", "typescript", "typescriptreact")
"""Languages in which a method stands nowhere but in a class."""

PREPROCESSED = ("c", "cpp")
CONDITIONS, ENDS = re.compile(r"^[ \t]*#[ \t]*if", re.MULTILINE), re.compile(r"^[ \t]*#[ \t]*endif", re.MULTILINE)

ScoreOf = Callable[[str, str, str, TimeLimits], Score]
"""`Engine.score`: how likely a middle is between a prefix and a suffix. Raises Stopped."""


def apply_edit(request: ApplyRequest, score: ScoreOf, cancelled: Cancellation | None = None) -> Applied:
    """The file with the edit in it. What the edit neither repeats nor replaces stays as it is, byte for byte.

    Args:
        score: asked only where the edit is ambiguous and no reading loses lines that another one keeps.
        cancelled: looked at before each comparison, and by `score` between its passes.

    Raises:
        InputError: the language is unknown, the edit is no code, nothing that parses can be made of both, readings
            differ in what they lose and none is chosen, or time was up before a reading was found.
    """
    started = time.monotonic()
    try:
        return _applied(request, score, limits_of(request.deadline_ms, started, cancelled), started)
    except Stopped:
        raise InputError(OUT_OF_TIME) from None
    except RecursionError:
        raise InputError("the code nests so deeply that an edit cannot be merged into it") from None


def _applied(request: ApplyRequest, score: ScoreOf, limits: TimeLimits, started: float) -> Applied:
    """Return the file with the edit in it. Raises Stopped, and RecursionError for code that nests too deeply."""
    language = _language(request)
    old = request.text.replace("\r\n", "\n")
    file = pieces_of(old, language.name, check=limits.check)
    if file is None:
        raise InputError(f"an edit cannot be applied to {language.name}: there is no grammar for it here")
    edit = _edit_pieces(request.edit, language.name, limits.check)
    found = merges(file, edit, language.name, limits.check)
    readings = _sound(old or request.edit, found, language.name)[:MOST_READINGS]
    number, passes = request.reading, 0
    if number is None:
        _require_agreement(old, found[0], readings, request.where.path or "file")
        number, passes = _likeliest(old, readings, score, limits)
    elif not 1 <= number <= len(readings):
        raise InputError(f"there is no reading {number}: the edit has {len(readings)}")
    reading = readings[number - 1]
    text = with_line_breaks(request.text, reading.text)
    seconds = time.monotonic() - started
    return Applied(text, changes(request.text, text), reading.parts, len(readings), passes, seconds)


def _require_agreement(old: str, likeliest: Reading, readings: Sequence[Reading], name: str) -> None:
    """Raises InputError, with each reading, where some lose lines that others keep, or that the likeliest one keeps,
    which may not parse."""
    losses = [lost_rows(old, reading.text) for reading in readings]
    if all(loss == losses[0] for loss in losses) and losses[0] <= lost_rows(old, likeliest.text):
        return
    distinct = [index for index, loss in enumerate(losses) if loss not in losses[:index]]
    shown = "\n".join(
        f"reading {index + 1} removes {_plural(len(losses[index]), 'line')}:\n{_excerpt(old, readings[index], name)}"
        for index in distinct
    )
    raise InputError(
        "it is not clear what the edit is to remove, so nothing is written: choose a reading with --reading N (field "
        f"`reading`), or put a marker where code stays\n{shown}"
    )


def _excerpt(old: str, reading: Reading, name: str) -> str:
    lines = diff(old, reading.text, name)[2:]
    left = len(lines) - MOST_LINES_SHOWN
    return "\n".join([*lines[:MOST_LINES_SHOWN], *([f"… {_plural(left, 'line')} more"] if left > 0 else [])])


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _likeliest(old: str, readings: Sequence[Reading], score: ScoreOf, limits: TimeLimits) -> tuple[int, int]:
    """The number of the reading that the model finds likeliest, and the passes that this took."""
    if len(readings) == 1:
        return 1, 0
    gains: list[float] = []
    for reading in readings:
        limits.check()
        gains.append(_gain(old, reading.text, score, limits))
    return 1 + max(range(len(gains)), key=gains.__getitem__), 2 * len(gains)


def _language(request: ApplyRequest) -> Language:
    named, language = request.where.language, language_for(request.where.language, request.where.path)
    if language is None:
        raise InputError(f"{named!r} is no language" if named else "the language is not known; name it")
    return language


def _edit_pieces(edit: str, language: str, check: Callable[[], None]) -> Pieces:
    """Raises InputError for what is no code."""
    fenced = FENCED.fullmatch(edit)
    text = (fenced.group(1) if fenced else edit).replace("\r\n", "\n").rstrip("\n")
    whole = pieces_of(text, language, lazy=True, check=check)
    assert whole is not None, "the file has a grammar"
    elements = language in JSX and whole.broken is None and _is_elements(whole)
    if whole.broken is None and not elements:
        return whole
    frames = [*([("class _ {", "}")] if language in CLASS_BODIES and not elements else [])]
    frames += [("<>", "</>")] if language in JSX else []
    for first, last in frames:
        framed = pieces_of(f"{first}\n{text}\n{last}", language, lazy=True, check=check)
        if framed is not None and framed.broken is None and len(framed.top) == 1:
            return Pieces(framed.lines, framed.top[0].children[1:-1], framed.fixed, None)
    if whole.broken is None:
        return whole
    raise InputError(f"the edit does not parse as {language}: see its line {whole.broken + 1}")


def _is_elements(edit: Pieces) -> bool:
    """Return whether an edit is nothing but JSX elements, which are children of one in the file, or what stands in
    braces among them, beside markers in the form of such a child."""
    code = "\n".join(piece.text for piece in edit.top if not piece.is_marker).strip().removesuffix(";")
    markers = [piece.text.strip() for piece in edit.top if piece.is_marker]
    if code.startswith("{") and code.endswith("}"):
        return bool(markers) and all(marker.startswith("{") for marker in markers)
    return code.startswith("<") and code.endswith(">")


def _sound(old: str, readings: Sequence[Reading], language: str) -> list[Reading]:
    """The readings that parse, with the file's end. Raises InputError where none does."""
    markers = sum(map(is_marker, old.split("\n")))
    sound: list[Reading] = []
    for reading in readings:
        text = reading.text
        if old.endswith("\n") != text.endswith("\n"):
            text = text + "\n" if old.endswith("\n") else text.rstrip("\n")
        if sum(map(is_marker, text.split("\n"))) <= markers and _is_as_sound(text, old, language):
            sound.append(replace(reading, text=text))
    if not sound:
        broken = is_sound(old, language) is False
        remedy = "it does not as it is" if broken else "repeat more of the code around what changes"
        raise InputError(f"the file with the edit in it would not parse: {remedy}")
    return sound


def _is_as_sound(text: str, old: str, language: str) -> bool:
    """Return whether a text parses. A grammar does not know what the preprocessor makes of C, so there it may be as
    broken as the old one, if each of its conditions has its end."""
    if language not in PREPROCESSED:
        return bool(is_sound(text, language))
    ends = [len(ENDS.findall(each)) - len(CONDITIONS.findall(each)) for each in (text, old)]
    errors = [len(error_spans(each, language) or ()) for each in (text, old)]
    return ends[0] == ends[1] and errors[0] <= errors[1]


def _gain(old: str, new: str, score: ScoreOf, limits: TimeLimits) -> float:
    """Log-probability of the lines from the first change to the last one, over that of what is there, nats."""
    before, after = old.split("\n"), new.split("\n")
    shortest = min(len(before), len(after))
    first = next((row for row in range(shortest) if before[row] != after[row]), shortest)
    same = next((row for row in range(shortest - first) if before[-1 - row] != after[-1 - row]), shortest - first)
    same = max(0, same - LINES_BEHIND)
    prefix = "".join(f"{line}\n" for line in before[:first])
    suffix = "".join(f"\n{line}" for line in before[len(before) - same :])
    middles = ("\n".join(lines[first : len(lines) - same]) for lines in (before, after))
    old_middle, new_middle = (middle[:MOST_COMPARED] for middle in middles)
    gained, lost = (score(prefix, suffix, middle, limits).log_probability for middle in (new_middle, old_middle))
    return gained - lost
