"""Examples with holes: in a function, anywhere, several at once; and text without one, left to right."""

from __future__ import annotations

import random

from coder.api.completion import CompletionRequest
from coder.api.edits import FillRequest
from coder.syntax.parsing import Span
from data.pack.example import Example
from data.pack.holes import choose_hole
from data.pack.pieces import Function
from data.pack.settings import HoleKind, Kind, PackSettings
from data.pack.surroundings import around, around_function
from data.pack.text import SourceText

LONGEST_FUNCTION = 2400
"""Characters. Longer ones have holes as any other text has them."""

MOST_HOLES = 5
FEW_CHARACTERS = 600
"""Between the first and the last of several holes, on average; all of it has to be shown."""


def function(source: SourceText, room: int, settings: PackSettings, generator: random.Random) -> Example | None:
    """A hole in the body of one function."""
    chosen = choose_function(source, room, settings, generator)
    if chosen is None:
        return None
    hole = choose_hole(source, chosen.body, settings.function_holes, generator)
    shown = around_function(source, chosen, room, settings, generator)
    return None if hole is None else _completion(Kind.FUNCTION, source, hole, shown, settings, generator)


def infill(source: SourceText, room: int, settings: PackSettings, generator: random.Random) -> Example | None:
    """A hole anywhere in a file."""
    hole = choose_hole(source, (0, len(source.text)), settings.holes, generator)
    if hole is None:
        return None
    shown = around(source, hole, generator.randint(room // 4, room), generator)
    return _completion(Kind.INFILL, source, hole, shown, settings, generator)


def left_to_right(source: SourceText, room: int, settings: PackSettings, generator: random.Random) -> Example | None:
    """A whole file; of one that is too long for a row, a part from some line's start on, or its beginning."""
    del settings
    text, start = source.text, 0
    if len(text) > room and generator.random() < 0.6:
        start = source.line_start(generator.randrange(len(text)))
    # Some more than there is room for: the layout cuts it, and a row gets filled.
    part = text[start : start + 2 * room]
    is_whole = start + len(part) == len(text)
    if not part.strip():
        return None
    return Example(Kind.LEFT_TO_RIGHT, CompletionRequest("", path=source.path), (part,), is_whole)


def holes(source: SourceText, room: int, settings: PackSettings, generator: random.Random) -> Example | None:
    """Several holes in one function, or not far from each other anywhere."""
    chosen = choose_function(source, room, settings, generator) if generator.random() < 0.6 else None
    if chosen is not None:
        shown = around_function(source, chosen, room, settings, generator)
        region, weights = chosen.body, {**settings.function_holes, HoleKind.BODY: 0.0, HoleKind.REST_OF_BLOCK: 0.0}
    else:
        place = generator.randrange(len(source.text))
        region = around(source, (place, place), int(generator.expovariate(1 / FEW_CHARACTERS)) + 100, generator)
        shown = around(source, region, room, generator)
        weights = settings.holes
    if region[0] >= region[1] or not sum(weights.values()):
        return None
    wanted = generator.choice([2, 2, 2, 3, 3, 4, MOST_HOLES])
    found: list[Span] = []
    for _ in range(2 * wanted):
        hole = choose_hole(source, region, weights, generator)
        if hole is not None and len(found) < wanted and all(hole[1] < a or b < hole[0] for a, b in found):
            found.append(hole)
    if len(found) < 2:
        return None
    found.sort()
    starts, ends = [shown[0], *(end for _, end in found)], [*(start for start, _ in found), shown[1]]
    texts = tuple(source.text[start:end] for start, end in zip(starts, ends, strict=True))
    return Example(Kind.HOLES, FillRequest(texts, path=source.path), tuple(source.text[a:b] for a, b in found))


def choose_function(source: SourceText, room: int, settings: PackSettings, generator: random.Random) -> Function | None:
    """One that is no longer than a prompt may be, with a docstring rather than without."""
    usable = [one for one in source.pieces.functions if one.end - one.start <= min(room, LONGEST_FUNCTION)]
    documented = [one for one in usable if one.documented]
    preferred = documented if documented and generator.random() < settings.documented else usable
    return generator.choice(preferred) if preferred else None


def _completion(
    kind: Kind, source: SourceText, hole: Span, shown: Span, settings: PackSettings, generator: random.Random
) -> Example:
    prefix, suffix = source.text[shown[0] : hole[0]], source.text[hole[1] : shown[1]]
    takes_brackets = generator.random() < settings.takes_brackets
    request = CompletionRequest(prefix, suffix, path=source.path, replace_brackets=takes_brackets)
    return Example(kind, request, (source.text[slice(*hole)],))
