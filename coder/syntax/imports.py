"""Import statements: those of any file, read from its lines, and the names that a Python file has of one module.

Lines are read by patterns, since a file that is being written is broken at times; where names are to be changed, the
syntax tree says where they stand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

import tree_sitter

from coder.syntax.tree import SyntaxTree


@dataclass(frozen=True)
class Import:
    """A module that a file imports.

    Attributes:
        module: as it is written: `a.b`, `./b`, `crate::a`, `a/b.h`.
        names: those that are wanted of it; none means any that the file uses.
    """

    module: str
    names: tuple[str, ...] = ()


class Members:
    """The members of modules that a text uses: `b` where it says `a.b`."""

    def __init__(self, text: str) -> None:
        self._members: dict[str, dict[str, None]] = {}
        for name, member in MEMBER.findall(text):
            self._members.setdefault(name, {})[member] = None

    def of(self, name: str) -> tuple[str, ...]:
        return tuple(self._members.get(name, ()))


def imports(text: str, language: str) -> list[Import]:
    """The modules that a file imports, in order; none for a language without a reader in `READERS`."""
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


@dataclass(frozen=True)
class ImportedName:
    """`name` is imported from the module at `node`, and is known as that or as `alias`."""

    name: str
    node: tree_sitter.Node
    alias: str | None


@dataclass(frozen=True)
class ModuleImports:
    """The names that a file imports of one module.

    Attributes:
        names: from it. modules: by which the module itself is known, as it is written before a dot.
        starred: whether its names come by a star import, the only one of the file.
    """

    names: tuple[ImportedName, ...]
    modules: frozenset[str]
    starred: bool = False


def imports_of(tree: SyntaxTree, file: PurePath, module: PurePath) -> ModuleImports:
    """The names that the file, of which this is the tree, imports of the module in another file."""
    names: list[ImportedName] = []
    starred: list[str] = []
    modules: set[str] = set()
    for node in tree.nodes():
        source = node.child_by_field_name("module_name")
        imported = [_imported(tree, child) for child in node.children_by_field_name("name")]
        if node.type == "import_statement":
            modules |= {each.alias or each.name for each in imported if _means(each.name, file, module)}
        elif node.type == "import_from_statement" and source is not None:
            if _means(tree.text_of(source), file, module):
                names += imported
            if any(child.type == "wildcard_import" for child in node.children):
                starred.append(tree.text_of(source))
            dots = tree.text_of(source).rstrip(".") and "."
            inside = (each for each in imported if _means(f"{tree.text_of(source)}{dots}{each.name}", file, module))
            modules |= {each.alias or each.name for each in inside}
    is_starred = len(starred) == 1 and _means(starred[0], file, module)
    return ModuleImports(tuple(names), frozenset(modules), is_starred)


def _imported(tree: SyntaxTree, node: tree_sitter.Node) -> ImportedName:
    """`a.b`, or `a.b as c`."""
    alias = node.child_by_field_name("alias")
    name = node.child_by_field_name("name") or node
    return ImportedName(tree.text_of(name), name, tree.text_of(alias) if alias is not None else None)


def _means(name: str, file: PurePath, module: PurePath) -> bool:
    """Return whether a file means the module by a name: a path from the file's folder, or the end of the module's path,
    if that is no module of Python's own."""
    path = module.parent if module.name == "__init__.py" else module.with_suffix("")
    parts = name.lstrip(".").split(".") if name.strip(".") else []
    dots = len(name) - len(name.lstrip("."))
    if dots:
        return dots <= len(file.parents) and file.parents[dots - 1].joinpath(*parts) == path
    return bool(parts) and parts[0] not in sys.stdlib_module_names and path.parts[-len(parts) :] == tuple(parts)
