"""Configuration that vLLM needs before it loads a block-diffusion checkpoint."""

# pyright: reportMissingImports=false

from __future__ import annotations

from typing import TYPE_CHECKING

from vllm.config.diffusion import DiffusionConfig
from vllm.model_executor.models.config import VerifyAndUpdateConfig
from vllm.platforms import current_platform
from vllm.v1.attention.backends.registry import AttentionBackendEnum

if TYPE_CHECKING:
    from vllm.config import VllmConfig

SCHEDULER = "coder.vllm.plugin.scheduler.anchored_scheduler"
CHECKS = "coder.vllm.plugin.request_checks:RequestChecks"
NOT_BIDIRECTIONAL = (AttentionBackendEnum.FLASHINFER,)


class BlockDiffusionConfig(VerifyAndUpdateConfig):
    """Sets the canvas, the scheduler, and an attention that can be causal for one request and not for its neighbour."""

    @staticmethod
    def verify_and_update_config(vllm_config: VllmConfig) -> None:
        """Raises ValueError for an attention backend that cannot mix the two, and for a budget that no canvas fits."""
        if vllm_config.diffusion_config is None:
            canvas_length = vllm_config.model_config.hf_config.canvas_length
            vllm_config.diffusion_config = DiffusionConfig(canvas_length=canvas_length)
        attention = vllm_config.attention_config
        if attention.backend in NOT_BIDIRECTIONAL:
            raise ValueError(
                f"{attention.backend} cannot mix causal and bidirectional requests in a batch; leave out "
                "--attention-backend, or choose TRITON_ATTN"
            )
        attention.use_non_causal = True
        if attention.backend is None and current_platform.is_cuda():
            attention.backend = AttentionBackendEnum.TRITON_ATTN
        scheduler = vllm_config.scheduler_config
        canvas_length = vllm_config.diffusion_config.canvas_length
        budgets = (scheduler.max_num_batched_tokens, scheduler.long_prefill_token_threshold or canvas_length)
        if min(budgets) < canvas_length:
            raise ValueError(
                f"a canvas takes {canvas_length} tokens of a pass: set --max-num-batched-tokens, and "
                "--long-prefill-token-threshold if at all, to at least that"
            )
        scheduler.scheduler_cls = SCHEDULER
        model = vllm_config.model_config
        model.logits_processors = [*(model.logits_processors or ()), CHECKS]
