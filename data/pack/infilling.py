"""Examples with holes: in a function, anywhere, several at once."""

from __future__ import annotations

import random

from coder.syntax.tree import Span
from data.pack.example import HoleExample
from data.pack.holes import choose_hole
from data.pack.pieces import Function
from data.pack.settings import ExampleKind, HoleKind, PackSettings
from data.pack.text import SourceText

LONGEST_FUNCTION = 2400
"""Characters. Longer ones have holes as any other text has them."""

LINES_ABOVE = (0, 0, 0, 1, 1, 2, 3, 3, 4, 6, 8)
"""Lines between the split and the hole, of which one is drawn."""

MOST_HOLES = 4
FEW_CHARACTERS = 600
"""Between the first and the last of several holes, on average; all of it has to be shown."""


def function(source: SourceText, room: int, settings: PackSettings, generator: random.Random) -> HoleExample | None:
    """A hole in the body of one function."""
    chosen = choose_function(source, room, settings, generator)
    if chosen is None:
        return None
    hole = choose_hole(source, chosen.body, settings.function_holes, generator)
    shown = around_function(source, chosen, room, settings, generator)
    return None if hole is None else _one_hole(ExampleKind.FUNCTION, source, hole, shown, settings, generator)


def infill(source: SourceText, room: int, settings: PackSettings, generator: random.Random) -> HoleExample | None:
    """A hole anywhere in a file."""
    hole = choose_hole(source, (0, len(source.text)), settings.holes, generator)
    if hole is None:
        return None
    shown = around(source, hole, generator.randint(room // 4, room), generator)
    return _one_hole(ExampleKind.INFILL, source, hole, shown, settings, generator)


def holes(source: SourceText, room: int, settings: PackSettings, generator: random.Random) -> HoleExample | None:
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
    wanted = generator.choice([2, 2, 2, 3, 3, MOST_HOLES])
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
    return _example(ExampleKind.HOLES, source, texts, tuple(source.text[a:b] for a, b in found), settings, generator)


def choose_function(source: SourceText, room: int, settings: PackSettings, generator: random.Random) -> Function | None:
    """One that is no longer than a prompt may be, with a docstring rather than without."""
    usable = [one for one in source.pieces.functions if one.end - one.start <= min(room, LONGEST_FUNCTION)]
    documented = [one for one in usable if one.documented]
    preferred = documented if documented and generator.random() < settings.documented else usable
    return generator.choice(preferred) if preferred else None


def _one_hole(
    kind: ExampleKind, source: SourceText, hole: Span, shown: Span, settings: PackSettings, generator: random.Random
) -> HoleExample:
    start, end = hole
    texts = source.text[shown[0] : start], source.text[end : max(end, shown[1])]
    return _example(kind, source, texts, (source.text[start:end],), settings, generator)


def _example(
    kind: ExampleKind,
    source: SourceText,
    texts: tuple[str, ...],
    answers: tuple[str, ...],
    settings: PackSettings,
    generator: random.Random,
) -> HoleExample:
    return HoleExample(
        kind,
        texts,
        answers,
        split_of(texts[0], generator),
        _budget(settings.prefix_tokens, generator),
        _budget(settings.suffix_tokens, generator),
        generator.random() < settings.takes_brackets,
        source.path,
    )


def split_of(before: str, generator: random.Random) -> int:
    """Return where the prefix ends in the text before a hole: at the start of a line a few lines above, or right there.

    An editor sets the split where somebody begins to write, and it stays while they go on.
    """
    above = generator.choice(LINES_ABOVE)
    if above == 0 and generator.random() < 0.5:
        return len(before)
    split = before.rfind("\n") + 1
    for _ in range(above):
        split = before.rfind("\n", 0, max(0, split - 1)) + 1
    return split


def _budget(most: int, generator: random.Random) -> int:
    """Short contexts as often as long ones: they cost less, and a file begins with them."""
    return int(most * 8 ** -generator.random())


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
