"""Two states of a text, the old one and the new one, and what was done: what a rewrite is learned from.

The new state is always what its author wrote. The old one is a damaged function, a function without its docstring, a
function with a variable of another name, or the same file of an earlier release.
"""

from __future__ import annotations

import random
import re
from bisect import bisect_left
from dataclasses import dataclass

from coder.errors import InputError
from coder.syntax.mutations.mutations import MUTATIONS, mutate
from coder.syntax.parsing import Span
from data.pack.pieces import Function
from data.pack.text import SourceText

ATTEMPTS = 4
LONGEST_FUNCTION = 2400

FIXES = ("fix the bug", "fix this", "correct the mistake", "repair this function")
SYNTAX_FIXES = ("fix the syntax error", "fix this", "make it compile")
DOCUMENTS = ("add a docstring", "document this function", "write a docstring")
COMMON_NAMES = "a b data i item key n name obj res result tmp val value x y".split()
SHORTEST_NAME = 3


@dataclass(frozen=True)
class ChangedText:
    """Attributes:
    old, new: the whole file. instruction: says what is to be done; empty where nobody said it.
    function: the only one in which they differ, if it is one; its place in the new text.
    """

    old: str
    new: str
    instruction: str = ""
    function: Function | None = None


def damaged(source: SourceText, generator: random.Random) -> ChangedText | None:
    """A function of Python with a documented mutation in it (`coder.syntax.mutations.mutations`), to be repaired."""
    function = _function(source, generator)
    if function is None or source.language != "python":
        return None
    start, end = function.start, function.end
    text = source.text[start:end]
    blanks = text[: len(text) - len(text.lstrip(" \t"))]
    unindented = "".join(line.removeprefix(blanks) for line in text.splitlines(keepends=True))
    if _indented(unindented, blanks) != text:
        return None
    for mutation in generator.sample(MUTATIONS, ATTEMPTS):
        try:
            mutant = mutate(unindented, mutation, generator.getrandbits(32))
        except InputError:
            return None
        if mutant is not None:
            old = source.text[:start] + _indented(mutant.text, blanks) + source.text[end:]
            said = generator.choice(SYNTAX_FIXES if mutation.breaks_syntax else FIXES)
            return ChangedText(old, source.text, said if generator.random() < 0.5 else "", function)
    return None


def undocumented(source: SourceText, generator: random.Random) -> ChangedText | None:
    """A function of Python without its docstring, which is to be written."""
    function = _function(source, generator, documented=True)
    if function is None or source.language != "python":
        return None
    text = source.text[function.start : function.body[0]]
    docstring = DOCSTRING.search(text)
    if docstring is None:
        return None
    start, end = (function.start + place for place in docstring.span(1))
    return ChangedText(source.text[:start] + source.text[end:], source.text, generator.choice(DOCUMENTS), function)


def renamed(source: SourceText, generator: random.Random) -> ChangedText | None:
    """A function in which a variable has another name, everywhere: one that is common, cut short, or used elsewhere."""
    function = _function(source, generator)
    if function is None:
        return None
    places: dict[str, list[Span]] = {}
    names = source.pieces.names
    first = bisect_left(names, function.start, key=lambda name: name.start)
    last = bisect_left(names, function.end, key=lambda name: name.start)
    for name in names[first:last]:
        if source.text[name.start - 1 : name.start] != ".":
            places.setdefault(name.text, []).append((name.start, name.end))
    several = sorted(name for name, found in places.items() if len(found) > 1 and len(name) >= SHORTEST_NAME)
    if not several:
        return None
    name = generator.choice(several)
    others = [*COMMON_NAMES, *(found.text for found in generator.sample(names, min(len(names), len(COMMON_NAMES))))]
    usable = [other for other in others if other not in places]
    other = generator.choice([*usable, name[: len(name) // 2 + 1], f"new_{name}", f"{name}_"])
    old, last = [], 0
    for start, end in places[name]:
        old += [source.text[last:start], other]
        last = end
    said = generator.choice(("", "", f"rename {other} to {name}", f"call it {name} instead of {other}"))
    return ChangedText("".join([*old, source.text[last:]]), source.text, said, function)


DOCSTRING = re.compile(r""":[ \t]*(\n[ \t]*(?:[rRuU]?\"{3}[\s\S]*?\"{3}|[rRuU]?'{3}[\s\S]*?'{3}))[ \t]*\n""")


def _function(source: SourceText, generator: random.Random, documented: bool = False) -> Function | None:
    usable = [
        one
        for one in source.pieces.functions
        if one.end - one.start <= LONGEST_FUNCTION and (one.documented or not documented)
    ]
    return generator.choice(usable) if usable else None


def _indented(text: str, blanks: str) -> str:
    return "".join(blanks + line if line.strip() else line for line in text.splitlines(keepends=True))
