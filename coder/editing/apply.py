"""Applying a lazy edit: code with markers (`# ... existing code ...`) for what stays, merged into a file.

Syntax decides where each piece of the edit belongs; the model is asked only where several places are equally good.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from coder.api.completion import Score
from coder.api.edits import Applied, ApplyRequest
from coder.editing.changes import changes
from coder.editing.merge.markers import is_marker
from coder.editing.merge.merging import merges
from coder.editing.merge.pieces import Pieces, pieces_of
from coder.errors import InputError
from coder.syntax.languages import Language, language_named, language_of
from coder.syntax.soundness import is_sound

MOST_READINGS = 8
"""Of an ambiguous edit, that the model compares."""

LINES_BEHIND = 2
"""Lines behind a change that are compared with it, since it shows in what follows whether it fits."""

FENCED = re.compile(r"\s*```[^\n]*\n(.*?)\n?```\s*", re.DOTALL)
CLASS_BODIES = ("javascript", "javascriptreact", "typescript", "typescriptreact")
"""Languages in which a method stands nowhere but in a class."""

ScoreOf = Callable[[str, str, str], Score]
"""`Engine.score`: how likely a middle is between a prefix and a suffix."""


def apply_edit(request: ApplyRequest, score: ScoreOf) -> Applied:
    """The file with the edit in it. What the edit neither repeats nor replaces stays as it is, byte for byte.

    Args:
        score: asked only where the edit is ambiguous.

    Raises:
        InputError: the language is unknown, the edit is no code, or nothing that parses can be made of both.
    """
    started = time.monotonic()
    language = _language(request)
    old = _unix(request.text)
    file = pieces_of(old, language.name)
    if file is None:
        raise InputError(f"an edit cannot be applied to {language.name}: there is no grammar for it here")
    readings = _sound(old or request.edit, merges(file, _edit_pieces(request.edit, language.name)), language.name)
    passes = 0
    if len(readings) > 1:
        readings = readings[:MOST_READINGS]
        gains = [_gain(old, reading, score) for reading in readings]
        passes = 2 * len(readings)
        best = max(range(len(readings)), key=gains.__getitem__)
    else:
        best = 0
    text = readings[best] if old == request.text else readings[best].replace("\n", "\r\n")
    return Applied(text, changes(request.text, text), len(readings), passes, time.monotonic() - started)


def _unix(text: str) -> str:
    """The text with line feeds alone. Raises InputError where that could not be undone."""
    unix = text.replace("\r\n", "\n")
    if unix != text and unix.replace("\n", "\r\n") != text:
        raise InputError("some lines of the text end with \\r\\n and others do not; let all of them end alike")
    return unix


def _language(request: ApplyRequest) -> Language:
    named = request.language is not None
    language = language_named(request.language or "") if named else language_of(request.path or "")
    if language is None:
        raise InputError(f"{request.language!r} is no language" if named else "the language is not known; name it")
    return language


def _edit_pieces(edit: str, language: str) -> Pieces:
    """Raises InputError for what is no code."""
    fenced = FENCED.fullmatch(edit)
    text = (fenced.group(1) if fenced else edit).replace("\r\n", "\n").rstrip("\n")
    broken = None
    for attempt in (text, f"class _ {{\n{text}\n}}") if language in CLASS_BODIES else (text,):
        pieces = pieces_of(attempt, language, lazy=True)
        assert pieces is not None, "the file has a grammar"
        if pieces.broken is None:
            inside = pieces.top[0].children[1:-1] if attempt is not text else pieces.top
            return Pieces(pieces.lines, inside, pieces.fixed, None)
        broken = pieces.broken if broken is None else broken
    raise InputError(f"the edit does not parse as {language}: see its line {(broken or 0) + 1}")


def _sound(old: str, readings: Sequence[str], language: str) -> list[str]:
    """The readings that parse, with the file's end. Raises InputError where none does."""
    markers = sum(map(is_marker, old.split("\n")))
    sound: list[str] = []
    for reading in readings:
        if old.endswith("\n") != reading.endswith("\n"):
            reading = reading + "\n" if old.endswith("\n") else reading.rstrip("\n")
        if sum(map(is_marker, reading.split("\n"))) <= markers and is_sound(reading, language):
            sound.append(reading)
    if not sound:
        broken = is_sound(old, language) is False
        remedy = "it does not as it is" if broken else "repeat more of the code around what changes"
        raise InputError(f"the file with the edit in it would not parse: {remedy}")
    return sound


def _gain(old: str, new: str, score: ScoreOf) -> float:
    """Log-probability of the lines from the first change to the last one, over that of what is there, nats."""
    before, after = old.split("\n"), new.split("\n")
    shortest = min(len(before), len(after))
    first = next((row for row in range(shortest) if before[row] != after[row]), shortest)
    same = next((row for row in range(shortest - first) if before[-1 - row] != after[-1 - row]), shortest - first)
    same = max(0, same - LINES_BEHIND)
    prefix = "".join(f"{line}\n" for line in before[:first])
    suffix = "".join(f"\n{line}" for line in before[len(before) - same :])
    old_middle, new_middle = ("\n".join(lines[first : len(lines) - same]) for lines in (before, after))
    return score(prefix, suffix, new_middle).log_probability - score(prefix, suffix, old_middle).log_probability
