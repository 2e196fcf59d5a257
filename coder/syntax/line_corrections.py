"""Changes of one token in a line: what fast fingers left out, doubled, or put in the wrong place."""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from coder.syntax.keywords import KEYWORDS
from coder.syntax.languages import CLOSERS, PAIRS, QUOTES, scan
from coder.syntax.slips import is_near, is_slip
from coder.syntax.tree import Span

TOKEN = re.compile(r"\w+|[ \t]+|[^\w\s]")
WORD = re.compile(r"[^\W\d]\w*")

LIKELY, UNLIKELY = 0.0, -3.0
"""Priors in nats: of forgotten punctuation, doubled and misspelt words; and of anything else."""

NEARBY, MOST_NAMES = 400, 24
"""Characters in which names are looked for that might be missing, and how many are tried."""

LINES_OF_DEPTHS = 12
"""The number of lines above that show which indentations there are."""

SEPARATORS = frozenset(",.:;")
OPENERS = {closer: opener for opener, closer in PAIRS.items()}
MARKS = (",", ":", *QUOTES[:2])
MORE_MARKS = {"python": (), "go": (), "rust": (";",)}
WORDS = {
    "python": tuple("= == + - * . in and for if not return def is else or import from != < > % / ->".split()),
}
OPERATORS = ("=", "==", "+", "-", "*", ".")
COMMON_NAMES = frozenset(name for kind in (builtins, str, list, dict, set) for name in dir(kind))

BRACED = frozenset("c cpp go java javascript javascriptreact rust typescript typescriptreact".split())
"""Languages whose blocks begin with a brace at the end of a line and end with one on a line of its own."""


@dataclass(frozen=True)
class Correction:
    """The characters from `start` to `end` give way to `text`; `prior` says how common such a slip is, in nats."""

    start: int
    end: int
    text: str
    prior: float = LIKELY

    def applied_to(self, text: str) -> str:
        return text[: self.start] + self.text + text[self.end :]


def changes_of_line(text: str, start: int, end: int, language: str) -> Iterator[Correction]:
    """Every change of one token, whether it helps or not, the common slips first."""
    tokens = [(start + found.start(), start + found.end()) for found in TOKEN.finditer(text[start:end])]
    words = [token for token in tokens if not text[slice(*token)].isspace()]
    gaps = (last - 1 for first, last in tokens if last - first > 1 and text[first:last].isspace() and first > start)
    boundaries = sorted({end, *gaps, *(place for token in words for place in token)})
    yield from _indentations(text, start, end)
    yield from _corrected_words(text, words, language)
    if language in BRACED and words:
        yield from _braces(text, start, words[-1][1])
    lacking = _lacking(text[start:end], language)
    for place in boundaries:
        for mark in (*MARKS, *MORE_MARKS.get(language, (";",))):
            yield Correction(place, place, mark)
        for bracket in (*PAIRS, *CLOSERS):
            yield Correction(place, place, bracket, LIKELY if bracket in lacking else UNLIKELY)
    for first, last in words:
        mistyped = CLOSERS if text[first] in CLOSERS else SEPARATORS if text[first] in SEPARATORS else ()
        for other in sorted(mistyped):
            if other != text[first]:
                likely = other in SEPARATORS or other in lacking
                yield Correction(first, last, other, LIKELY if likely else UNLIKELY)
        yield Correction(first, last, "", LIKELY if text[first] in "()[]{}:,\"'" else UNLIKELY)
    for place in boundaries:
        for word in (*WORDS.get(language, OPERATORS), *_names_nearby(text, start, end)):
            is_word = word.isidentifier()
            before = " " if is_word and place > start and text[place - 1].isidentifier() else ""
            after = " " if is_word and place < end and text[place].isidentifier() else ""
            yield Correction(place, place, before + word + after, UNLIKELY)
            if words and place == words[0][0] > start:
                # What is missing at a line's beginning has left the blank behind it.
                yield Correction(place - 1, place, f"{word} ", UNLIKELY)


def misspelt_keyword(text: str, lines: Sequence[Span], language: str) -> Correction | None:
    """The first word of the lines that is a slip of a keyword, stands nowhere else and is no text or comment."""
    counts = Counter(WORD.findall(text))
    read = scan(text, language)
    for start, end in lines:
        for found in WORD.finditer(text, start, end):
            if counts[found.group()] > 1 or read.in_literal(found.start()):
                continue
            meant = next((each for each in KEYWORDS.get(language, ()) if is_slip(found.group(), each)), None)
            if meant is not None and found.group() not in KEYWORDS[language]:
                return Correction(found.start(), found.end(), meant)
    return None


def _lacking(line: str, language: str) -> set[str]:
    """The brackets whose other ends stand in the line alone."""
    found = scan(line, language)
    return {PAIRS[opener] for opener in found.unclosed} | {OPENERS[closer] for closer in found.unopened}


def _braces(text: str, start: int, end: int) -> Iterator[Correction]:
    """A brace that begins a block behind the line's last word, and those on lines of their own that end one there."""
    if text[end - 1] != "{":
        yield Correction(end, end, " {")
    own = indentation_of(text[start:end])
    above = text[:start].split("\n")[-LINES_OF_DEPTHS:]
    depths = {indentation_of(line) for line in (*above, text[start:end]) if line.strip()}
    for depth in sorted((each for each in depths if own.startswith(each)), key=len, reverse=True):
        yield Correction(end, end, f"\n{depth}}}")


def _names_nearby(text: str, start: int, end: int) -> list[str]:
    """Words of the neighbouring lines and the numbers that are most often meant, those that are near first."""
    near = WORD.findall(text[start:end]) + WORD.findall(text[max(0, start - NEARBY) : end + NEARBY])
    names = [word for word in dict.fromkeys(near) if not keyword.iskeyword(word)]
    return [*names[:MOST_NAMES], "0", "1"]


def _corrected_words(text: str, words: list[Span], language: str) -> Iterator[Correction]:
    known = {*COMMON_NAMES, *_names_nearby(text, *words[0])} if words else ()
    for index, (first, last) in enumerate(words):
        word = text[first:last]
        yield from (Correction(first, last, other) for other in KEYWORDS.get(language, ()) if is_near(word, other))
        if index and text[slice(*words[index - 1])] == word:
            yield Correction(words[index - 1][1], last, "")
        for place in range(first + 1, last if language == "python" else first):
            if text[first:place] in known:
                yield from (Correction(place, place, bracket) for bracket in "([")


def _indentations(text: str, start: int, end: int) -> Iterator[Correction]:
    """The line as deep as one of its neighbours, or one step further in or out."""
    own = indentation_of(text[start:end])
    depths = {""}
    for neighbour in (*text[:start].rstrip().split("\n")[-LINES_OF_DEPTHS:], *text[end:].strip("\n").split("\n")[:2]):
        if neighbour.strip():
            indentation = indentation_of(neighbour)
            depths |= {indentation, indentation + "    "}
    yield from (Correction(start, start + len(own), depth) for depth in sorted(depths) if depth != own)


def indentation_of(line: str) -> str:
    """Return the blanks that a line begins with."""
    return line[: len(line) - len(line.lstrip())]
