"""Refuses a request whose arguments cannot be used when it comes: over HTTP, with status 400. In the worker, one
such request would end them all."""

# pyright: reportMissingImports=false

from __future__ import annotations

import torch
from vllm.sampling_params import SamplingParams
from vllm.v1.worker.gpu.sample.logits_processor.interface import LogitsContext, LogitsProcessor

from coder.errors import InputError
from coder.vllm.plugin.decoding import parse_decoding

ANY_CANVAS = 1
"""The canvas that is served is not known here; a request that names a larger one gets that."""


class RequestChecks(LogitsProcessor):
    """Checks of each request that vLLM takes in. vLLM asks its logits processors for them; this one processes no
    logits, since the sampler that would ask for that is replaced."""

    @classmethod
    def validate_params(cls, sampling_params: SamplingParams) -> None:
        """Raises ValueError, as vLLM wants it."""
        if sampling_params.logprobs is not None or sampling_params.prompt_logprobs is not None:
            # A pass over a context brings no token, and vLLM's engine ends where log-probabilities come without one.
            raise ValueError("log-probabilities are not given: a canvas has none for its tokens as they stand")
        try:
            parse_decoding(sampling_params.extra_args, ANY_CANVAS)
        except InputError as error:
            raise ValueError(str(error)) from error

    def apply(self, logits: torch.Tensor, ctx: LogitsContext) -> torch.Tensor:
        return logits
