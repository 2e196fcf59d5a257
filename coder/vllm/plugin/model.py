"""The decoder in vLLM: a plain Llama, whose attention is causal or not as its requests' state says."""

# pyright: reportMissingImports=false

from __future__ import annotations

from vllm.model_executor.models.llama import LlamaForCausalLM

from coder.vllm.plugin.model_state import BlockDiffusionState


class QuickfillForBlockDiffusion(LlamaForCausalLM):
    @staticmethod
    def get_model_state_cls() -> type[BlockDiffusionState]:
        return BlockDiffusionState
