"""The task that a conversation asks for. A model that follows instructions is asked in its own form of conversations.
Any other one writes code and no prose, so every request comes down to code that is to be continued, filled or written
anew. All pure functions of the messages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from coder.api.completion import Turn
from coder.editing.instructions import SYSTEM
from coder.editing.scaffold import LOOKS_LIKE_CODE
from coder.serve.http.refusals import RefusedError
from coder.serve.openai.openai_types import ChatMessage
from coder.syntax.languages import language_named

FENCE = re.compile(r"^```[ \t]*([\w+#.-]*)[^\n]*\n(.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE)
HOLE = "<fill>"
DEFAULT_LANGUAGE = "python"

FENCE_NAMES = {"py": "python", "js": "javascript", "ts": "typescript", "c++": "cpp", "golang": "go", "rs": "rust"}
SPOKEN_NAMES = {"c++": "cpp", "c#": "csharp", "golang": "go", "node": "javascript"}

ROLES: dict[str, Literal["system", "user", "assistant"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "user",
    "function": "user",
}
"""The role that a model's own form has for each of the API's."""

SELECTION = re.compile(
    r"^--- PREFIX +-+\n(?P<prefix>.*)^--- SELECTION +-+\n(?P<selection>.*)\n--- SUFFIX +-+\n(?P<suffix>.*)",
    re.DOTALL | re.MULTILINE,
)
"""The form in which llama.vim sends a selection that an instruction is about."""


@dataclass(frozen=True)
class Continue:
    """Code to be continued; `shown` is how much of its end belongs to the answer."""

    code: str
    language: str
    fenced: bool
    shown: int = 0


@dataclass(frozen=True)
class Describe:
    """Code to be written from a description."""

    description: str
    language: str


@dataclass(frozen=True)
class Fill:
    """Code with holes: the texts around them."""

    texts: tuple[str, ...]
    language: str


@dataclass(frozen=True)
class Rewrite:
    """A region of a text to be rewritten; an answer is the region alone."""

    text: str
    start: int
    end: int
    instruction: str
    language: str
    fenced: bool = True


@dataclass(frozen=True)
class Converse:
    """A conversation to be continued; `begun` is the beginning of the answer, if the client has written it."""

    turns: tuple[Turn, ...]
    begun: str = ""


Task = Continue | Converse | Describe | Fill | Rewrite


def conversation_of(messages: Sequence[ChatMessage]) -> Task:
    """Return the task for a model that follows instructions: the conversation as it is, but for marked holes and for
    selections, which have a form of their own."""
    turns = tuple(Turn(ROLES[message.role], message.text) for message in messages if message.text)
    task = task_of(messages)
    if isinstance(task, Fill) or (isinstance(task, Rewrite) and not task.fenced):
        return task
    begun = ""
    if turns[-1].role == "assistant":
        turns, begun = turns[:-1], turns[-1].text
    if not any(turn.role == "system" for turn in turns):
        turns = (SYSTEM, *turns)
    return Converse(turns, begun)


def task_of(messages: Sequence[ChatMessage]) -> Task:
    """Return the task of the last message; where that has no code, code is looked for in the messages before it."""
    messages = [message for message in messages if message.text and message.role not in ("tool", "function")]
    if not messages:
        raise RefusedError("no message has a text; say in one of the user what is wanted")
    latest = messages[-1]
    if latest.role == "assistant":
        return _continued(latest.text)
    text = latest.text
    system = "\n".join(message.text for message in messages if message.role in ("system", "developer"))
    if (selection := SELECTION.search(system)) is not None:
        return _selected(selection, text)
    earlier = [block for message in messages[:-1] if message.role != "system" for block in FENCE.findall(message.text)]
    blocks = FENCE.findall(text) or earlier[-1:]
    words = FENCE.sub("", text).strip()
    if not blocks:
        return _without_code(text, system)
    tag, code = blocks[-1]
    language = FENCE_NAMES.get(tag.lower(), tag.lower()) or DEFAULT_LANGUAGE
    if HOLE in code:
        return Fill(tuple(code.split(HOLE)), language)
    if not words:
        return Continue(code, language, fenced=True, shown=len(code))
    return Rewrite(code, 0, len(code), words, language)


def spoken_language(words: str) -> str:
    """The language that a description names, as in `in Go`."""
    for name in re.findall(r"\b(?:in|using|with|a|an)\s+([A-Za-z+#]+)", words):
        lower = SPOKEN_NAMES.get(str(name).lower(), str(name).lower())
        if language_named(lower) is not None:
            return lower
    return DEFAULT_LANGUAGE


def _without_code(text: str, system: str) -> Task:
    if LOOKS_LIKE_CODE.match(text):
        return Continue(text, spoken_language(system), fenced=True, shown=len(text))
    spoken = spoken_language(text)
    return Describe(text, spoken if spoken != DEFAULT_LANGUAGE else spoken_language(system))


def _continued(text: str) -> Continue:
    """Continue an answer that the client has begun, inside its fence where one is open."""
    opened = re.findall(r"^```[ \t]*([\w+#.-]*)[^\n]*\n", text, re.MULTILINE)
    if len(opened) % 2 == 0:
        return Continue(text, DEFAULT_LANGUAGE, fenced=False)
    tag = opened[-1].lower()
    code = text[text.rindex("```") :].partition("\n")[2]
    return Continue(code, FENCE_NAMES.get(tag, tag) or DEFAULT_LANGUAGE, fenced=False)


def _selected(found: re.Match[str], instruction: str) -> Rewrite:
    prefix, selection, suffix = found["prefix"], found["selection"], found["suffix"]
    start = len(prefix)
    words = instruction.removeprefix("INSTRUCTION:").strip()
    text = f"{prefix}{selection}\n{suffix}"
    return Rewrite(text, start, start + len(selection), words, DEFAULT_LANGUAGE, fenced=False)
