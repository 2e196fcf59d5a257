"""Small changes after which broken code is sound again: what fast fingers left out, doubled, or put in the wrong place.

Many changes make a text parse; which one was meant, a model has to say. Each comes with a prior, so that the model's
opinion is weighed against how common the slip is.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from coder.syntax.languages import CLOSERS, QUOTES
from coder.syntax.mutations.semantic_mutations import SEMANTIC, wrong_variable
from coder.syntax.parsing import Span, brokenness, error_spans
from coder.syntax.slips import is_near
from coder.syntax.soundness import compiler_error, is_sound, python_tree
from coder.syntax.tree import SyntaxTree

TOKEN = re.compile(r"\w+|[ \t]+|[^\w\s]")
WORD = re.compile(r"[^\W\d]\w*")
LONGEST_LINE = 240
SHORT_TEXT = 5000
"""Characters that are parsed at once, however often."""

NEARBY, MOST_NAMES = 400, 24
"""Characters in which names are looked for that might be missing, and how many are tried."""

LINES_BEFORE = 1
"""An error often shows on the line behind the one that it is on."""

LINES_OF_DEPTHS = 12
"""The number of lines above that show which indentations there are."""

LIKELY, UNLIKELY = 0.0, -3.0
"""Priors in nats: of forgotten punctuation, doubled and misspelt words; and of anything else."""

IDLE = -8.0
"""Added to the prior of what leaves a statement without effect."""

PUNCTUATION = ("(", ")", "[", "]", "{", "}", ":", ",", '"', "'")
MORE_PUNCTUATION = {"python": (), "go": (), "rust": (";",)}
WORDS = {
    "python": (
        "=",
        "==",
        "+",
        "-",
        "*",
        ".",
        "in",
        "and",
        "for",
        "if",
        "not",
        "return",
        "def",
        "is",
        "else",
        "or",
        "import",
        "from",
        "!=",
        "<",
        ">",
        "%",
        "/",
        "->",
    ),
}
OPERATORS = ("=", "==", "+", "-", "*", ".")
DEFINITION = re.compile(r"^(?:def|class|async def|@)", re.MULTILINE)
COMMON_NAMES = frozenset(name for kind in (builtins, str, list, dict, set) for name in dir(kind))
PRIOR_OF_VARIABLES = -2.0
"""Of another variable in the place of one: there are many, and a small model often expects another."""

UNDONE_BY_THEMSELVES = [
    mutation for mutation in SEMANTIC if mutation.__name__ not in ("undefined_name", "deleted_line", "dropped_return")
]
STATEMENTS_OF_THEIR_OWN = frozenset(
    ["string", "concatenated_string", "assignment", "augmented_assignment", "yield", "await", "ellipsis"]
)
TOP_LEVEL = re.compile(r"^(?=[^\s#)\]}])", re.MULTILINE)


@dataclass(frozen=True)
class Correction:
    """The characters from `start` to `end` give way to `text`; `prior` says how common such a slip is, in nats."""

    start: int
    end: int
    text: str
    prior: float = LIKELY

    def applied_to(self, text: str) -> str:
        return text[: self.start] + self.text + text[self.end :]


def syntax_corrections(
    text: str, language: str, start: int = 0, end: int | None = None, over: Callable[[], bool] = lambda: False
) -> list[Correction]:
    """Changes of one token near the first error in the region, after which the text around it is sound, likely first.

    The text around it is all of the text; failing that, where there are further errors, all before the next definition.
    Failing that too, the common slips whose undoing leaves least of the text broken. Empty where the text is sound, the
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
    found = _sound_after(piece, lines, language, over)
    if not found and language == "python" and lines:
        border = DEFINITION.search(piece, lines[0][1])
        found = _sound_after(piece[: border.start()], lines, language, over) if border else []
    if not found:
        found = _sounder_after(piece, lines, language, over)
    moved = [Correction(first + each.start, first + each.end, each.text, each.prior) for each in found]
    return sorted((each for each in moved if start <= each.start and each.end <= end), key=lambda each: -each.prior)


def _sound_after(piece: str, lines: Sequence[Span], language: str, over: Callable[[], bool]) -> list[Correction]:
    """The changes of these lines after which the piece is sound, one for each text that comes of it."""
    found: dict[str, Correction] = {}
    for start, end in lines:
        if end > len(piece):
            continue
        for change in _changes_of_line(piece, start, end, language):
            if over():
                break
            changed = change.applied_to(piece)
            if changed not in found and is_sound(changed, language):
                idle = language == "python" and _makes_idle(changed, change.start)
                found[changed] = replace(change, prior=change.prior + IDLE) if idle else change
    return list(found.values())


