"""The file that training makes: low-rank changes, the mask's embedding, the local autoregression.

Safetensors: `NAME.lora_A` [rank, in] and `NAME.lora_B` [out, rank] for each changed matrix, by its name in a checkpoint
(`model.layers.0.mlp.down_proj.weight`), `mask_embedding` [hidden] and `local.W1`, `local.b1`, `local.W2`; and metadata:
`format`, `scale`, `rank`, and `base`, the fingerprint of the weights that it belongs to. In int8 each matrix comes with
the factors of its rows, `NAME_scale` [rows].
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from coder.errors import CheckpointError
from coder.model.checkpoint.adapter import FORMAT, SCALE
from coder.train.local_autoregression import PREFIX, TrainedLocalAutoregression
from coder.train.objective import TwoStreamModel

Tensor = torch.Tensor

MASK = "mask_embedding"
MODEL = "model."
"""Before the names of a model's own parameters in the state of a `TwoStreamModel`."""
LORA, WEIGHT = ".lora_", ".weight"
UNUSED = ("local.g",)
"""Tensors in the files of the first adapters that nothing reads."""


def adapter_tensors(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of an adapter's file, float32, from the state of a `TwoStreamModel`."""
    own = {
        name.removeprefix(MODEL).replace(LORA, f"{WEIGHT}{LORA}"): value
        for name, value in state.items()
        if LORA in name
    }
    own |= {name: value for name, value in state.items() if name == MASK or name.startswith(PREFIX)}
    return {name: value.detach().float().cpu().contiguous() for name, value in own.items()}


def write_adapter(
    file: Path, tensors: Mapping[str, Tensor], rank: int, scale: float, base: str, dtype: torch.dtype = torch.float32
) -> None:
    """Write an adapter, whole or not at all; the mask's embedding stays float32, and in int8 all that is no matrix."""
    stored: dict[str, Tensor] = {}
    for name, value in tensors.items():
        if dtype == torch.int8 and value.dim() == 2:
            stored[name], stored[f"{name}{SCALE}"] = _in_int8(value)
        else:
            stored[name] = value if name == MASK or dtype == torch.int8 else value.to(dtype)
    metadata = {"format": FORMAT, "scale": repr(scale), "rank": str(rank), "base": base}
    unfinished = file.with_name(f".{file.name}")
    safetensors.torch.save_file(stored, unfinished, metadata)
    unfinished.replace(file)


def read_adapter(file: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Return an adapter's metadata and tensors. Raises CheckpointError."""
    try:
        with safetensors.safe_open(file, "pt") as opened:
            stored = {name: opened.get_tensor(name) for name in opened.keys() if name not in UNUSED}  # noqa: SIM118
            metadata = opened.metadata() or {}
    except (OSError, safetensors.SafetensorError) as error:
        raise CheckpointError(f"{file} cannot be read as an adapter: {error}") from error
    scales = {name: stored.pop(name) for name in list(stored) if name.endswith(SCALE)}
    tensors = {
        name: value * scales[f"{name}{SCALE}"][:, None] if f"{name}{SCALE}" in scales else value
        for name, value in stored.items()
    }
    return metadata, tensors


def _in_int8(values: Tensor) -> tuple[Tensor, Tensor]:
    """A matrix in int8, and the factors of its rows."""
    scale = values.abs().amax(dim=1).float().clamp(min=torch.finfo(torch.float32).tiny) / 127
    return (values / scale[:, None]).round().to(torch.int8), scale


def in_smaller_size(file: Path, out: Path, dtype: torch.dtype = torch.bfloat16) -> None:
    """Write an adapter anew in bfloat16 or int8, as it is shipped. Raises CheckpointError."""
    metadata, tensors = read_adapter(file)
    out.unlink(missing_ok=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    rank, scale = int(metadata["rank"]), float(metadata["scale"])
    write_adapter(out, tensors, rank, scale, metadata["base"], dtype)


@torch.no_grad()
def load_adapter(model: TwoStreamModel, file: Path, scale: float) -> None:
    """Give a model an adapter's values to train on from.

    One of a smaller rank fills a part of the changes, which begin as it was; the rest begins anew. Raises
    CheckpointError where it belongs to other weights, or its scale is another.
    """
    metadata, tensors = read_adapter(file)
    if float(metadata.get("scale", scale)) != scale:
        raise CheckpointError(f"{file} has a scale of {metadata['scale']}, model.scale is {scale}; set it to that")
    if model.local is not None and f"{PREFIX}W1" in tensors:
        model.local = TrainedLocalAutoregression.of(tensors)
    state = model.state_dict()
    for name, value in tensors.items():
        own = name if name == MASK or name.startswith(PREFIX) else f"{MODEL}{name.replace(WEIGHT, '')}"
        if own.startswith(PREFIX) and model.local is None:
            continue
        target = state.get(own)
        if target is None or any(size > room for size, room in zip(value.shape, target.shape, strict=True)):
            raise CheckpointError(f"{file} does not fit the model: {name} {list(value.shape)} has no place in it")
        if name.endswith(f"{LORA}B"):
            target.zero_()
        target[tuple(slice(size) for size in value.shape)] = value.to(target.dtype)
