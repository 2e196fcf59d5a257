"""Whether a text is code that its language accepts: the grammar's opinion, and for Python the compiler's as well."""

from __future__ import annotations

import ast
import warnings

from coder.syntax.parsing import has_errors


def is_sound(text: str, language: str) -> bool | None:
    """Whether the text breaks no rule of its language's syntax; None when no grammar for it is installed.

    The grammar of Python forgives wrong indentation and a `return` outside of a function; its compiler does not.
    """
    broken = has_errors(text, language)
    if broken is None:
        return None
    return not broken and (language != "python" or python_tree(text) is not None)


def python_tree(text: str) -> ast.Module | None:
    """The tree of Python that compiles, for the version that runs this; None for what does not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            compile(tree, "text", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tree
