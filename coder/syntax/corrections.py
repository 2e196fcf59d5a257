"""Small changes after which broken code is sound again: what fast fingers left out, doubled, or put in the wrong place.

Many changes make a text parse; which one was meant, a model has to say. Each comes with a prior, so that the model's
opinion is weighed against how common the slip is.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from coder.syntax.bracket_slips import bracket_faults, missing_braces
from coder.syntax.first_error import stumbling_place
from coder.syntax.languages import QUOTES
from coder.syntax.line_corrections import BRACED, LIKELY, Correction, changes_of_line, misspelt_keyword
from coder.syntax.mutations.semantic_mutations import SEMANTIC, wrong_variable
from coder.syntax.soundness import is_sound, python_tree
from coder.syntax.tree import Span, SyntaxTree, brokenness, error_spans

LONGEST_LINE = 240
SHORT_TEXT = 5000
"""Characters that are parsed at once, however often."""

LINES_BEFORE = 1
"""An error often shows on the line behind the one that it is on."""

IDLE = -8.0
"""Added to the prior of what leaves a statement without effect."""

DEFINITION = re.compile(r"^(?:def|class|async def|@)", re.MULTILINE)
PRIOR_OF_VARIABLES = -2.0
"""Of another variable in the place of one: there are many, and a small model often expects another."""

UNDONE_BY_THEMSELVES = [
    mutation for mutation in SEMANTIC if mutation.__name__ not in ("undefined_name", "deleted_line", "dropped_return")
]
STATEMENTS_OF_THEIR_OWN = frozenset(
    ["string", "concatenated_string", "assignment", "augmented_assignment", "yield", "await", "ellipsis"]
)
TOP_LEVEL = re.compile(r"^(?=[^\s#)\]}])", re.MULTILINE)


def syntax_corrections(
    text: str, language: str, start: int = 0, end: int | None = None, over: Callable[[], bool] = lambda: False
) -> list[Correction]:
    """Changes of one token near the first error in the region, after which the text around it is sound, likely first.

    A misspelt keyword comes before all else. The text around it is all of the text; failing that, where there are
    further errors, all before the next definition. Failing that too, the slips whose undoing leaves least of the text
    broken, common ones if there are any. Empty where the text is sound, the
    language unknown, or no change of one token makes it sounder. Only what was found by then as soon as it is `over`,
    which is asked before each change is tried.
    """
    end = len(text) if end is None else end
    first, last = _piece(text, language, start, end)
    if is_sound(text[first:last], language) is not False:
        first, last = 0, len(text)
        if is_sound(text, language) is not False:
            return []
    piece = text[first:last]
    lines = _suspicious_lines(piece, language)
    found = ([] if over() else _misspelt(piece, lines, language)) or _sound_after(piece, lines, language, over)
    if not found and language == "python" and lines:
        border = DEFINITION.search(piece, lines[0][1])
        found = _sound_after(piece[: border.start()], lines, language, over) if border else []
    if not found or (language in BRACED and all(bracket_faults(each.applied_to(piece), language) for each in found)):
        found = _sounder_after(piece, lines, language, over) or found
    moved = [Correction(first + each.start, first + each.end, each.text, each.prior) for each in found]
    return sorted((each for each in moved if start <= each.start and each.end <= end), key=lambda each: -each.prior)


def _misspelt(piece: str, lines: Sequence[Span], language: str) -> list[Correction]:
    found = misspelt_keyword(piece, lines, language)
    no_worse = found is not None and defects(found.applied_to(piece), language) <= defects(piece, language)
    return [found] if found is not None and no_worse else []


def _sound_after(piece: str, lines: Sequence[Span], language: str, over: Callable[[], bool]) -> list[Correction]:
    """The changes of these lines after which the piece is sound, one for each text that comes of it."""
    found: dict[str, Correction] = {}
    for change in _changes(piece, lines, language):
        if over():
            break
        changed = change.applied_to(piece)
        if changed not in found and is_sound(changed, language):
            idle = language == "python" and _makes_idle(changed, change.start)
            found[changed] = replace(change, prior=change.prior + IDLE) if idle else change
    return list(found.values())


def _sounder_after(piece: str, lines: Sequence[Span], language: str, over: Callable[[], bool]) -> list[Correction]:
    """Those of the slips in these lines that, undone, leave least of the piece broken, and less than is now: common
    ones, or else others."""
    for common in (True, False):
        best = defects(piece, language)
        found: dict[str, Correction] = {}
        for change in _changes(piece, lines, language):
            if over():
                break
            changed = change.applied_to(piece)
            removed = not change.text and change.end - change.start == 1  # A doubled word is longer.
            is_quote = bool(change.text) and change.text in QUOTES
            uncertain = removed or is_quote or (change.prior == LIKELY) != common
            if uncertain or changed in found or (language == "python" and _makes_idle(changed, change.start)):
                continue
            left = defects(changed, language)
            if left < best:
                best, found = left, {changed: change}
            elif found and left == best:
                found[changed] = change
        if found:
            return list(found.values())
    return []


def _changes(piece: str, lines: Sequence[Span], language: str) -> Iterator[Correction]:
    if language in BRACED:
        yield from missing_braces(piece, language)
    for start, end in lines:
        if end <= len(piece):
            yield from changes_of_line(piece, start, end, language)


def defects(text: str, language: str) -> tuple[int, ...]:
    """A measure of how broken a text is: by how early Python's compiler stumbles, or by the brackets that lack their
    other end, and then by the grammar, whose errors may span lines in which nothing is wrong."""
    broken = brokenness(text, language) or 0
    if language != "python":
        return bracket_faults(text, language), broken
    line, left = stumbling_place(text) or (text.count("\n") + 2, 0)
    return -line, left, broken


def suspicious_lines(text: str, language: str) -> list[tuple[int, int]]:
    """The lines, without their breaks, near to where the syntax is broken; none in a sound text."""
    return [] if is_sound(text, language) is not False else _suspicious_lines(text, language)


def statements_around(text: str, start: int, end: int) -> str:
    """The statements of a Python module that characters of it are in."""
    first = max((line.start() for line in TOP_LEVEL.finditer(text, 0, start + 1)), default=0)
    behind = TOP_LEVEL.search(text, max(end, start + 1))
    return text[first : behind.start() if behind else len(text)]


def _piece(text: str, language: str, start: int, end: int) -> tuple[int, int]:
    """In Python the statements of the module that the region touches and that are broken: less to parse again."""
    if language != "python" or len(text) <= SHORT_TEXT:
        return 0, len(text)
    borders = [0, *(found.start() for found in TOP_LEVEL.finditer(text) if found.start()), len(text)]
    for first, last in pairwise(borders):
        if last > start and first <= end and is_sound(text[first:last], language) is False:
            # What follows may belong to it: a bracket that is not closed, a line that lost its indentation.
            index = borders.index(last)
            return borders[max(0, borders.index(first) - 1)], borders[min(len(borders) - 1, index + 1)]
    return 0, len(text)


def _suspicious_lines(text: str, language: str) -> list[tuple[int, int]]:
    places = [place for span in error_spans(text, language) or () for place in span][:6]
    if language == "python" and (place := stumbling_place(text)) is not None:
        places.insert(0, sum(len(each) + 1 for each in text.split("\n")[: place[0] - 1]))
    lines: dict[tuple[int, int], None] = {}
    for place in places:
        line = _line(text, min(place, len(text)))
        for _ in range(1 + LINES_BEFORE):
            lines[line] = None
            before = text[: line[0]].rstrip()
            if not before:
                break
            line = _line(text, len(before))
    return [line for line in lines if line[1] - line[0] <= LONGEST_LINE]


def _line(text: str, position: int) -> tuple[int, int]:
    start, end = text.rfind("\n", 0, position) + 1, text.find("\n", position)
    return start, len(text) if end < 0 else end


def _two_lines(text: str, position: int) -> tuple[str, str]:
    """The line of a position, and the one behind it, which may owe its place to it."""
    start, end = _line(text, position)
    return text[start:end], text[end + 1 : _line(text, end + 1)[1]]


def _makes_idle(text: str, position: int) -> bool:
    return any(map(_is_idle, _two_lines(text, position)))


def _is_idle(line: str) -> bool:
    """Return whether a line of Python is a statement that does nothing: an expression that calls nothing, or a bare
    annotation. Sound, but hardly what was meant."""
    tree = python_tree(line.strip())
    if tree is None or len(tree.body) != 1:
        return False
    (statement,) = tree.body
    if isinstance(statement, ast.AnnAssign):
        return statement.value is None
    return isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Call | ast.Constant | ast.Await)


def meaning_corrections(text: str, start: int, end: int) -> list[Correction]:
    """Changes of sound Python to what might have been meant: operators, constants, arguments and variables mistaken
    for another, a `return` or `not` forgotten. Most slips are undone by the same slip, so these are the mutations."""
    tree = SyntaxTree.of(text, "python")
    assert tree is not None, "the grammar of Python is a dependency"
    generator = random.Random(0)
    found: dict[tuple[int, int, str], float] = {}
    for mutation in UNDONE_BY_THEMSELVES:
        prior = PRIOR_OF_VARIABLES if mutation is wrong_variable else LIKELY
        found.update((change, prior) for change in mutation(tree, start, end, generator))
    for node in tree.nodes(start, end):
        if node.type == "expression_statement" and node.named_children[0].type not in STATEMENTS_OF_THEIR_OWN:
            first = tree.span(node)[0]
            found[first, first, "return "] = LIKELY
    return [Correction(*change, prior) for change, prior in found.items()]
