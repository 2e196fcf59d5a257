"""GGUF models by llama.cpp (`llama-cpp-python`)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from coder.editing.instructions import completing
from coder.errors import InputError
from coder.installation import missing_extra
from coder.model.checkpoint.files import sha256_of_file
from evals.backends.backend import AnswerRequest, Identity, ModelAnswer
from evals.backends.fill_in_the_middle import cut_at_end, find_layout, prompt_of
from evals.task import Infill


@dataclass(frozen=True)
class LlamaCppSettings:
    """`model` is a GGUF file; `layout` as in `fill_in_the_middle`; `context` the most tokens of prompt and answer.
    `instructed`: code that is to be gone on with is asked for in words, in the file's own chat template."""

    model: str
    layout: str = "none"
    context: int = 4096
    threads: int | None = None
    instructed: bool = False


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
            settings={
                "backend": "llama-cpp",
                "layout": self._settings.layout,
                "context": self._settings.context,
                "instructed": self._settings.instructed,
            },
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
        if self._settings.instructed and isinstance(ask.question, Infill) and not ask.question.suffix:
            prompt, ends = self._instruction(ask), ("```",)
        else:
            prompt = prompt_of(ask.question, self._layout, self._settings.model)
        answer = self._model.create_completion(
            prompt,
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

    def _instruction(self, ask: AnswerRequest) -> str:
        """The question in the file's chat template, and the answer begun in a code block."""
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter  # pyright: ignore[reportMissingImports]

        template = self._model.metadata.get("tokenizer.chat_template")
        if template is None:
            raise InputError(f"{self._settings.model} has no chat template; leave out instructed=true")
        asked = completing(ask.question.prefix, ask.task.language)
        messages: Any = [{"role": turn.role, "content": turn.text} for turn in asked.conversation]
        formatter = Jinja2ChatFormatter(template, eos_token="", bos_token="")
        return formatter(messages=messages).prompt + asked.begun
