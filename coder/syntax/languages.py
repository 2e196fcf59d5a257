"""The programming languages by name: which files are theirs, how they write a comment, which grammar reads them."""

from __future__ import annotations

from dataclasses import dataclass
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
