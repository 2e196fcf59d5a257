"""GGUF models by llama.cpp (`llama-cpp-python`)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from coder.errors import InputError
from coder.installation import missing_extra
from coder.model.checkpoint.files import sha256_of_file
from evals.backends.backend import AnswerRequest, Identity, ModelAnswer
from evals.backends.fill_in_the_middle import cut_at_end, find_layout, prompt_of


@dataclass(frozen=True)
class LlamaCppSettings:
    """`model` is a GGUF file; `layout` as in `fill_in_the_middle`; `context` the most tokens of prompt and answer."""

    model: str
    layout: str = "none"
    context: int = 4096
    threads: int | None = None


class LlamaCppBackend:
    """Questions to a model in this process."""

    batch_size = 1

    def __init__(self, settings: LlamaCppSettings) -> None:
        """Raises InputError for a file that is not there, MissingDependencyError."""
        try:
            from llama_cpp import Llama  # pyright: ignore[reportMissingImports]
        except ModuleNotFoundError as error:
            raise missing_extra("this backend needs llama-cpp-python", "llama-cpp") from error
        self._file = Path(settings.model)
        if not self._file.is_file():
            raise InputError(f"there is no file {settings.model}; llama.cpp reads GGUF files")
        self._settings = settings
        self._layout = find_layout(settings.layout)
        self._model: Any = Llama(
            settings.model, n_ctx=settings.context, n_threads=settings.threads, verbose=False, seed=0
        )

    @property
    def identity(self) -> Identity:
        return Identity(
            label=self._file.stem,
            settings={"backend": "llama-cpp", "layout": self._settings.layout, "context": self._settings.context},
            versions={"llama-cpp-python": metadata.version("llama-cpp-python")},
            model=sha256_of_file(self._file),
        )

    def answer(self, asks: Sequence[AnswerRequest]) -> Iterator[ModelAnswer]:
        for ask in asks:
            yield self._ask(ask)

    def close(self) -> None:
        self._model.close()

    def _ask(self, ask: AnswerRequest) -> ModelAnswer:
        start, decoding = time.monotonic(), ask.decoding
        ends = self._layout.ends if self._layout else ()
        answer = self._model.create_completion(
            prompt_of(ask.question, self._layout, self._settings.model),
            max_tokens=decoding.max_tokens,
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            seed=ask.seed,
            stop=[*ends, *ask.stops],
        )
        choice, tokens = answer["choices"][0], answer["usage"]["completion_tokens"]
        return ModelAnswer(
            text=cut_at_end(choice["text"], ends),
            finish_reason=str(choice["finish_reason"]),
            seconds=time.monotonic() - start,
            tokens=tokens,
            passes=tokens,
        )
