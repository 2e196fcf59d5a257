"""What a file imports, read from its import lines: a broken file has them too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Import:
    """Attributes:
    module: as it is written: `a.b`, `./b`, `crate::a`, `a/b.h`.
    names: those that are wanted of it; none means any that the file uses.
    """

    module: str
    names: tuple[str, ...] = ()


class Members:
    """What a text uses of its modules: `b` where it says `a.b`."""

    def __init__(self, text: str) -> None:
        self._members: dict[str, dict[str, None]] = {}
        for name, member in MEMBER.findall(text):
            self._members.setdefault(name, {})[member] = None

    def of(self, name: str) -> tuple[str, ...]:
        return tuple(self._members.get(name, ()))


def imports(text: str, language: str) -> list[Import]:
    """In their order; none for a language whose imports nobody described."""
    read = READERS.get(language)
    return list(dict.fromkeys(read(text, Members(text)))) if read else []


MEMBER = re.compile(r"\b([^\W\d]\w*)\.(?=([^\W\d]\w*))")


PYTHON_FROM = re.compile(r"^[ \t]*from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n#;]+)", re.MULTILINE)
PYTHON_IMPORT = re.compile(r"^[ \t]*import[ \t]+([^\n#;]+)", re.MULTILINE)
COMMENT = re.compile(r"#.*")

SCRIPT_IMPORT = re.compile(r"""\bimport\s+(?:type\s+)?([\w$*{][^'";]{0,2000}?)\s+from\s+['"]([^'"\n]+)['"]""")
SCRIPT_REQUIRE = re.compile(r"""\b(?:const|let|var)\s+(\w+|\{[^}]*\})\s*=\s*require\(\s*['"]([^'"\n]+)['"]\s*\)""")
BRACES = re.compile(r"\{([^}]*)\}")

GO_IMPORTS = re.compile(r"""^import\s*(?:\(([^)]*)\)|((?:[\w.]+\s+)?"[^"\n]+"))""", re.MULTILINE)
GO_IMPORT = re.compile(r"""(?:([\w.]+)[ \t]+)?"([^"\n]+)\"""")

RUST_USE = re.compile(r"^[ \t]*(?:pub\s+)?use\s+((?:\w+::)*\w+)(?:::\{([^}]*)\})?(?:\s+as\s+\w+)?\s*;", re.MULTILINE)
JAVA_IMPORT = re.compile(r"^[ \t]*import\s+(static\s+)?([\w.]+)\s*;", re.MULTILINE)
C_INCLUDE = re.compile(r"""^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)\"""", re.MULTILINE)


def _python(text: str, members: Members) -> Iterator[Import]:
    for module, names in PYTHON_FROM.findall(text):
        wanted = [original for original, _ in _renamed(COMMENT.sub("", names).strip("() \t\n"))]
        yield Import(module, tuple(name for name in wanted if name != "*"))
        for name in wanted:  # it may be a module itself
            if used := members.of(name):
                yield Import(f"{module.rstrip('.')}.{name}" if module.strip(".") else f"{module}{name}", used)
    for modules in PYTHON_IMPORT.findall(text):
        for module, alias in _renamed(modules):
            if used := members.of(alias.rpartition(".")[2]):
                yield Import(module, used)


def _script(text: str, members: Members) -> Iterator[Import]:
    for clause, module in (*SCRIPT_IMPORT.findall(text), *SCRIPT_REQUIRE.findall(text)):
        names = [original for braces in BRACES.findall(clause) for original, _ in _renamed(braces)]
        for part in BRACES.sub("", clause).split(","):
            word = part.split(" as ")[-1].strip()
            if word:
                names += [*members.of(word), *([] if "*" in part else [word])]
        yield Import(module, tuple(names))


def _go(text: str, members: Members) -> Iterator[Import]:
    for block, single in GO_IMPORTS.findall(text):
        for alias, module in GO_IMPORT.findall(block or single):
            if used := members.of(alias or module.rpartition("/")[2]):
                yield Import(module, used)


def _rust(text: str, _: Members) -> Iterator[Import]:
    for path, braces in RUST_USE.findall(text):
        if braces:
            yield Import(path, tuple(original for original, _ in _renamed(braces) if original.isidentifier()))
        else:
            module, _, name = path.rpartition("::")
            yield Import(module or name, (name,))


def _java(text: str, _: Members) -> Iterator[Import]:
    for static, name in JAVA_IMPORT.findall(text):
        module = name.rpartition(".")[0] if static else name
        yield Import(module, (module.rpartition(".")[2],))


def _c(text: str, _: Members) -> Iterator[Import]:
    for file in C_INCLUDE.findall(text):
        yield Import(file)


READERS: dict[str, Callable[[str, Members], Iterator[Import]]] = {
    "python": _python,
    "javascript": _script,
    "javascriptreact": _script,
    "typescript": _script,
    "typescriptreact": _script,
    "go": _go,
    "rust": _rust,
    "java": _java,
    "c": _c,
    "cpp": _c,
}


def _renamed(names: str) -> Iterator[tuple[str, str]]:
    """Of a list like `a, b as c`, each name with what it is called here."""
    for part in names.split(","):
        words = part.replace("type ", "").split()
        if words:
            yield words[0], words[-1]
