"""The programming languages by name: their files, comments, grammars, brackets and strings.

A scan of a text for brackets, strings and comments needs no grammar: it works on half-written code too.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache, cached_property
from operator import itemgetter
from pathlib import PurePath


@dataclass(frozen=True)
class Language:
    """A programming language.

    Attributes:
        name: as the Language Server Protocol spells it.
        suffixes: of its files' names, in lower case, each with the dot.
        comment: what begins a comment to the end of the line; None where there is no such comment.
        file_names: names of its files that say nothing by their suffix, in lower case.
        grammar: the tree-sitter package to import, if there is a well-kept one, and the function in it that returns
            the grammar.
    """

    name: str
    suffixes: tuple[str, ...]
    comment: str | None
    file_names: tuple[str, ...] = ()
    grammar: tuple[str, str] | None = None


LANGUAGES = (
    Language("python", (".py", ".pyi", ".pyw"), "#", grammar=("tree_sitter_python", "language")),
    Language("javascript", (".js", ".mjs", ".cjs"), "//", grammar=("tree_sitter_javascript", "language")),
    Language("javascriptreact", (".jsx",), "//", grammar=("tree_sitter_javascript", "language")),
    Language("typescript", (".ts", ".mts", ".cts"), "//", grammar=("tree_sitter_typescript", "language_typescript")),
    Language("typescriptreact", (".tsx",), "//", grammar=("tree_sitter_typescript", "language_tsx")),
    Language("go", (".go",), "//", grammar=("tree_sitter_go", "language")),
    Language("rust", (".rs",), "//", grammar=("tree_sitter_rust", "language")),
    Language("java", (".java",), "//", grammar=("tree_sitter_java", "language")),
    Language("c", (".c", ".h"), "//", grammar=("tree_sitter_c", "language")),
    Language("cpp", (".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx"), "//", grammar=("tree_sitter_cpp", "language")),
    Language("csharp", (".cs",), "//"),
    Language("css", (".css",), None),
    Language("dockerfile", (), "#", file_names=("dockerfile",)),
    Language("haskell", (".hs",), "--"),
    Language("html", (".html", ".htm"), None),
    Language("json", (".json",), None),
    Language("kotlin", (".kt", ".kts"), "//"),
    Language("lua", (".lua",), "--"),
    Language("makefile", (".mk",), "#", file_names=("makefile", "gnumakefile")),
    Language("markdown", (".md",), None),
    Language("perl", (".pl", ".pm"), "#"),
    Language("php", (".php",), "//"),
    Language("r", (".r",), "#"),
    Language("ruby", (".rb",), "#", file_names=("gemfile", "rakefile")),
    Language("scala", (".scala",), "//"),
    Language("shellscript", (".sh", ".bash", ".zsh"), "#"),
    Language("sql", (".sql",), "--"),
    Language("swift", (".swift",), "//"),
    Language("toml", (".toml",), "#"),
    Language("yaml", (".yaml", ".yml"), "#"),
)

_BY_NAME = {language.name: language for language in LANGUAGES}
_BY_SUFFIX = {suffix: language for language in LANGUAGES for suffix in language.suffixes}
_BY_FILE_NAME = {name: language for language in LANGUAGES for name in language.file_names}


def language_named(name: str) -> Language | None:
    return _BY_NAME.get(name.lower())


def language_for(name: str | None, path: str | None) -> Language | None:
    """The language that is named, or else the one that the file's name suggests."""
    return language_named(name) if name else language_of(path or "")


def language_name(name: str | None, path: str | None) -> str:
    """The name of that language: in our spelling where it is known here, as it is given where not; may be empty."""
    known = language_for(name, path)
    return known.name if known else name or ""


def language_of(path: str) -> Language | None:
    """The language that a file's name suggests; nothing is read."""
    file = PurePath(path)
    return _BY_FILE_NAME.get(file.name.lower()) or _BY_SUFFIX.get(file.suffix.lower())


PAIRS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = frozenset(PAIRS.values())
QUOTES = "\"'`"

TRIPLE_QUOTES = {"python": ('"""', "'''"), "java": ('"""',), "kotlin": ('"""',), "scala": ('"""',), "swift": ('"""',)}
BACKTICK_STRINGS = {"javascript", "javascriptreact", "typescript", "typescriptreact", "go"}
APOSTROPHE_IS_A_CHARACTER = {"rust", "go", "java", "c", "cpp", "csharp", "haskell", "kotlin", "scala"}
"""Languages in which `'` encloses one character, and may stand for something else alone (a lifetime, a prime)."""

MANY_LINED = {'"""', "'''", "`", "/*"}
"""A literal that begins with these does not end with its line. Rust's strings do not either, but one that is never
closed would swallow everything behind it."""


@dataclass(frozen=True)
class Literal:
    """A string or a comment: what it begins and what it ends with."""

    start: str
    end: str

    @property
    def is_string(self) -> bool:
        return self.start[0] in QUOTES

    @property
    def spans_lines(self) -> bool:
        return self.start in MANY_LINED

    def end_in(self, text: str, position: int = 0) -> int | None:
        """Behind the literal's end, where `text` goes on inside it from `position`; None when it does not end."""
        found = _end_of(self.end, self.spans_lines, self.is_string).match(text, position)
        return found.end() if found else None


@dataclass(frozen=True)
class Scan:
    """The brackets and literals of a text.

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

    @property
    def closers(self) -> list[str]:
        """The brackets that would close what is open, the innermost first."""
        return [PAIRS[bracket] for bracket in reversed(self.unclosed)]

    def in_literal(self, index: int) -> bool:
        """Return whether a character belongs to a string or a comment."""
        before = bisect_right(self.literals, index, key=itemgetter(0)) - 1
        return before >= 0 and index < self.literals[before][1]

    @property
    def imbalance(self) -> int:
        """The number of brackets, and of strings or comments of many lines, that lack their other end."""
        open_end = self.inside is not None and self.inside.end != "\n"
        return len(self.unclosed) + len(self.unopened) + open_end

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


def without_foreign_closers(text: str, language: str, inside: Literal | None = None, foreign: int = 0) -> str:
    """The text up to the first closing bracket that it did not open, past as many as are `foreign` to it anyway."""
    depth = 0
    for index, bracket in scan(text, language, inside).brackets:
        depth += -1 if bracket in CLOSERS else 1
        if depth < 0:
            if not foreign:
                return text[:index]
            depth, foreign = 0, foreign - 1
    return text


def _literal(start: str) -> Literal:
    return Literal(start, "*/" if start == "/*" else start if start[0] in QUOTES else "\n")


@cache
def _end_of(end: str, many_lined: bool, escapes: bool) -> re.Pattern[str]:
    skipped = r"(?:\\.|[^\\])*?" if escapes else r".*?"
    ends = re.escape(end) if many_lined else rf"{re.escape(end)}|(?=\n)"
    return re.compile(rf"{skipped}(?:{ends})", re.DOTALL)


@cache
def _pattern(language: str) -> re.Pattern[str]:
    """The pattern that the scanner stops at: something to skip, the start of a literal, or a bracket."""
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
