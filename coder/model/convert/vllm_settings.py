"""Additions to a checkpoint's files, so that vLLM with this project's plugin serves it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coder.errors import CheckpointError
from coder.model.checkpoint.config import VLLM_ARCHITECTURE, ControlTokens
from coder.model.checkpoint.tokens import CONTROL_TEXTS

USUAL_CANVAS = 16
"""Slots; `vllm serve --hf-overrides '{"canvas_length": 33}'` makes room for canvases of 32."""


def vllm_settings(settings: Mapping[str, Any], control: ControlTokens, block_sizes: tuple[int, ...]) -> dict[str, Any]:
    """`config.json` for vLLM: its names for the canvas, which has the anchor in it, and the ids that end or never do.

    Raises CheckpointError for a checkpoint that was never adapted to a canvas.
    """
    ours = settings["quickfill"]
    if ours.get("adapted", True) is False:
        raise CheckpointError("this checkpoint never saw a canvas: vLLM serves it as the Llama it is, without a plugin")
    slots = max((size for size in block_sizes if size <= USUAL_CANVAS), default=min(block_sizes))
    return {
        **settings,
        "architectures": [VLLM_ARCHITECTURE],
        "canvas_length": slots + 1,
        "mask_token_id": control.mask,
        "eos_token_id": control.fim_end,
        "quickfill": {**ours, "end_token": control.fim_end, "forbidden_tokens": control.forbidden((control.fim_end,))},
    }


def end_generation_with_the_middle(folder: Path, control: ControlTokens) -> None:
    """Make `<|fim_end|>` what vLLM stops at, in a folder that holds a written checkpoint."""
    _write(folder / "generation_config.json", {"eos_token_id": control.fim_end})
    file = folder / "tokenizer_config.json"
    _write(file, {**json.loads(file.read_text(encoding="utf-8")), "eos_token": CONTROL_TEXTS["fim_end"]})


def _write(file: Path, settings: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
