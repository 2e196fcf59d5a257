"""vLLM's sampler, replaced: from a pass's logits to the canvases of its requests, and to tokens where one commits."""

# pyright: reportMissingImports=false

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from vllm.v1.worker.gpu.input_batch import InputBatch
from vllm.v1.worker.gpu.sample.output import SamplerOutput
from vllm.v1.worker.gpu.states import RequestState

from coder.vllm.plugin.canvases import Canvases

Tensor = torch.Tensor


class CanvasSampler:
    """Called once a pass, for requests of which some compute their context and the others have a canvas.

    vLLM reads the next inputs of a request, anchor and slots, from its draft tokens, and takes a pass of which all is
    rejected for one that computed nothing. Greedy: sampling parameters of a request are not looked at.
    """

    penalties_state = SimpleNamespace(output_bin_counts=None)
    compute_nans = False

    def __init__(self, canvases: Canvases, request_states: RequestState) -> None:
        self._canvases = canvases
        self._states = request_states

    def add_request(self, req_idx: int, sampling_params: Any) -> None:
        """Nothing to do: the model state has added it."""

    def apply_staged_writes(self) -> None:
        """Nothing is staged."""

    def __call__(self, logits: Tensor, input_batch: InputBatch, draft_logits: Tensor | None = None) -> SamplerOutput:
        count, device = input_batch.num_reqs, logits.device
        rows = np.diff(input_batch.cu_num_logits_np[: count + 1])
        sampled = torch.zeros(count, 1 + self._canvases.slots, dtype=torch.int32, device=device)
        num_sampled = torch.zeros(count, dtype=torch.int32, device=device)
        num_rejected = torch.zeros(count, dtype=torch.int32, device=device)

        contexts = np.flatnonzero((rows == 0) & self._context_complete(input_batch))
        if len(contexts):
            self._start(input_batch, contexts)
            num_rejected[_moved(contexts, device)] = 1  # the anchor

        decoding = np.flatnonzero(rows > 0)
        if len(decoding):
            where = _moved(decoding, device)
            requests = input_batch.idx_mapping[where].long()
            widths = _moved(rows[decoding], device)
            spread = self._spread(logits, input_batch, decoding, widths)
            output, counts = self._canvases.advance(requests, spread, widths - 1, self._at_end(requests))
            sampled[where] = output.int()
            num_sampled[where] = counts.int()
            num_rejected[where] = (widths - counts).int()
            self._show(requests)
        return SamplerOutput(
            sampled_token_ids=sampled,
            logprobs_tensors=None,
            num_nans=None,
            num_sampled=num_sampled,
            num_rejected=num_rejected,
        )

    def _context_complete(self, batch: InputBatch) -> np.ndarray:
        """Return which requests of a batch have their whole context computed after this pass: bool [N]."""
        count = batch.num_reqs
        done = batch.num_computed_prefill_tokens_np[:count] + batch.num_scheduled_tokens[:count]
        return done >= batch.prefill_len_np[:count]

    def _at_end(self, requests: Tensor) -> Tensor:
        """Return which requests may have their canvas cut by vLLM for want of positions, one more canvas that may be
        under way counted: bool [N]."""
        computed = self._states.num_computed_tokens.gpu[requests]
        return computed + 2 * (1 + self._canvases.slots) >= self._states.max_model_len - 1

    def _start(self, batch: InputBatch, contexts: np.ndarray) -> None:
        """Begin the first canvas of requests whose context is complete."""
        requests = _moved(batch.idx_mapping_np[contexts], self._canvases.device)
        last = self._states.prefill_len.gpu[requests].long() - 1
        self._canvases.start(requests, self._states.all_token_ids.gpu[requests, last].long())
        self._show(requests)

    def _show(self, requests: Tensor) -> None:
        """Make anchor and slots the requests' next inputs."""
        tokens = self._canvases.tokens[requests]
        self._states.draft_tokens[requests, : tokens.shape[1]] = tokens

    def _spread(self, logits: Tensor, batch: InputBatch, decoding: np.ndarray, widths: Tensor) -> Tensor:
        """The rows of each request behind each other, float32 [N, 1 + S, vocabulary]; what a smaller canvas lacks is
        some other row, never looked at."""
        starts = _moved(batch.cu_num_logits_np[decoding], logits.device)
        rows = starts[:, None] + torch.arange(1 + self._canvases.slots, device=logits.device)
        return logits[rows.clamp(max=logits.shape[0] - 1)].float()


def _moved(values: np.ndarray, device: torch.device) -> Tensor:
    """As int64 on the device, without waiting for it."""
    tensor = torch.from_numpy(np.ascontiguousarray(values, np.int64))
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor
