"""Typing sessions replayed: how long suggestions take, and what a user sees of them."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmarks.lsp_editor import LspEditor, shown
from benchmarks.typing_sessions import TypingSession

SECONDS_BETWEEN_KEYS = 0.14
"""The middle of a fast typist's intervals; they vary by a third."""


@dataclass(frozen=True)
class Answer:
    """An answer to a request that nobody asked for.

    Attributes:
        seconds: from the document's change to the answer.
        first: whether it was the first one in its document.
        new: whether no suggestion was on the screen that what was typed went on with, so that the model had to write.
    """

    seconds: float
    first: bool
    new: bool
    suggestion: str


async def replay_patiently(editor: LspEditor, session: TypingSession) -> list[Answer]:
    """Type a session, waiting for the answer behind every key."""
    editor.open(session.before, session.after)
    answers: list[Answer] = []
    ghost = ""
    for key in session.keystrokes():
        start = time.perf_counter()
        editor.type(key)
        suggestion = await editor.suggestion()
        ghost = ghost[len(key) :] if ghost.startswith(key) else ""
        answers.append(Answer(time.perf_counter() - start, not answers, not ghost, suggestion))
        ghost = suggestion
    editor.close()
    return answers


@dataclass
class Felt:
    """The suggestions that a user sees while typing at speed.

    Attributes:
        keystrokes: keys typed. with_suggestion: those before which a suggestion was in sight.
        shown: different suggestions that appeared. right: those whose first line is what was typed next.
        replaced: those that another one took the place of while they still fitted what was typed.
    """

    keystrokes: int = 0
    with_suggestion: int = 0
    shown: int = 0
    right: int = 0
    replaced: int = 0

    def add(self, other: Felt) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


async def replay_at_speed(editor: LspEditor, session: TypingSession, generator: random.Random) -> Felt:
    """Type a session as a person does, cancelling what has not come by the next key, as editors do."""
    felt, ghost, typed = Felt(), "", 0
    editor.open(session.before, session.after)
    for key in session.keystrokes():
        felt.keystrokes += 1
        felt.with_suggestion += bool(ghost)
        ghost = ghost[len(key) :] if ghost.startswith(key) else ""
        typed += len(key)
        editor.type(key)
        number, answer = editor.ask()
        pause = generator.lognormvariate(0.0, 0.35) * SECONDS_BETWEEN_KEYS
        done, _ = await asyncio.wait([answer], timeout=pause)
        if not done:
            editor.cancel(number)
            await asyncio.gather(answer, return_exceptions=True)
            continue
        await asyncio.sleep(pause / 2)
        text = shown(answer.result())
        if text and text != ghost:
            felt.replaced += bool(ghost)
            felt.shown += 1
            felt.right += is_right(text, session.typed[typed:])
        ghost = text
    editor.close()
    return felt


def is_right(suggestion: str, to_come: str) -> bool:
    """Whether the suggestion's first line that is not blank is what is typed next, to the end of the line."""
    return bool(suggestion.strip()) and _first_line(suggestion) == _first_line(to_come)


def _first_line(text: str) -> str:
    """Up to the end of the first line with anything in it; what stands before it counts too."""
    lines: list[str] = []
    for line in text.split("\n"):
        lines.append(line.rstrip())
        if line.strip():
            break
    return "\n".join(lines)


def percentile(values: Iterable[float], share: float) -> float:
    """The value that so large a share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def milliseconds(answers: Iterable[Answer]) -> Iterator[float]:
    return (1000.0 * answer.seconds for answer in answers)
