"""A conversation as a prompt: its turns in the vocabulary's own form, and the answer begun."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from coder.api.completion import Turn
from coder.diffusion.events import FinishReason
from coder.editing.instructions import FENCE
from coder.errors import InputError
from coder.model.checkpoint.config import ModelConfig
from coder.model.checkpoint.tokens import Tokenizer, conversation
from coder.postprocess.repeats import before_loop

MOST_TOKENS = 4096
"""Of the turns that the model is shown."""

UNFINISHED_FENCE = re.compile(r"\n[ \t]*`*\Z")
"""The end of a text that may become a closing fence."""


def conversation_prompt(
    config: ModelConfig, tokenizer: Tokenizer, turns: Sequence[Turn], begun: str, room: int
) -> list[int]:
    """Return the tokens of a conversation up to where the answer goes on, which is `begun`.

    The oldest turns are left out where all are too long, but never the system's and the last one.

    Args:
        room: most tokens that the model has for them.

    Raises:
        InputError: the checkpoint does not follow instructions.
    """
    if not config.abilities.instructions:
        raise InputError(
            "the checkpoint follows no instructions (its config.json says so); ask it to complete code, or name one "
            "that does"
        )
    shown = list(turns)
    while True:
        tokens = conversation(tokenizer, [(turn.role, turn.text) for turn in shown], begun)
        oldest = next((index for index, turn in enumerate(shown[:-1]) if turn.role != "system"), None)
        if oldest is None or len(tokens) <= min(room, MOST_TOKENS):
            return tokens
        del shown[oldest]


def open_fence(begun: str) -> str:
    """Return the fence of the code block that an answer begins inside of; nothing where it does not."""
    fence = ""
    for found in FENCE.findall(begun):
        if not fence:
            fence = found
        elif len(found) >= len(fence):
            fence = ""
    return fence


def inside_fence(text: str, fence: str) -> str:
    """Return the text of an answer in a code block, up to where that is closed."""
    return re.split(rf"(?:^|\n)[ \t]*{fence}", text, maxsplit=1)[0]


def reason_to_stop(text: str, answer: Callable[[str], str], turns: Sequence[Turn]) -> FinishReason | None:
    """Return the reason to write nothing more behind a text: it is more than the answer, or repeats itself, and not
    what was said."""
    if answer(text) != text:
        return "end"
    return "loop" if without_loop(text, turns) != text else None


def without_loop(text: str, turns: Sequence[Turn]) -> str:
    """Return an answer up to where it repeats itself; it may copy what repeats itself in the conversation."""
    return before_loop(text, shown="\n".join(turn.text for turn in turns))


def surely_inside_fence(text: str, fence: str) -> str:
    """Return what of an unfinished text is in the code block whatever is written next."""
    return UNFINISHED_FENCE.sub("", inside_fence(text, fence))
