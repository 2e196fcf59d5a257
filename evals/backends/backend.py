"""The interface of a backend: questions in, answers out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from coder.errors import InputError
from evals.task import Question, Task


@dataclass(frozen=True)
class SamplingSettings:
    """Settings for drawing answers, the same for every backend.

    Attributes:
        temperature: 0 is greedy.
        seed: of the run; each task and sample has its own, derived from it.
    """

    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class AnswerRequest:
    """One answer that is wanted.

    Attributes:
        stops: where the benchmark cuts an answer; a backend may stop there, it need not.
        seed: of this task and sample.
    """

    task: Task
    sample: int
    decoding: SamplingSettings
    stops: tuple[str, ...] = ()

    @property
    def question(self) -> Question:
        return self.task.question

    @property
    def seed(self) -> int:
        """The seed of this task and sample alone: it does not matter which others were asked before."""
        text = f"{self.decoding.seed}/{self.task.task_id}/{self.sample}"
        return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:4], "big") >> 1


@dataclass(frozen=True)
class ModelAnswer:
    """A text that a model wrote, and its cost.

    Attributes:
        text: belongs between the question's prefix and suffix.
        finish_reason: as the backend names it: `end` or `stop`, `length`, ...
        tokens, passes: tokens written, and forward passes after the prefill; None where the backend does not tell.
        confidence: mean probability of the tokens when they were written; None likewise.
        seconds: wall-clock time from question to answer; None where nobody measured it.
    """

    text: str
    finish_reason: str
    seconds: float | None
    tokens: int | None = None
    passes: int | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class Identity:
    """The name, version and settings of a writer of answers.

    Attributes:
        label: short, different for each backend of a run; columns are named by it.
        settings: what decides its answers besides `SamplingSettings`.
        versions: of the software that ran it. model: a hash or a name of the weights.
    """

    label: str
    settings: dict[str, str | int | float | None] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    model: str = ""


class Backend(Protocol):
    """A model that answers questions."""

    @property
    def identity(self) -> Identity: ...

    @property
    def batch_size(self) -> int:
        """The number of questions that are best asked at once."""
        ...

    def answer(self, asks: Sequence[AnswerRequest]) -> Iterator[ModelAnswer]:
        """An answer for each, in their order. Raises InputError for a kind of question it does not know."""
        ...

    def close(self) -> None: ...


def refuse(question: Question, label: str) -> InputError:
    """The error for a kind of question that a backend does not know."""
    return InputError(f"{label} cannot answer questions of the kind {type(question).__name__}; name another backend")
