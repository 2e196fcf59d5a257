"""Holes as users leave them: the rest of a line, a few lines, what is left of a block, an expression, any characters.

Each form is a function that chooses one hole inside a region of a text, or finds none. Holes begin and end at
characters, in the middle of words too: nothing is healed at inference either.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from coder.syntax.tree import Span
from data.pack.settings import HoleKind
from data.pack.text import SourceText

LONGEST_HOLE = 1600
"""Characters."""

MOST_LINES = 12

CURSOR_INSIDE = 0.3
"""Share of the expressions and argument lists whose beginning stands there already."""

ATTEMPTS = 6

AnyKey = TypeVar("AnyKey")
Chooser = Callable[[SourceText, Span, random.Random], Span | None]


def choose_hole(
    source: SourceText, region: Span, weights: Mapping[HoleKind, float], generator: random.Random
) -> Span | None:
    """A hole in a region, of a form that is chosen by its weight; None where several forms find none in turn."""
    for _ in range(ATTEMPTS):
        hole = HOLES[weighted(weights, generator)](source, region, generator)
        if hole is not None and hole[1] - hole[0] <= LONGEST_HOLE and source.text[hole[0] : hole[1]].strip():
            return hole
    return None


def weighted(weights: Mapping[AnyKey, float], generator: random.Random) -> AnyKey:
    return generator.choices(list(weights), list(weights.values()))[0]


def rest_of_line(source: SourceText, region: Span, generator: random.Random) -> Span | None:
    """From somewhere in a line, a word included, to its end."""
    line = _line(source, region, generator)
    return None if line is None else (generator.randrange(_first(source, line), line[1]), line[1])


def line(source: SourceText, region: Span, generator: random.Random) -> Span | None:
    """A line, with its indentation or without."""
    chosen = _line(source, region, generator)
    return None if chosen is None else (_start(source, chosen, generator), chosen[1])


def lines(source: SourceText, region: Span, generator: random.Random) -> Span | None:
    """Two lines or more, blank ones between them included; few are likelier than many."""
    known = list(source.lines(*region))
    if len(known) < 2:
        return None
    first = generator.randrange(len(known) - 1)
    count = min(2 + int(generator.expovariate(0.4)), MOST_LINES, len(known) - first)
    return _start(source, known[first], generator), known[first + count - 1][1]


def block(source: SourceText, region: Span, generator: random.Random) -> Span | None:
    """A block: what a condition, a loop, a function or a class holds."""
    return _one_within(source.pieces.blocks, region, generator)


def rest_of_block(source: SourceText, region: Span, generator: random.Random) -> Span | None:
    """From a line in a block to the block's end."""
    is_body = any(function.body == region for function in source.pieces.functions)
    chosen = region if is_body and generator.random() < 0.5 else block(source, region, generator)
    begun = None if chosen is None else _line(source, chosen, generator)
    return None if chosen is None or begun is None else (_start(source, begun, generator), chosen[1])


def body(source: SourceText, region: Span, generator: random.Random) -> Span | None:
    """The body of a function, behind its docstring."""
    bodies = [function.body for function in source.pieces.functions]
    chosen = region if region in bodies else _one_within(bodies, region, generator)
    if chosen is None:
        return None
    first = source.line_start(chosen[0])
    on_its_own_line = not source.text[first : chosen[0]].strip()
    return _start(source, (first, chosen[1]), generator) if on_its_own_line else chosen[0], chosen[1]


def expression(source: SourceText, region: Span, generator: random.Random) -> Span | None:
    return _perhaps_begun(_one_within(source.pieces.expressions, region, generator), generator)


def arguments(source: SourceText, region: Span, generator: random.Random) -> Span | None:
    """The text between the brackets of a call or a signature."""
    return _perhaps_begun(_one_within(source.pieces.arguments, region, generator), generator)


def characters(source: SourceText, region: Span, generator: random.Random) -> Span | None:
    """Any characters, a few likelier than many."""
    start = generator.randrange(*region)
    return start, min(region[1], start + 1 + int(generator.expovariate(1 / 60)))


HOLES: Mapping[HoleKind, Chooser] = {
    HoleKind.REST_OF_LINE: rest_of_line,
    HoleKind.LINE: line,
    HoleKind.LINES: lines,
    HoleKind.BLOCK: block,
    HoleKind.REST_OF_BLOCK: rest_of_block,
    HoleKind.BODY: body,
    HoleKind.EXPRESSION: expression,
    HoleKind.ARGUMENTS: arguments,
    HoleKind.CHARACTERS: characters,
}


def _line(source: SourceText, region: Span, generator: random.Random) -> Span | None:
    known = list(source.lines(*region))
    return generator.choice(known) if known else None


def _first(source: SourceText, line: Span) -> int:
    """The first character of a line that is no blank."""
    text = source.text[line[0] : line[1]]
    return line[0] + len(text) - len(text.lstrip())


def _start(source: SourceText, line: Span, generator: random.Random) -> int:
    """Return the start of a hole of whole lines; half of them start behind the indentation."""
    return line[0] if generator.random() < 0.5 else _first(source, line)


def _one_within(spans: Sequence[Span], region: Span, generator: random.Random) -> Span | None:
    start, end = region
    inside = [span for span in spans if start <= span[0] and span[1] <= end and span[1] - span[0] <= LONGEST_HOLE]
    return generator.choice(inside) if inside else None


def _perhaps_begun(span: Span | None, generator: random.Random) -> Span | None:
    if span is None or generator.random() >= CURSOR_INSIDE:
        return span
    return generator.randrange(*span), span[1]
