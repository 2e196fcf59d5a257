"""Held-out holes, filled with what training made: through the engine, as a user asks, so that everything counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coder.api.completion import Decoding, Mode
from coder.api.stopping import MISPLACED, Stopping, stopping_of
from coder.errors import InputError

if TYPE_CHECKING:
    from coder.engine.engine import Engine


@dataclass(frozen=True)
class Method:
    """A way to decode: a policy as the engine takes it, and a canvas size or None for its default."""

    policy: str
    canvas_size: int | None = None

    @property
    def name(self) -> str:
        return self.policy.partition(":")[0]


METHODS = (Method("autoregressive"), Method("threshold:0.9", 8))
"""Both ways of decoding."""


@dataclass(frozen=True)
class Hole:
    """A held-out hole with its right answer."""

    prefix: str
    middle: str
    suffix: str


@dataclass(frozen=True)
class InfillingAnswer:
    """The text that was written into a hole.

    Attributes:
        tokens: the end token counted.
        canvas_passes, commit_passes: after the prefill.
        ended: whether it ended by itself.
    """

    hole: Hole
    method: Method
    text: str
    tokens: int
    canvas_passes: int
    commit_passes: int
    ended: bool

    @property
    def exact(self) -> bool:
        """Return whether the answer is the text that stood there, and ends there; spaces at its end aside."""
        return self.ended and self.text.rstrip() == self.hole.middle.rstrip()

    @property
    def stopping(self) -> Stopping:
        """Return where it stops beside the text that stood there."""
        return stopping_of(self.text, self.hole.middle, self.ended)

    @property
    def first_line(self) -> bool:
        """Return whether at least the answer's first line is right."""
        return self.text.split("\n")[0].rstrip() == self.hole.middle.split("\n")[0].rstrip()


def read_holes(file: Path, count: int | None = None) -> list[Hole]:
    """Return the first `count` holes of a file: JSON lines with `prefix`, `middle`, `suffix`. Raises InputError."""
    try:
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        parsed = [json.loads(line) for line in lines[:count]]
        return [Hole(hole["prefix"], hole["middle"], hole.get("suffix", "")) for hole in parsed]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{file} should hold a hole a line, as JSON with prefix, middle, suffix ({error!r})"
        ) from error


def fill_holes(model: str, holes: Sequence[Hole], max_tokens: int) -> list[InfillingAnswer]:
    """Fill every hole by `METHODS` with a model, named as the engine takes it.

    Raises ImportError where what the engine needs is not installed.
    """
    from coder.engine.engine import Engine

    engine = Engine.load(model)
    try:
        return fill_with(engine, holes, max_tokens, METHODS)
    finally:
        engine.close()


def fill_with(
    engine: Engine, holes: Sequence[Hole], max_tokens: int, methods: Sequence[Method], expected: Mode | None = None
) -> list[InfillingAnswer]:
    """Fill every hole by every method; `expected` says that all of them are lines, or blocks."""
    from coder.api.completion import CompletionRequest

    answers = []
    for method in methods:
        requests = [
            CompletionRequest(
                hole.prefix,
                hole.suffix,
                replace_brackets=False,
                expected=expected,
                decoding=Decoding(policy=method.policy, canvas_size=method.canvas_size, max_tokens=max_tokens),
            )
            for hole in holes
        ]
        for hole, done in zip(holes, engine.complete_many(requests), strict=True):
            spent = done.statistics
            ended = done.finish_reason == "end"
            # The end token costs a pass like any other.
            tokens = spent.tokens + ended
            answers.append(
                InfillingAnswer(hole, method, done.text, tokens, spent.canvas_passes, spent.commit_passes, ended)
            )
    return answers


def figures_of(answers: Sequence[InfillingAnswer]) -> dict[str, float]:
    """Return by the name of the method the shares of `exact` answers, of right `first_line`s and of answers that are
    `empty`, `too_short` and `too_long`, and tokens a pass."""
    figures = {}
    for method in dict.fromkeys(answer.method for answer in answers):
        own = [answer for answer in answers if answer.method == method]
        passes = sum(answer.canvas_passes + answer.commit_passes for answer in own)
        figures |= {
            f"{method.name}_exact": sum(answer.exact for answer in own) / len(own),
            f"{method.name}_first_line": sum(answer.first_line for answer in own) / len(own),
            **{f"{method.name}_{name}": value for name, value in stopping_shares(own).items()},
            f"{method.name}_tokens_per_pass": sum(answer.tokens for answer in own) / max(1, passes),
        }
    return figures


def stopping_shares(answers: Sequence[InfillingAnswer]) -> dict[str, float]:
    """Return the shares of answers that stop in a wrong place, by how."""
    return {
        name.replace(" ", "_"): sum(answer.stopping == name for answer in answers) / len(answers) for name in MISPLACED
    }
