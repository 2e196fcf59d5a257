"""Causal language models, and block-diffusion ones with this project's plugin, by vLLM, a batch at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

from coder.errors import InputError, MissingDependencyError
from evals.backends.backend import Answer, Ask, Identity
from evals.backends.fill_in_the_middle import cut_at_end, find_layout, prompt_of


@dataclass(frozen=True)
class VllmSettings:
    """`model` is a folder or a hub id; `layout` as in `fill_in_the_middle`; `batch` questions are asked at once.

    `policy` (with `canvas` slots at a time, 0 for the most) says how the plugin decodes a checkpoint of
    `quickfill convert --to vllm`: greedily, and without a seed.
    """

    model: str
    layout: str = "none"
    batch: int = 64
    dtype: str = "auto"
    policy: str = ""
    canvas: int = 0


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
            settings={"backend": "vllm", **asdict(settings)},
            versions={"vllm": metadata.version("vllm")},
            model=settings.model,
        )

    def answer(self, asks: Sequence[Ask]) -> Iterator[Answer]:
        start = time.monotonic()
        ends = self._layout.ends if self._layout else ()
        prompts = [prompt_of(ask.question, self._layout, self._settings.model) for ask in asks]
        settings = [self._settings_of(ask, [*ends, *ask.stops]) for ask in asks]
        outputs = self._model.generate(prompts, settings, use_tqdm=False)
        seconds = (time.monotonic() - start) / max(1, len(asks))
        for output in outputs:
            written = output.outputs[0]
            yield Answer(
                text=cut_at_end(written.text, ends),
                finish_reason=str(written.finish_reason),
                seconds=seconds,
                tokens=len(written.token_ids),
                passes=None if self._settings.policy else len(written.token_ids),
            )

    def _settings_of(self, ask: Ask, stops: list[str]) -> Any:
        """vLLM's sampling parameters. Raises InputError."""
        decoding = ask.decoding
        if not self._settings.policy:
            return self._sampling(
                max_tokens=decoding.max_tokens,
                temperature=decoding.temperature,
                top_p=decoding.top_p,
                seed=ask.seed,
                stop=stops,
            )
        if decoding.temperature:
            raise InputError("vLLM decodes diffusion models greedily: leave the temperature at 0")
        canvas = {"canvas": self._settings.canvas} if self._settings.canvas else {}
        arguments = {"policy": self._settings.policy, **canvas}
        return self._sampling(max_tokens=decoding.max_tokens, stop=stops, extra_args=arguments)

    def close(self) -> None:
        """The model goes with this object."""
