"""One example: a text with holes and its answers, a question and its answer, or lines that are to be edited."""

from __future__ import annotations

from dataclasses import dataclass

from coder.api.completion import Snippet
from data.pack.settings import ExampleKind


@dataclass(frozen=True)
class HoleExample:
    """A text in which something is to be written.

    Attributes:
        texts: before, between and behind the holes.
        answers: one for each hole.
        split: how many characters of the first text count as the prefix; the rest was written since, and is the
            beginning of the middle.
        prefix_tokens, suffix_tokens: so many of the first and of the last text are shown at most.
        takes_brackets: whether closing brackets that are alone behind the hole are written by the answer.
        path: of the file. snippets: of other files, shown before it. repository: its name, where these are.
    """

    kind: ExampleKind
    texts: tuple[str, ...]
    answers: tuple[str, ...]
    split: int
    prefix_tokens: int
    suffix_tokens: int
    takes_brackets: bool = False
    path: str = ""
    snippets: tuple[Snippet, ...] = ()
    repository: str = ""


@dataclass(frozen=True)
class ChatExample:
    """A question and an answer to it, whose beginning may be given.

    The answer is only a text to compare predictions on: what is learned there is the base's own prediction.
    """

    system: str
    question: str
    begun: str
    answer: str
    kind: ExampleKind = ExampleKind.CHAT


@dataclass(frozen=True)
class EditExample:
    """Lines of a file before some edits, now, and after what comes next. recent: these edits, the newest last."""

    path: str
    repository: str
    recent: tuple[Snippet, ...]
    original: str
    current: str
    updated: str
    kind: ExampleKind = ExampleKind.EDIT


Example = HoleExample | ChatExample | EditExample
