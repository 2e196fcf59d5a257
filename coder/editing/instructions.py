"""Instructions as turns of a conversation: the words they are put in, the code in a fence, and the answer begun in one.

For models that follow instructions; the forms are those that Qwen2.5-Coder-Instruct answers well.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from coder.api.completion import Turn
from coder.editing.scaffold import LOOKS_LIKE_CODE

SYSTEM = Turn("system", "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.")
"""The beginning of the base's own template, with which it was trained."""

COMPLETE = "Complete this {language} code. Answer with the whole code in one code block."
WRITE = "Write {language} code: {text}\nAnswer with the code alone, in one code block."
REWRITE = "Rewrite this {language} code: {text}\nAnswer with the whole changed code in one code block."
DOCUMENT = "Add a docstring to this {language} function. {text}"

FENCE = re.compile(r"^[ \t]*(`{3,})", re.MULTILINE)


@dataclass(frozen=True)
class Instructed:
    """The words that are said to the model, and the beginning of its answer. `shown` is the code in that."""

    conversation: tuple[Turn, ...]
    begun: str
    shown: str = ""


def writing(text: str, language: str) -> Instructed:
    """The question for the code that a sentence describes; of text that is code already, for the whole of it."""
    if LOOKS_LIKE_CODE.match(text):
        return completing(text, language)
    return asking(WRITE.format(language=language, text=text.strip()), language)


def completing(code: str, language: str) -> Instructed:
    """The question for the whole of code that is begun, which the answer begins with."""
    code = code.rstrip()
    return asking(f"{COMPLETE.format(language=language)}\n\n{fenced(code, language)}", language, f"{code}\n")


def rewriting(code: str, instruction: str, language: str) -> Instructed:
    """The question for code written anew as an instruction says."""
    question = REWRITE.format(language=language, text=instruction.strip() or "improve it")
    return asking(f"{question}\n\n{fenced(code, language)}", language, fence=fence_around(code))


def documenting(code: str, begun: str, instruction: str, language: str) -> Instructed:
    """The question for a docstring of a function: `begun` is the function up to where its text begins."""
    question = DOCUMENT.format(language=language, text=instruction.strip())
    return asking(f"{question}\n\n{fenced(code, language)}", language, begun, fence_around(code))


def asking(question: str, language: str, begun: str = "", fence: str = "```") -> Instructed:
    """A question whose answer is a code block, which begins with `begun`."""
    return Instructed((SYSTEM, Turn("user", question)), f"{fence}{language}\n{begun}", begun)


def fence_around(code: str) -> str:
    """Return the fence of a code block: longer than those in the code."""
    return "`" * max([3, *(len(found) + 1 for found in FENCE.findall(code))])


def fenced(code: str, language: str) -> str:
    fence = fence_around(code)
    return f"{fence}{language}\n{code}\n{fence}"


def dedented(code: str) -> tuple[str, str]:
    """Code without the indentation that all its lines have in common, and that indentation. Blank lines are empty."""
    lines = [line if line.strip() else "" for line in code.split("\n")]
    common = min((line[: len(line) - len(line.lstrip())] for line in lines if line), key=len, default="")
    if not all(line.startswith(common) for line in lines if line):
        return "\n".join(lines), ""
    return "\n".join(line.removeprefix(common) for line in lines), common


def indented(code: str, indentation: str) -> str:
    """Code with its lines indented, blank ones left as they are."""
    return textwrap.indent(code, indentation, lambda line: bool(line.strip()))
