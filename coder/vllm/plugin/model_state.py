"""The state of the requests of one worker: which of them attend causally in a pass, and their canvases."""

# pyright: reportMissingImports=false

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from vllm.config import VllmConfig
from vllm.config.compilation import CUDAGraphMode
from vllm.v1.core.sched.output import NewRequestData
from vllm.v1.kv_cache_interface import KVCacheConfig
from vllm.v1.worker.gpu.attn_utils import build_attn_metadata
from vllm.v1.worker.gpu.input_batch import InputBatch
from vllm.v1.worker.gpu.model_states.interface import ModelState
from vllm.v1.worker.gpu.states import RequestState
from vllm.v1.worker.utils import AttentionGroup

from coder.model.checkpoint.config import Ending
from coder.vllm.plugin.canvases import Canvases, ControlIds
from coder.vllm.plugin.decoding import parse_decoding
from coder.vllm.plugin.sampler import CanvasSampler


class BlockDiffusionState(ModelState):
    """Every request reads its context causally, then alternates between denoising and committing a canvas."""

    num_new_sampled_tokens_per_step = 0

    def __init__(self, vllm_config: VllmConfig, model: nn.Module, encoder_cache: Any, device: torch.device) -> None:
        super().__init__(vllm_config, model, encoder_cache, device)
        settings = vllm_config.model_config.hf_config
        diffusion = vllm_config.diffusion_config
        assert diffusion is not None
        control = ControlIds(
            settings.mask_token_id, settings.quickfill["end_token"], tuple(settings.quickfill["forbidden_tokens"])
        )
        ending = Ending(**settings.quickfill.get("ending", {}))
        self.canvases = Canvases(self.max_num_reqs, diffusion.canvas_length - 1, control, device, ending)
        # int32, and the same memory in every pass: CUDA graphs are captured with its address.
        self._causal = torch.zeros(self.max_num_reqs, dtype=torch.int32, device=device)

    def get_supported_generation_tasks(self) -> tuple[Any, ...]:
        return ("generate",)

    def custom_sampler(self, sampler: Any) -> tuple[CanvasSampler, None]:
        return CanvasSampler(self.canvases, sampler.req_states), None

    def add_request(self, req_index: int, new_req_data: NewRequestData) -> None:
        parameters = new_req_data.sampling_params
        decoding = parse_decoding(parameters.extra_args if parameters else None, self.canvases.slots)
        # A request that was preempted comes back with its output so far.
        before = len(new_req_data.prefill_token_ids or ()) - len(new_req_data.prompt_token_ids or ())
        wanted = parameters.max_tokens if parameters and parameters.max_tokens else self.max_model_len
        self.canvases.add(req_index, decoding, max(1, wanted - before), before)

    def prepare_inputs_embeds(
        self, scheduled_encoder_inputs: dict[str, list[int]], input_batch: InputBatch, req_states: RequestState
    ) -> None:
        return None

    def prepare_inputs(self, input_batch: InputBatch, req_states: RequestState) -> dict[str, Any]:
        return {}

    def prepare_dummy_inputs(self, num_reqs: int, num_tokens: int) -> dict[str, Any]:
        return {}

    def prepare_attn(
        self,
        input_batch: InputBatch,
        cudagraph_mode: CUDAGraphMode,
        block_tables: tuple[torch.Tensor, ...],
        slot_mappings: torch.Tensor,
        attn_groups: list[list[AttentionGroup]],
        kv_cache_config: KVCacheConfig,
        for_capture: bool = False,
        ubatch_idx: int = 0,
    ) -> dict[str, Any]:
        padded = cudagraph_mode == CUDAGraphMode.FULL
        requests = input_batch.num_reqs_after_padding if padded else input_batch.num_reqs
        tokens = input_batch.num_tokens_after_padding if padded else input_batch.num_tokens
        self._causal.zero_()
        self._causal[: input_batch.num_reqs] = self.canvases.committing[input_batch.idx_mapping[: input_batch.num_reqs]]
        return build_attn_metadata(
            attn_groups=attn_groups,
            num_reqs=requests,
            num_tokens=tokens,
            query_start_loc_gpu=input_batch.query_start_loc[: requests + 1],
            query_start_loc_cpu=torch.from_numpy(input_batch.query_start_loc_np[: requests + 1]),
            max_query_len=int(input_batch.num_scheduled_tokens.max()),
            seq_lens=input_batch.seq_lens,
            max_seq_len=self.max_model_len,
            block_tables=block_tables,
            slot_mappings=slot_mappings,
            kv_cache_config=kv_cache_config,
            causal=self._causal[:requests],
        )
