"""Checkpoints of `quickfill convert --to vllm` in vLLM with this project's plugin, asked what the engine is asked."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from coder.api.completion import CompletionRequest, Decoding, Where
from coder.errors import InputError
from coder.generation.prompting import Prompt, Prompting
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.checkpoint.tokens import whole_characters
from evals.backends.backend import AnswerRequest, Identity, ModelAnswer, refuse
from evals.backends.engine_backend import FILE_NAME, line_break
from evals.backends.vllm_backend import VllmSettings, load_vllm, vllm_identity
from evals.task import Infill


class VllmDiffusionBackend:
    """Holes to a model in this process, in the engine's own prompts and token ids: with the same weights and policy the
    answers are the engine's. The seconds of a batch are shared out equally among its answers."""

    def __init__(self, settings: VllmSettings) -> None:
        """Raises CheckpointError, InputError, MissingDependencyError."""
        if settings.layout:
            raise InputError(
                f"layout={settings.layout}: with a policy the prompts are this project's own; leave it out"
            )
        checkpoint = open_checkpoint(settings.model)
        self._settings = settings
        self._config, self._tokenizer = checkpoint.config, checkpoint.tokenizer
        self._prompting = Prompting(checkpoint.config, checkpoint.tokenizer)
        self._model, self._sampling = load_vllm(settings)

    @property
    def batch_size(self) -> int:
        return self._settings.batch

    @property
    def identity(self) -> Identity:
        canvas = f", canvas {self._settings.canvas}" if self._settings.canvas else ""
        decoding = f": {self._settings.policy}{canvas}"
        return vllm_identity(self._settings, decoding, {"whole lines": "line break given"})

    def answer(self, asks: Sequence[AnswerRequest]) -> Iterator[ModelAnswer]:
        """Raises InputError for what is no hole, and for a temperature."""
        start = time.monotonic()
        prompts = [self._prompt(ask) for ask in asks]
        settings = [self._settings_of(ask, len(prompt.tokens)) for ask, prompt in zip(asks, prompts, strict=True)]
        outputs = self._model.generate([{"prompt_token_ids": one.tokens} for one in prompts], settings, use_tqdm=False)
        seconds = (time.monotonic() - start) / max(1, len(asks))
        end = self._config.control.fim_end
        for ask, prompt, output in zip(asks, prompts, outputs, strict=True):
            written = output.outputs[0]
            tokens = [token for token in written.token_ids if token != end]
            text = prompt.around.without_line_break(whole_characters(tokens, self._tokenizer)) + line_break(ask)
            reason = "length" if written.finish_reason == "length" else "end"
            yield ModelAnswer(text, reason, seconds, len(tokens))

    def close(self) -> None:
        """The model goes with this object."""

    def _prompt(self, ask: AnswerRequest) -> Prompt:
        if not isinstance(ask.question, Infill):
            raise refuse(ask.question, self.identity.label)
        request = CompletionRequest(
            ask.question.prefix,
            line_break(ask) + ask.question.suffix,
            replace_brackets=False,
            where=Where(path=FILE_NAME if ask.task.language == "python" else None, language=ask.task.language),
            decoding=Decoding(max_tokens=ask.decoding.max_tokens),
        )
        return self._prompting.prompt(request)

    def _settings_of(self, ask: AnswerRequest, prompt_tokens: int) -> Any:
        """vLLM's sampling parameters."""
        if ask.decoding.temperature:
            raise InputError("vLLM decodes diffusion models greedily: leave the temperature at 0")
        canvas = {"canvas": self._settings.canvas} if self._settings.canvas else {}
        return self._sampling(
            max_tokens=min(ask.decoding.max_tokens, self._config.max_positions - prompt_tokens),
            detokenize=False,
            extra_args={"policy": self._settings.policy, **canvas},
        )
