"""Causal language models by Hugging Face `transformers`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from coder.installation import missing_extra
from evals.backends.backend import AnswerRequest, Identity, ModelAnswer
from evals.backends.fill_in_the_middle import cut_at_end, find_layout, prompt_of


@dataclass(frozen=True)
class TransformersSettings:
    """`model` is a folder or a hub id; `layout` as in `fill_in_the_middle`; `device` as torch names it."""

    model: str
    layout: str = "none"
    device: str = "cpu"
    dtype: str = "float32"
    revision: str = "main"


class TransformersBackend:
    """Questions to a model in this process, one at a time, so that no padding changes an answer."""

    batch_size = 1

    def __init__(self, settings: TransformersSettings) -> None:
        """Raises InputError, MissingDependencyError. Code that comes with a model is not run."""
        try:
            import torch
            import transformers
        except ModuleNotFoundError as error:
            raise missing_extra("this backend needs transformers and PyTorch", "train") from error
        self._torch: Any = torch
        self._settings = settings
        self._layout = find_layout(settings.layout)
        self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(settings.model, revision=settings.revision)
        model: Any = transformers.AutoModelForCausalLM.from_pretrained(
            settings.model, revision=settings.revision, dtype=getattr(torch, settings.dtype), use_safetensors=True
        )
        self._model: Any = model.to(settings.device).eval()

    @property
    def identity(self) -> Identity:
        settings = self._settings
        return Identity(
            label=settings.model.rstrip("/").rpartition("/")[2],
            settings={
                "backend": "transformers",
                "layout": settings.layout,
                "device": settings.device,
                "dtype": settings.dtype,
            },
            versions={name: metadata.version(name) for name in ("transformers", "torch")},
            model=f"{settings.model}@{settings.revision}",
        )

    def answer(self, asks: Sequence[AnswerRequest]) -> Iterator[ModelAnswer]:
        for ask in asks:
            yield self._ask(ask)

    def close(self) -> None:
        """The model goes with this object."""

    def _ask(self, ask: AnswerRequest) -> ModelAnswer:
        start, torch, decoding = time.monotonic(), self._torch, ask.decoding
        prompt = prompt_of(ask.question, self._layout, self._settings.model)
        inputs = self._tokenizer(prompt, return_tensors="pt", return_token_type_ids=False).to(self._settings.device)
        sampling: dict[str, Any] = {"do_sample": False}
        if decoding.temperature:
            torch.manual_seed(ask.seed)
            sampling = {"do_sample": True, "temperature": decoding.temperature, "top_p": decoding.top_p, "top_k": 0}
        ends = self._layout.ends if self._layout else ()
        with torch.inference_mode():
            output = self._model.generate(
                **inputs,
                max_new_tokens=decoding.max_tokens,
                pad_token_id=self._tokenizer.eos_token_id,
                stop_strings=[*ends, *ask.stops] or None,
                tokenizer=self._tokenizer,
                **sampling,
            )
        written = output[0, inputs["input_ids"].shape[1] :].tolist()
        ended = bool(written) and written[-1] == self._tokenizer.eos_token_id
        text = self._tokenizer.decode(
            written[:-1] if ended else written, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return ModelAnswer(
            text=cut_at_end(text, ends),
            finish_reason="length" if len(written) == decoding.max_tokens and not ended else "stop",
            seconds=time.monotonic() - start,
            tokens=len(written) - ended,
            passes=len(written),
        )
