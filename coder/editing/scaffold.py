"""From a description to the beginning of the code that it asks for.

The model fills holes in code; it was not trained to follow instructions. A sentence therefore becomes what stands
around such code in a file: a name made of its words, and a docstring or a comment.
"""

from __future__ import annotations

import ast
import keyword
import re
from dataclasses import dataclass

from coder.syntax.languages import language_named

LOOKS_LIKE_CODE = re.compile(
    r"\s*(#|//|/\*|--|@|\"\"\"|'''|from [\w.]+ import |import [\w.]+\n"
    r"|(?:[a-z]+ )*(?:def|class|fn|func|function) \w+\s*[(:{<\[])"
)
"""A comment, a decorator, an import, or a function or class whose name is followed by a bracket or a colon."""

FILLER = frozenset(
    "a an the of to in on for from with by and or that which this it its is are be as at into all each every given "
    "please write create make implement generate return returns function method class code python program".split()
)
"""Words that say nothing about what a function does."""

NAME_WORDS = 4

FUNCTION_KEYWORDS = {"go": "func", "javascript": "function", "rust": "fn", "typescript": "function"}
SNAKE_CASE = frozenset({"python", "rust"})


@dataclass(frozen=True)
class Scaffold:
    """Code to be continued.

    Attributes:
        start: what stands there already.
        signature_end: what follows a hole for the parameters of a Python function, its docstring last; empty where
            the code is simply to be continued.
    """

    start: str
    signature_end: str = ""

    def with_parameters(self, parameters: str) -> str:
        """The code up to the function's body. Of `parameters`, what a model wrote into the hole, the first ones that
        are valid are taken."""
        candidates = [parameters[:end] for end, character in enumerate(f"{parameters}\n") if character in ")\n"]
        valid = next((candidate for candidate in candidates if _are_parameters(candidate)), "")
        return self.start + valid + self.signature_end


def scaffold(text: str, language: str) -> Scaffold:
    """The beginning of what a description asks for.

    Text that is code already, a comment or a signature, stays as it is. Of a sentence Python makes a function with a
    docstring; other languages make a comment, and the first words of a function where these are the same in every
    program.
    """
    text = text.strip()
    if LOOKS_LIKE_CODE.match(text):
        return Scaffold(text if text.endswith("(") else f"{text}\n")
    name = function_name(text, language)
    if language == "python" and name.isidentifier() and not keyword.iskeyword(name):
        sentence = text[0].upper() + text[1:]
        docstring = sentence.replace("\\", "\\\\").replace('"""', "'''")
        end = "" if docstring[-1] in ".!?" else "."
        return Scaffold(f"def {name}(", f'):\n    """{docstring}{end}"""\n')
    known = language_named(language)
    marker = (known and known.comment) or "#"
    comment = "".join(f"{marker} {line}\n" for line in text.splitlines())
    function = FUNCTION_KEYWORDS.get(language)
    return Scaffold(f"{comment}{function} {name}(" if function and name else comment)


def function_name(text: str, language: str) -> str:
    """A name made of the first words that carry meaning, in the language's case; empty when there are none."""
    words = [word.lower() for word in re.findall(r"[^\W\d_][^\W_]*", re.sub(r"(\w)[-'](\w)", r"\1\2", text))]
    chosen = [word for word in words if word not in FILLER][:NAME_WORDS]
    if language in SNAKE_CASE:
        return "_".join(chosen)
    return "".join(chosen[:1] + [word.capitalize() for word in chosen[1:]])


def _are_parameters(text: str) -> bool:
    try:
        ast.parse(f"def function({text}): pass")
    except (SyntaxError, ValueError):
        return False
    return True
