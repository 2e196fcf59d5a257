"""Additions to a checkpoint's files, so that vLLM with this project's plugin serves it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coder.errors import CheckpointError
from coder.model.checkpoint.architectures import LLAMA
from coder.model.checkpoint.config import VLLM_ARCHITECTURE, ModelConfig
from coder.model.checkpoint.tokens import Tokenizer

USUAL_CANVAS = 16
"""Slots; `vllm serve --hf-overrides '{"canvas_length": 33}'` makes room for canvases of 32."""


def vllm_settings(settings: Mapping[str, Any], config: ModelConfig) -> dict[str, Any]:
    """`config.json` for vLLM: its names for the canvas, which has the anchor in it, and the ids that end or never do.

    Raises CheckpointError for a checkpoint that was never adapted to a canvas, or of layers that the plugin lacks.
    """
    ours, control = settings["quickfill"], config.control
    if config.layers.norm != LLAMA.norm or config.layers.feed_forward != LLAMA.feed_forward:
        raise CheckpointError(f"{settings['model_type']} checkpoints are not served by the plugin for vLLM; use ours")
    if ours.get("adapted", True) is False:
        raise CheckpointError("this checkpoint never saw a canvas: vLLM serves it as the Llama it is, without a plugin")
    ours = {name: value for name, value in ours.items() if name != "local_width"}  # it has no local autoregression
    slots = max((size for size in config.block_sizes if size <= USUAL_CANVAS), default=min(config.block_sizes))
    return {
        **settings,
        # vLLM's Llama, which the plugin is made of, has other names for Qwen2's biases.
        "qkv_bias": config.layers.projection_bias,
        "architectures": [VLLM_ARCHITECTURE],
        "canvas_length": slots + 1,
        "mask_token_id": control.mask,
        "eos_token_id": control.fim_end,
        "quickfill": {**ours, "end_token": control.fim_end, "forbidden_tokens": control.forbidden((control.fim_end,))},
    }


def end_generation_with_the_middle(folder: Path, tokenizer: Tokenizer) -> None:
    """Make the end of a middle what vLLM stops at, in a folder that holds a written checkpoint."""
    end = tokenizer.control.fim_end
    _write(folder / "generation_config.json", {"eos_token_id": end})
    file = folder / "tokenizer_config.json"
    _write(file, {**json.loads(file.read_text(encoding="utf-8")), "eos_token": tokenizer.special_text(end)})


def _write(file: Path, settings: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
