"""The plugin that lets vLLM serve block-diffusion checkpoints. Nothing else in the project imports vLLM.

`decoding` (what a request asks for), `unmasking` and `canvases` (the state of all requests and one step of it) are pure
PyTorch; `config`, `model`, `model_state`, `scheduler` and `sampler` tie them to vLLM's model runner V2.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

from coder.model.checkpoint.config import VLLM_ARCHITECTURE


def register() -> None:
    """Entry point of `vllm.general_plugins`: called in every process of vLLM, possibly several times."""
    from vllm.model_executor.models import ModelRegistry
    from vllm.model_executor.models.config import MODELS_CONFIG_MAP

    from coder.vllm.plugin.config import BlockDiffusionConfig

    if VLLM_ARCHITECTURE not in ModelRegistry.get_supported_archs():
        ModelRegistry.register_model(VLLM_ARCHITECTURE, f"{__name__}.model:{VLLM_ARCHITECTURE}")
    MODELS_CONFIG_MAP[VLLM_ARCHITECTURE] = BlockDiffusionConfig
