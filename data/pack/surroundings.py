"""The part of a file that stands around an example, from a line's start to a line's end."""

from __future__ import annotations

import random

from coder.syntax.tree import Span
from data.pack.pieces import Function
from data.pack.settings import PackSettings
from data.pack.text import SourceText

LITTLE_BEFORE = 50, 400
"""Characters."""
LITTLE_AFTER = 1, 9
"""Lines."""

WITHOUT_SUFFIX = 0.1
"""Share of the holes anywhere without a suffix: code that is being written often has nothing behind it."""


def around_function(
    source: SourceText, function: Function, room: int, settings: PackSettings, generator: random.Random
) -> Span:
    """The function, and by the settings a few lines before or after it, or as much of the file as there is room for."""
    start, end = function.start, function.end
    if generator.random() < settings.much_around:
        return around(source, (start, end), room, generator)
    if generator.random() < settings.little_before:
        start = source.line_start(max(0, start - generator.randrange(*LITTLE_BEFORE)))
    if generator.random() < settings.little_after:
        for _ in range(generator.randint(*LITTLE_AFTER)):
            end = source.line_end(min(end + 1, len(source.text)))
    return start, end


def around(source: SourceText, hole: Span, room: int, generator: random.Random) -> Span:
    """A part of the file around a hole, of `room` characters at most where the hole itself is no longer: usually more
    of it before the hole than behind."""
    start, end = hole
    room = max(0, room - (end - start))
    before = int(room * generator.betavariate(2.5, 1.5))
    after = 0 if generator.random() < WITHOUT_SUFFIX else room - before
    first, last = max(0, start - before), min(len(source.text), end + after)
    if first:
        first = min(start, source.line_end(first) + 1)
    if last < len(source.text):
        last = max(end, source.line_start(last))
    return first, last
