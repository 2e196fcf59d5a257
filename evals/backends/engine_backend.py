"""This project's engine: any decoding policy, each kind of question through its own door."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from coder.api.completion import Completion, CompletionRequest, Decoding, Where
from coder.api.text_requests import Edited, EditRequest, FillRequest, RepairRequest
from coder.diffusion.policies import policy_of
from coder.editing.instructions import completing
from coder.engine.engine import Engine, RuntimeName
from coder.errors import InputError
from coder.model.checkpoint.files import sha256_of_file
from evals.backends.backend import AnswerRequest, Identity, ModelAnswer, refuse
from evals.task import Broken, Holes, Infill, InstructedRegion

PREDICTED, ORACLE, FIXED = "predicted", "oracle", "fixed"

FILE_NAME = "solution.py"
"""The file name of a text that has none: it tells the language."""


@dataclass(frozen=True)
class EngineSettings:
    """The engine's model and decoding.

    Attributes:
        policy, canvas: as in `CompletionRequest`.
        length: `predicted` by the model; `oracle`: the model is told how many tokens the canonical answer has;
            `fixed:N`: it writes N tokens whatever the task. Canvas policies only.
        batch: questions answered together.
        instructed: code that is to be gone on with is asked for in words, of a model that follows instructions.
    """

    model: str = "embedded"
    policy: str = "auto"
    canvas: int | None = None
    length: str = PREDICTED
    runtime: RuntimeName = "auto"
    threads: int | None = None
    batch: int = 1
    instructed: bool = False

    @property
    def label(self) -> str:
        canvas = "" if self.canvas is None else f", canvas {self.canvas}"
        length = "" if self.length == PREDICTED else f", {self.length} length"
        model = "" if self.model == "embedded" else f"{self.model}: "
        return f"{model}{self.policy}{canvas}{length}{', by instruction' if self.instructed else ''}"


class EngineBackend:
    """Questions to an `Engine`.

    The engine ends a hole before a line break. So where a hole is whole lines, the line break behind it is given as
    the suffix's first character, and put back behind the answer.
    """

    def __init__(self, settings: EngineSettings, engine: Engine | None = None) -> None:
        """Load the engine, unless it is given.

        Raises:
            InputError: a policy or a length that does not exist. CheckpointError, MissingDependencyError.
        """
        policy_of(settings.policy)  # an unknown one is refused before the model is loaded
        self._settings = settings
        self._length = _parse_length(settings.length)
        self._engine = engine or Engine.load(settings.model, runtime=settings.runtime, threads=settings.threads)

    @property
    def batch_size(self) -> int:
        return self._settings.batch

    @property
    def identity(self) -> Identity:
        settings = self._settings
        return Identity(
            label=settings.label,
            settings={
                "backend": "engine",
                "policy": settings.policy,
                "canvas": settings.canvas,
                "length": settings.length,
                "batch": settings.batch,
                "instructed": settings.instructed,
                "whole lines": "line break given",
                **{f"runtime {name}": value for name, value in sorted(self._engine.description.items())},
            },
            versions={name: metadata.version(name) for name in ("numpy", "onnxruntime", "tokenizers")},
            model=_digest(self._engine.checkpoint.folder),
        )

    def answer(self, asks: Sequence[AnswerRequest]) -> Iterator[ModelAnswer]:
        if len(asks) > 1 and all(isinstance(ask.question, Infill) for ask in asks):
            requests = [self._infill(ask) for ask in asks]
            completions = self._engine.complete_many(requests, together=self.batch_size)
            yield from map(_of_completion, completions, asks)
            return
        for ask in asks:
            match ask.question:
                case Infill():
                    yield _of_completion(self._engine.complete(self._infill(ask)), ask)
                case Holes():
                    yield self._fill(ask)
                case InstructedRegion() if self._engine.config.abilities.rewrites:
                    yield self._rewrite(ask)
                case Broken():
                    yield self._repair(ask)
                case question:
                    raise refuse(question, self._settings.label)

    def close(self) -> None:
        self._engine.close()

    def _infill(self, ask: AnswerRequest) -> CompletionRequest:
        request = CompletionRequest(
            ask.question.prefix,
            line_break(ask) + ask.question.suffix,
            length=self._tokens_wanted(ask),
            replace_brackets=False,
            expected="line" if isinstance(ask.question, Infill) and ask.question.one_line else "block",
            where=Where(path=FILE_NAME if ask.task.language == "python" else None, language=ask.task.language),
            decoding=Decoding(
                policy=self._settings.policy,
                canvas_size=self._settings.canvas,
                max_tokens=ask.decoding.max_tokens,
                temperature=ask.decoding.temperature,
                top_p=ask.decoding.top_p,
                seed=ask.seed,
            ),
        )
        if not self._settings.instructed or ask.question.suffix:
            return request
        asked = completing(ask.question.prefix, ask.task.language)
        return replace(request, prefix=asked.begun, conversation=asked.conversation)

    def _tokens_wanted(self, ask: AnswerRequest) -> int | None:
        if self._length == ORACLE:
            return self._engine.count_tokens(ask.task.canonical.removesuffix(line_break(ask)))
        return None if self._length == PREDICTED else int(self._length)

    def _fill(self, ask: AnswerRequest) -> ModelAnswer:
        question, decoding = ask.question, ask.decoding
        assert isinstance(question, Holes)
        filled = self._engine.fill(
            FillRequest(
                question.texts,
                where=Where(path=FILE_NAME),
                decoding=Decoding(
                    policy=self._settings.policy,
                    canvas_size=self._settings.canvas,
                    max_tokens=decoding.max_tokens,
                    temperature=decoding.temperature,
                    top_p=decoding.top_p,
                    seed=ask.seed,
                ),
            )
        )
        middles = filled.middles
        return ModelAnswer(
            text=filled.text.removeprefix(question.prefix).removesuffix(question.suffix),
            finish_reason=next((m.finish_reason for m in middles if m.finish_reason != "end"), "end"),
            seconds=filled.seconds,
            tokens=sum(middle.tokens for middle in middles),
            passes=filled.passes,
            confidence=sum(middle.confidence for middle in middles) / len(middles),
        )

    def _repair(self, ask: AnswerRequest) -> ModelAnswer:
        question = ask.question
        assert isinstance(question, Broken)
        request = RepairRequest(
            question.text,
            question.start,
            question.end,
            where=Where(path=FILE_NAME),
            decoding=Decoding(policy=self._settings.policy),
        )
        return _of_edit(self._engine.repair(request), question)

    def _rewrite(self, ask: AnswerRequest) -> ModelAnswer:
        question = ask.question
        assert isinstance(question, InstructedRegion)
        request = EditRequest(
            question.text,
            question.start,
            question.end,
            question.instruction,
            where=Where(path=FILE_NAME),
            decoding=Decoding(policy=self._settings.policy, max_tokens=ask.decoding.max_tokens),
        )
        return _of_edit(self._engine.edit(request), question)


def _digest(folder: Path) -> str:
    """SHA-256 of a checkpoint's files."""
    total = hashlib.sha256()
    for file in (found for kind in ("json", "safetensors", "gguf") for found in sorted(folder.glob(f"*.{kind}"))):
        total.update(file.name.encode("utf-8"))
        total.update(bytes.fromhex(sha256_of_file(file)))
    return total.hexdigest()


def line_break(ask: AnswerRequest) -> str:
    """The end of a hole that the engine is not asked for."""
    return "\n" if isinstance(ask.question, Infill) and ask.question.whole_lines else ""


def _of_completion(completion: Completion, ask: AnswerRequest) -> ModelAnswer:
    return ModelAnswer(
        text=completion.text + line_break(ask),
        finish_reason=completion.finish_reason,
        seconds=completion.seconds,
        tokens=completion.tokens,
        passes=completion.passes,
        confidence=completion.confidence,
    )


def _of_edit(edited: Edited, question: Broken) -> ModelAnswer:
    return ModelAnswer(
        text=edited.text[question.start : len(edited.text) - len(question.suffix)],
        finish_reason="end",
        seconds=edited.seconds,
        passes=edited.passes,
    )


def _parse_length(text: str) -> str:
    """`predicted`, `oracle`, or the number in `fixed:N`. Raises InputError."""
    name, _, number = text.partition(":")
    if text in (PREDICTED, ORACLE):
        return text
    if name == FIXED and number.isdecimal() and int(number) > 0:
        return number
    raise InputError(f"there is no length {text!r}; write {PREDICTED}, {ORACLE} or {FIXED}:TOKENS")
