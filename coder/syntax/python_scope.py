"""Python's scopes: what is bound in one, what is seen from inside it, and what is known everywhere."""

from __future__ import annotations

import builtins
import re
from dataclasses import dataclass, field
from typing import Literal

ScopeKind = Literal["module", "class", "function", "comprehension", "type parameters"]

KNOWN = frozenset(dir(builtins)) | frozenset(
    "__annotations__ __builtins__ __class__ __dict__ __file__ __module__ __path__ __qualname__ "
    # Of other versions and systems than the one that runs this.
    "BaseExceptionGroup EncodingWarning ExceptionGroup PythonFinalizationError WindowsError aiter anext frozendict "
    # Put among the builtins by `site`, gettext, IPython and type checkers.
    "_ copyright credits display exit get_ipython help license ngettext quit reveal_locals reveal_type".split()
)

OF_PYTHON_2 = frozenset(
    "basestring buffer cmp execfile file long raw_input reduce reload unichr unicode xrange".split()
)
ASKS_FOR_VERSION = re.compile(r"\b(?:version_info|hexversion|PY_?[23])\b")
"""In files that do, names of Python 2 are read where they exist."""


@dataclass(eq=False)
class PythonScope:
    """Names that are bound in a part of the text, inside another one."""

    kind: ScopeKind
    parent: PythonScope | None = None
    bound: set[str] = field(default_factory=set)
    looked_up_in: dict[str, PythonScope] = field(default_factory=dict)
    """The scope in which each name of a `global` or `nonlocal` statement is looked up."""

    def owner(self, name: str) -> PythonScope | None:
        """The scope whose binding the name stands for here; None where there is none in the file."""
        scope, seen_from = self, None
        while scope is not None:
            if name in scope.looked_up_in:
                scope, seen_from = scope.looked_up_in[name], None
                continue
            if name in scope.bound and (scope.kind != "class" or seen_from in (None, "type parameters")):
                return scope
            scope, seen_from = scope.parent, scope.kind
        return None

    def resolves(self, name: str) -> bool:
        """Return whether the name is bound here or further out; what a class binds is seen in its body alone."""
        return self.owner(name) is not None

    @property
    def module(self) -> PythonScope:
        return self if self.parent is None else self.parent.module

    @property
    def of_class(self) -> PythonScope | None:
        """The class around; None where there is none."""
        if self.kind == "class":
            return self
        return None if self.parent is None else self.parent.of_class

    @property
    def for_walrus(self) -> PythonScope:
        """Return the scope where `:=` binds: outside of comprehensions."""
        return self.parent.for_walrus if self.kind == "comprehension" and self.parent is not None else self
