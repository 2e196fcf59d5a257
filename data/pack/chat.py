"""Questions about functions, as people put them to an assistant, so that training on holes does not unlearn them."""

from __future__ import annotations

import random
import re
import textwrap

from data.pack.example import ChatExample
from data.pack.pieces import Function
from data.pack.settings import PackSettings
from data.pack.text import SourceText

SYSTEMS = ("You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",) * 3 + (
    "You are a careful programmer. Answer with code.",
)
"""The base's own most often: its template has it."""

COMPLETE = "Complete this {} function. Answer with the whole function in one code block."
WRITE = ("Write a {} function: {}", "Implement in {}: {}", "I need a {} function. {}")
EXPLAIN = ("Explain this function.", "What does this code do?")
DOCUMENT = ("Add a docstring to this function.", "Document this function.")
REPAIR = ("Fix the bug in this function.", "This function is incomplete. Repair it.", "Finish this function.")
OPENINGS = ("", "Here is the function:\n\n", "Certainly! ")

LONGEST_FUNCTION = 1600
MOST_DESCRIPTION = 400
QUOTES = re.compile(r"[rRuU]?(\"\"\"|''')")


def chat(source: SourceText, settings: PackSettings, generator: random.Random) -> ChatExample | None:
    """A question about a documented function, with what its author wrote as the answer."""
    del settings
    usable = [one for one in source.pieces.functions if one.documented and one.end - one.start <= LONGEST_FUNCTION]
    if not usable:
        return None
    head, body = _parts(source, generator.choice(usable))
    whole, language = f"{head}{body}", source.language
    fence, system = f"```{language}\n", generator.choice(SYSTEMS)
    described = _description(head)
    form = generator.choices(("complete", "write", "explain", "document", "repair"), (0.45, 0.15, 0.10, 0.15, 0.15))[0]
    if form == "complete":
        question = f"{COMPLETE.format(language)}\n\n{fence}{head.rstrip()}\n```"
        return ChatExample(system, question, f"{fence}{head.rstrip()}\n", f"{body}\n```")
    if form == "write" and described:
        question = generator.choice(WRITE).format(language, described)
        return ChatExample(system, question, "", f"{generator.choice(OPENINGS)}{fence}{whole}\n```")
    if form == "explain" and described:
        question = f"{generator.choice(EXPLAIN)}\n\n{fence}{body}\n```"
        return ChatExample(system, question, "", f"This function {described[0].lower()}{described[1:]}")
    if form == "document":
        signature = head.partition('"""')[0].rstrip()
        question = f"{generator.choice(DOCUMENT)}\n\n{fence}{signature}\n{body}\n```"
        return ChatExample(system, question, fence, f"{whole}\n```")
    lines = body.split("\n")
    del lines[generator.randrange(len(lines))]
    question = f"{generator.choice(REPAIR)}\n\n{fence}{head}" + "\n".join(lines) + "\n```"
    return ChatExample(system, question, fence, f"{whole}\n```")


def _parts(source: SourceText, function: Function) -> tuple[str, str]:
    """A function's head with its docstring, and its body, both without the indentation around the function."""
    head = source.text[function.start : source.line_start(function.body[0])]
    lines = head.count("\n")
    dedented = textwrap.dedent(source.text[function.start : function.end]).split("\n")
    return "\n".join([*dedented[:lines], ""]), "\n".join(dedented[lines:])


def _description(head: str) -> str:
    """The docstring's text, its blanks made single."""
    parts = QUOTES.split(head)
    return " ".join(parts[2].split())[:MOST_DESCRIPTION] if len(parts) > 2 else ""
