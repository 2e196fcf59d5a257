"""Brackets, strings and comments: the little of a text's syntax that a half-written one has too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from coder.syntax.languages import language_named
from lsp.postprocess.context import REACH, PostprocessContext

PAIRS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = frozenset(PAIRS.values())
QUOTES = "\"'`"

TRIPLE_QUOTES = {"python": ('"""', "'''"), "java": ('"""',), "kotlin": ('"""',), "scala": ('"""',), "swift": ('"""',)}
BACKTICK_STRINGS = {"javascript", "javascriptreact", "typescript", "typescriptreact", "go"}
APOSTROPHE_IS_A_CHARACTER = {"rust", "go", "java", "c", "cpp", "csharp", "haskell", "kotlin", "scala"}
"""Where `'` encloses one character, and may stand for something else alone (a lifetime, a prime)."""

MANY_LINED = {'"""', "'''", "`", "/*"}
"""What begins with these does not end with its line. Rust's strings do not either, but one that is never closed would
swallow everything behind it."""

TOP_LEVEL = re.compile(r"^[^\s)\]}]", re.MULTILINE)
"""A line that is not indented and does not begin with a closing bracket: hardly a bracket is open at its start."""


@dataclass(frozen=True)
class Literal:
    """A string or a comment: what it begins and what it ends with."""

    start: str
    end: str

    @property
    def is_string(self) -> bool:
        return self.start[0] in QUOTES

    def end_in(self, text: str, position: int = 0) -> int | None:
        """Behind the literal's end, where `text` goes on inside it from `position`; None when it does not end."""
        found = _end_of(self.end, self.start in MANY_LINED, self.is_string).match(text, position)
        return found.end() if found else None


@dataclass(frozen=True)
class Scan:
    """What a text is made of.

    Attributes:
        brackets: index and character of each that is neither in a string nor in a comment.
        literals: where the strings and comments are, in order.
        inside: the literal that the text ends in.
    """

    brackets: tuple[tuple[int, str], ...]
    literals: tuple[tuple[int, int], ...]
    inside: Literal | None

    @cached_property
    def unclosed(self) -> list[str]:
        """The opening brackets that are not closed."""
        return self._unmatched[0]

    @cached_property
    def unopened(self) -> list[str]:
        """The closing brackets that were not opened."""
        return self._unmatched[1]

    @cached_property
    def _unmatched(self) -> tuple[list[str], list[str]]:
        unclosed: list[str] = []
        unopened: list[str] = []
        for _, bracket in self.brackets:
            if bracket not in CLOSERS:
                unclosed.append(bracket)
            elif unclosed:
                unclosed.pop()
            else:
                unopened.append(bracket)
        return unclosed, unopened


def scan(text: str, language: str, inside: Literal | None = None) -> Scan:
    """Read a text that begins in the literal `inside`, if there is one."""
    brackets: list[tuple[int, str]] = []
    literals: list[tuple[int, int]] = []
    start = position = 0
    while True:
        if inside is not None:
            end = inside.end_in(text, position)
            literals.append((start, len(text) if end is None else end))
            if end is None:
                break
            position, inside = end, None
        found = _pattern(language).search(text, position)
        if found is None:
            break
        start, position = found.span()
        if found.lastgroup == "bracket":
            brackets.append((start, found.group()))
        elif found.lastgroup == "literal":
            inside = _literal(found.group())
    return Scan(tuple(brackets), tuple(literals), inside)


@dataclass(frozen=True)
class Surroundings:
    """What the code around the cursor says about brackets and strings at the cursor.

    Attributes:
        open_before: the closing brackets for what is open at the cursor, the innermost first.
        closed_behind: those that are there behind it.
        wanted_closers: those that are missing there, in the order in which they are to come.
        inside: the string or comment that the cursor is in.
        ends_behind: whether that is a string that ends on the cursor's line, behind the cursor.
    """

    open_before: tuple[str, ...]
    closed_behind: tuple[str, ...]
    wanted_closers: tuple[str, ...]
    inside: Literal | None
    ends_behind: bool


def surroundings(context: PostprocessContext) -> Surroundings:
    return _surroundings(context.prefix[-REACH:], context.suffix_left[:REACH], context.replaced, context.language)


@lru_cache(maxsize=8)
def _surroundings(prefix: str, suffix: str, replaced: str, language: str) -> Surroundings:
    before = scan(_since_top_level(prefix), language)
    inside = before.inside
    ends_behind = inside is not None and inside.is_string and _ends_on(suffix.partition("\n")[0], inside)
    opened = [PAIRS[bracket] for bracket in reversed(before.unclosed)]
    closing = scan(_up_to_top_level(suffix), language, inside if ends_behind else None).unopened
    wanted = opened[: _missing(opened, closing)]
    to_write = [character for character in replaced if character in CLOSERS]
    wanted = max(to_write, wanted, key=len)
    return Surroundings(tuple(opened), tuple(closing), tuple(wanted), inside, ends_behind)


def _missing(wanted: list[str], there: list[str]) -> int:
    """How many of the closing brackets that are wanted come before those that are there: as many as make it even, or,
    where those are others, the fewest."""
    counts = sorted(range(len(wanted) + 1), key=lambda count: len(wanted) - count != len(there))
    return next(count for count in counts if all(a == b for a, b in zip(wanted[count:], there, strict=False)))


def _ends_on(line: str, string: Literal) -> bool:
    """Whether a string ends on the rest of its line; an even number of quotes there are strings of their own."""
    ends, position = 0, string.end_in(line)
    while position is not None:
        ends, position = ends + 1, string.end_in(line, position)
    return ends % 2 == 1


def _since_top_level(prefix: str) -> str:
    *_, start = (0, *(found.start() for found in TOP_LEVEL.finditer(prefix)))
    return prefix[start:]


def _up_to_top_level(suffix: str) -> str:
    line_end = suffix.find("\n")
    found = TOP_LEVEL.search(suffix, line_end + 1) if line_end >= 0 else None
    return suffix[: found.start()] if found else suffix


def _literal(start: str) -> Literal:
    return Literal(start, "*/" if start == "/*" else start if start[0] in QUOTES else "\n")


@cache
def _end_of(end: str, many_lined: bool, escapes: bool) -> re.Pattern[str]:
    skipped = r"(?:\\.|[^\\])*?" if escapes else r".*?"
    ends = re.escape(end) if many_lined else rf"{re.escape(end)}|(?=\n)"
    return re.compile(rf"{skipped}(?:{ends})", re.DOTALL)


@cache
def _pattern(language: str) -> re.Pattern[str]:
    """What the scanner stops at: something to skip, the start of a literal, or a bracket."""
    known = language_named(language)
    comment = known.comment if known else "//"
    character = language in APOSTROPHE_IS_A_CHARACTER
    literals = [*TRIPLE_QUOTES.get(language, ()), '"']
    literals += ["`"] if language in BACKTICK_STRINGS else []
    literals += [] if character else ["'"]
    literals += [comment] if comment else []
    literals += ["/*"] if comment == "//" or language == "css" else []
    skipped = r"'(?:\\[^\n]{1,10}?|[^\\\n])'" if character else r"\\."
    either = "|".join(map(re.escape, literals))
    return re.compile(rf"(?P<skipped>{skipped})|(?P<literal>{either})|(?P<bracket>[()\[\]{{}}])", re.DOTALL)
