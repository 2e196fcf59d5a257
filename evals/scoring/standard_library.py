"""Uses of Python's standard library that it does not have: what a model makes up.

A text is only read, by `ast`; nothing of it is run. What the library has is asked of the running Python, by importing
the modules of a fixed list, all of them harmless to import.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType

MODULES = frozenset(
    "abc argparse array ast asyncio base64 binascii bisect calendar cmath collections collections.abc colorsys "
    "concurrent.futures contextlib copy csv dataclasses datetime decimal difflib enum fractions functools glob gzip "
    "hashlib heapq hmac html http inspect io ipaddress itertools json logging math numbers operator os os.path pathlib "
    "pprint queue random re secrets shutil socket sqlite3 statistics string struct subprocess sys tempfile textwrap "
    "threading time timeit traceback types typing unicodedata unittest urllib.parse urllib.request uuid warnings "
    "weakref zipfile zlib zoneinfo xml.etree.ElementTree".split()
)

LITERALS: tuple[tuple[type[ast.expr], type], ...] = (
    (ast.JoinedStr, str),
    (ast.List, list),
    (ast.ListComp, list),
    (ast.Dict, dict),
    (ast.DictComp, dict),
    (ast.Set, set),
    (ast.SetComp, set),
    (ast.Tuple, tuple),
)


@dataclass(frozen=True)
class _Missing:
    """Stands for what a name or an attribute does not lead to."""


_MISSING = _Missing()


def invented_uses(text: str) -> list[str] | None:
    """Attributes and keyword arguments that the standard library does not have, as `math.sqr`, `sorted(backwards=)`.

    Only what is certain is reported: names that the text binds in any other way are left alone, as are modules that are
    not in `MODULES`. None when the text does not parse.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    known = _imported(tree)
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        found |= dict.fromkeys(_inventions(node, known))
    return list(found)


def _inventions(node: ast.AST, known: dict[str, object]) -> Iterator[str]:
    match node:
        case ast.ImportFrom(module=str(module), names=names, level=0) if module in MODULES:
            for alias in names:
                if alias.name != "*" and _attribute(_module(module), alias.name) is _MISSING:
                    yield f"{module}.{alias.name}"
        case ast.Attribute(value=value, attr=attribute):
            owner = _resolve(value, known)
            if _is_closed(owner) and _attribute(owner, attribute) is _MISSING:
                yield f"{ast.unparse(value) if isinstance(owner, ModuleType) else type_name(owner)}.{attribute}"
        case ast.Call(func=function, keywords=keywords):
            accepted = _keywords(_resolve(function, known))
            for keyword in keywords:
                if accepted is not None and keyword.arg is not None and keyword.arg not in accepted:
                    yield f"{ast.unparse(function)}({keyword.arg}=)"


def type_name(owner: object) -> str:
    return owner.__name__ if isinstance(owner, type) else type(owner).__name__


def _imported(tree: ast.AST) -> dict[str, object]:
    """The names whose meaning is certain: builtins, modules and their members, bound once and in no other way."""
    names: dict[str, object] = {name: value for name, value in vars(builtins).items() if not name.startswith("_")}
    bound: dict[str, list[object]] = {}
    for node in ast.walk(tree):
        for name, value in _bindings(node):
            bound.setdefault(name, []).append(value)
    for name, values in bound.items():
        certain = all(value is values[0] for value in values) and values[0] is not _MISSING
        if certain:
            names[name] = values[0]
        else:
            names.pop(name, None)
    return names


def _bindings(node: ast.AST) -> Iterator[tuple[str, object]]:
    """The names that a node binds, each with what it is known to stand for, `_MISSING` where that is nothing."""
    match node:
        case ast.Import(names=aliases):
            for alias in aliases:
                target = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or target, _module(target) if target in MODULES else _MISSING
        case ast.ImportFrom(module=module, names=aliases, level=level):
            for alias in aliases:
                usable = not level and module in MODULES
                value = _attribute(_module(module), alias.name) if usable and module else _MISSING
                yield alias.asname or alias.name, value
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name, _MISSING
        case ast.arg(arg=name):
            yield name, _MISSING
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, _MISSING
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name, _MISSING


def _resolve(node: ast.expr, known: dict[str, object]) -> object:
    """The value of an expression: a module, class or function of the library, a literal's type; or `_MISSING`."""
    match node:
        case ast.Name(id=name):
            return known.get(name, _MISSING)
        case ast.Constant(value=str() | bytes() | int() | float() | complex() as value):
            return type(value)
        case ast.Attribute(value=value, attr=attribute):
            owner = _resolve(value, known)
            return _attribute(owner, attribute) if _is_closed(owner) else _MISSING
    return next((kind for literal, kind in LITERALS if isinstance(node, literal)), _MISSING)


def _is_closed(owner: object) -> bool:
    """Return whether all attributes of an object are known: a module without a `__getattr__`, or a class of the
    library."""
    if isinstance(owner, ModuleType):
        # By identity: the name of `os.path` differs from system to system.
        return owner in map(_module, MODULES) and not hasattr(owner, "__getattr__")
    return isinstance(owner, type) and owner.__module__ in MODULES | {"builtins"} and "__getattr__" not in dir(owner)


def _attribute(owner: object, name: str) -> object:
    if isinstance(owner, ModuleType) and f"{owner.__name__}.{name}" in MODULES:
        return _module(f"{owner.__name__}.{name}")
    return inspect.getattr_static(owner, name, _MISSING) if not isinstance(owner, type) else _of_class(owner, name)


def _of_class(owner: type, name: str) -> object:
    value = inspect.getattr_static(owner, name, _MISSING)
    if value is _MISSING and hasattr(type(owner), name):
        return getattr(owner, name)
    return getattr(owner, name, value) if value is not _MISSING else _MISSING


def _keywords(function: object) -> set[str] | None:
    """The keyword arguments of a function or a class; None where that cannot be known or where it takes any."""
    if not callable(function) or isinstance(function, _Missing):
        return None
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return {parameter.name for parameter in parameters if parameter.kind is not parameter.POSITIONAL_ONLY}


@cache
def _module(name: str) -> ModuleType:
    if name not in MODULES:
        raise ValueError(f"{name} is not among the modules that may be imported")
    return importlib.import_module(name)