def _sounder_after(piece: str, lines: Sequence[Span], language: str, over: Callable[[], bool]) -> list[Correction]:
    """Those of the slips in these lines that, undone, leave least of the piece broken, and less than is now."""
    best = _defects(piece, language)
    found: dict[str, Correction] = {}
    for start, end in lines:
        for change in _changes_of_line(piece, start, end, language):
            if over():
                return list(found.values())
            changed = change.applied_to(piece)
            uncertain = change.prior < LIKELY or not change.text or change.text in QUOTES
            if uncertain or changed in found or (language == "python" and _makes_idle(changed, change.start)):
                continue
            defects = _defects(changed, language)
            if defects < best:
                best, found = defects, {changed: change}
            elif found and defects == best:
                found[changed] = change
    return list(found.values())


def _defects(text: str, language: str) -> tuple[int, int]:
    """A measure of how broken a text is: by the grammar, then by how early the compiler stumbles."""
    error = compiler_error(text) if language == "python" else None
    return brokenness(text, language) or 0, -(error.lineno or 0) if error else -len(text)


def suspicious_lines(text: str, language: str) -> list[tuple[int, int]]:
    """The lines, without their breaks, near to where the syntax is broken; none in a sound text."""
    return [] if is_sound(text, language) is not False else _suspicious_lines(text, language)


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
    if language == "python" and (place := _compiler_error(text)) is not None:
        places.insert(0, place)
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


def _compiler_error(text: str) -> int | None:
    """Return the place of the error that Python's compiler reports."""
    error = compiler_error(text)
    if error is None:
        return None
    lines = text.splitlines(keepends=True)[: max(0, (error.lineno or 1) - 1)]
    return sum(map(len, lines)) + max(0, (error.offset or 1) - 1)


def _line(text: str, position: int) -> tuple[int, int]:
    start, end = text.rfind("\n", 0, position) + 1, text.find("\n", position)
    return start, len(text) if end < 0 else end


def _changes_of_line(text: str, start: int, end: int, language: str) -> Iterator[Correction]:
    """Every change of one token, whether it helps or not, the common slips first."""
    tokens = [(start + found.start(), start + found.end()) for found in TOKEN.finditer(text[start:end])]
    words = [token for token in tokens if not text[slice(*token)].isspace()]
    gaps = (last - 1 for first, last in tokens if last - first > 1 and text[first:last].isspace() and first > start)
    boundaries = sorted({end, *gaps, *(place for token in words for place in token)})
    yield from _indentations(text, start, end)
    yield from _corrected_words(text, words, language)
    for place in boundaries:
        for mark in (*PUNCTUATION, *MORE_PUNCTUATION.get(language, (";",))):
            yield Correction(place, place, mark)
    for first, last in words:
        if text[first] in CLOSERS:
            yield from (Correction(first, last, other) for other in sorted(CLOSERS) if other != text[first])
        removed = Correction(first, last, "", LIKELY if text[first] in "()[]{}:,\"'" else UNLIKELY)
        yield removed
    for place in boundaries:
        for word in (*WORDS.get(language, OPERATORS), *_names_nearby(text, start, end)):
            is_word = word.isidentifier()
            before = " " if is_word and place > start and text[place - 1].isidentifier() else ""
            after = " " if is_word and place < end and text[place].isidentifier() else ""
            yield Correction(place, place, before + word + after, UNLIKELY)
            if words and place == words[0][0] > start:
                # What is missing at a line's beginning has left the blank behind it.
                yield Correction(place - 1, place, f"{word} ", UNLIKELY)


def _names_nearby(text: str, start: int, end: int) -> list[str]:
    """Words of the neighbouring lines and the numbers that are most often meant, those that are near first."""
    near = WORD.findall(text[start:end]) + WORD.findall(text[max(0, start - NEARBY) : end + NEARBY])
    names = [word for word in dict.fromkeys(near) if not keyword.iskeyword(word)]
    return [*names[:MOST_NAMES], "0", "1"]


def _corrected_words(text: str, words: list[tuple[int, int]], language: str) -> Iterator[Correction]:
    keywords = keyword.kwlist if language == "python" else ()
    known = {*COMMON_NAMES, *_names_nearby(text, *words[0])} if words else ()
    for index, (first, last) in enumerate(words):
        word = text[first:last]
        yield from (Correction(first, last, other) for other in keywords if is_near(word, other))
        if index and text[slice(*words[index - 1])] == word:
            yield Correction(words[index - 1][1], last, "")
        for place in range(first + 1, last if language == "python" else first):
            if text[first:place] in known:
                yield from (Correction(place, place, bracket) for bracket in "([")


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


def _indentations(text: str, start: int, end: int) -> Iterator[Correction]:
    """The line as deep as one of its neighbours, or one step further in or out."""
    line = text[start:end]
    own = line[: len(line) - len(line.lstrip())]
    depths = {""}
    for neighbour in (*text[:start].rstrip().split("\n")[-LINES_OF_DEPTHS:], *text[end:].strip("\n").split("\n")[:2]):
        if neighbour.strip():
            indentation = neighbour[: len(neighbour) - len(neighbour.lstrip())]
            depths |= {indentation, indentation + "    "}
    yield from (Correction(start, start + len(own), depth) for depth in sorted(depths) if depth != own)


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
