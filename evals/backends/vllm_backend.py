"""Causal language models by vLLM, a batch at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from coder.installation import missing_extra
from evals.backends.backend import AnswerRequest, Identity, ModelAnswer
from evals.backends.fill_in_the_middle import NONE, cut_at_end, find_layout, prompt_of


@dataclass(frozen=True)
class VllmSettings:
    """The model that vLLM runs, and its settings.

    Attributes:
        model: a folder or a hub id. layout: as in `fill_in_the_middle`; `none` where nothing is said.
        batch: questions that are asked at once.
        cache_mib: memory for keys and values, in MiB; 0 for what vLLM takes by itself, most of the device's.
        eager: run the model as it is, without compiling it, which takes minutes on a processor.
        policy: how the plugin decodes a checkpoint of `quickfill convert --to vllm`; empty for any other model.
        canvas: slots at a time; 0 for the most.
    """

    model: str
    layout: str = ""
    batch: int = 64
    dtype: str = "auto"
    cache_mib: int = 0
    eager: bool = False
    policy: str = ""
    canvas: int = 0


class VllmBackend:
    """Questions to a model in this process. The seconds of a batch are shared out equally among its answers."""

    def __init__(self, settings: VllmSettings) -> None:
        """Raises InputError, MissingDependencyError."""
        self._settings = settings
        self._layout = find_layout(settings.layout or NONE)
        self._model, self._sampling = load_vllm(settings)

    @property
    def batch_size(self) -> int:
        return self._settings.batch

    @property
    def identity(self) -> Identity:
        return vllm_identity(self._settings)

    def answer(self, asks: Sequence[AnswerRequest]) -> Iterator[ModelAnswer]:
        start = time.monotonic()
        ends = self._layout.ends if self._layout else ()
        prompts = [prompt_of(ask.question, self._layout, self._settings.model) for ask in asks]
        settings = [self._settings_of(ask, [*ends, *ask.stops]) for ask in asks]
        outputs = self._model.generate(prompts, settings, use_tqdm=False)
        seconds = (time.monotonic() - start) / max(1, len(asks))
        for output in outputs:
            written = output.outputs[0]
            yield ModelAnswer(
                text=cut_at_end(written.text, ends),
                finish_reason=str(written.finish_reason),
                seconds=seconds,
                tokens=len(written.token_ids),
                passes=len(written.token_ids),
            )

    def _settings_of(self, ask: AnswerRequest, stops: list[str]) -> Any:
        """vLLM's sampling parameters."""
        decoding = ask.decoding
        return self._sampling(
            max_tokens=decoding.max_tokens,
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            seed=ask.seed,
            stop=stops,
        )

    def close(self) -> None:
        """The model goes with this object."""


def load_vllm(settings: VllmSettings) -> tuple[Any, Any]:
    """The model, and the type of vLLM's sampling parameters. Raises MissingDependencyError."""
    try:
        from vllm import LLM, SamplingParams  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError as error:
        raise missing_extra("this backend needs vLLM", "vllm") from error
    memory = {"kv_cache_memory_bytes": settings.cache_mib << 20} if settings.cache_mib else {}
    return LLM(settings.model, dtype=settings.dtype, enforce_eager=settings.eager, **memory), SamplingParams


def vllm_identity(settings: VllmSettings, decoding: str = "", further: Mapping[str, str] | None = None) -> Identity:
    """The identity of a model in vLLM. `decoding` stands behind the model's name."""
    import vllm  # pyright: ignore[reportMissingImports]

    return Identity(
        label=settings.model.rstrip("/").rpartition("/")[2] + decoding,
        settings={"backend": "vllm", **asdict(settings), **(further or {})},
        # Builds for processors are distributed under another name, so it is asked itself.
        versions={"vllm": vllm.__version__},
        model=settings.model,
    )
