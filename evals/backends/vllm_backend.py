"""Causal language models by vLLM, a batch at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from coder.errors import MissingDependencyError
from evals.backends.backend import Answer, Ask, Identity
from evals.backends.fill_in_the_middle import cut_at_end, find_layout, prompt_of


@dataclass(frozen=True)
class VllmSettings:
    """`model` is a folder or a hub id; `layout` as in `fill_in_the_middle`; `batch` questions are asked at once."""

    model: str
    layout: str = "none"
    batch: int = 64
    dtype: str = "auto"


class VllmBackend:
    """Questions to a model in this process. The seconds of a batch are shared out equally among its answers."""

    def __init__(self, settings: VllmSettings) -> None:
        """Raises InputError, MissingDependencyError."""
        try:
            from vllm import LLM, SamplingParams  # pyright: ignore[reportMissingImports]
        except ModuleNotFoundError as error:
            raise MissingDependencyError('this backend needs vLLM: pip install "quickfill[vllm]"') from error
        self._settings = settings
        self._layout = find_layout(settings.layout)
        self._sampling: Any = SamplingParams
        self._model: Any = LLM(settings.model, dtype=settings.dtype)

    @property
    def batch_size(self) -> int:
        return self._settings.batch

    @property
    def identity(self) -> Identity:
        settings = self._settings
        return Identity(
            label=settings.model.rstrip("/").rpartition("/")[2],
            settings={"backend": "vllm", "layout": settings.layout, "dtype": settings.dtype, "batch": settings.batch},
            versions={"vllm": metadata.version("vllm")},
            model=settings.model,
        )

    def answer(self, asks: Sequence[Ask]) -> Iterator[Answer]:
        start = time.monotonic()
        ends = self._layout.ends if self._layout else ()
        prompts = [prompt_of(ask.question, self._layout, self._settings.model) for ask in asks]
        settings = [
            self._sampling(
                max_tokens=ask.decoding.max_tokens,
                temperature=ask.decoding.temperature,
                top_p=ask.decoding.top_p,
                seed=ask.seed,
                stop=[*ends, *ask.stops],
            )
            for ask in asks
        ]
        outputs = self._model.generate(prompts, settings, use_tqdm=False)
        seconds = (time.monotonic() - start) / max(1, len(asks))
        for output in outputs:
            written = output.outputs[0]
            yield Answer(
                text=cut_at_end(written.text, ends),
                finish_reason=str(written.finish_reason),
                seconds=seconds,
                tokens=len(written.token_ids),
                passes=len(written.token_ids),
            )

    def close(self) -> None:
        """The model goes with this object."""
