"""Adapters: small changes to a checkpoint's matrices, learned for one purpose and kept in a file of their own.

A change is of low rank (LoRA, https://arxiv.org/abs/2106.09685): a matrix W [out, in] becomes W + scale · B A, with A
[rank, in] and B [out, rank]. It is added to the weights when they are read, so an adapted model costs nothing more to
run; a matrix in int8 is dequantised for it, and the runtime quantises each row anew.

The file is safetensors: `NAME.lora_A` and `NAME.lora_B` for each changed matrix, and in its metadata `format`, `scale`
and `base`, the fingerprint of the weights that it belongs to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from coder.errors import CheckpointError
from coder.model.checkpoint.stored_tensors import StoredTensor, stored_tensors

if TYPE_CHECKING:
    from coder.model.checkpoint.checkpoint import Checkpoint

FORMAT = "quickfill-adapter-1"
A, B = ".lora_A", ".lora_B"

Change = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
"""A [rank, in] and B [out, rank]."""


@dataclass(frozen=True)
class MergedTensor(StoredTensor):
    """A matrix in float32: what `stored` holds, by the float32 `row_scale` [out] if that is int8, and the change."""

    stored: StoredTensor
    row_scale: StoredTensor | None
    change: Change
    scale: float

    def read(self, rows: slice = slice(None)) -> npt.NDArray[Any]:
        values = self.stored.read(rows).astype(np.float32)
        if self.row_scale is not None:
            values *= self.row_scale.read(rows)[:, None]
        down, up = self.change
        values += (self.scale * up[rows]) @ down
        return values


def with_adapter(checkpoint: Checkpoint, file: Path) -> Checkpoint:
    """The checkpoint with an adapter in its matrices. Raises CheckpointError, also for one of other weights."""
    metadata, tensors = _read(file)
    if metadata.get("base") != fingerprint(checkpoint):
        raise CheckpointError(
            f"{file} was made for other weights than those of {checkpoint.folder}; name the model that it was made "
            "for (--model), or adapt this one with `quickfill adapt`"
        )
    scale = _scale(file, metadata)
    stored = dict(checkpoint.stored)
    names = sorted({name.removesuffix(A).removesuffix(B) for name in tensors})
    for name in names:
        change = _change(file, name, tensors, checkpoint)
        matrix, row_scale = stored[name], stored.pop(f"{name}_scale", None)
        stored[name] = MergedTensor(matrix.file, "F32", matrix.shape, 0, matrix, row_scale, change, scale)
    return replace(checkpoint, stored=stored)


def write_adapter(file: Path, checkpoint: Checkpoint, changes: Mapping[str, Change], scale: float) -> None:
    """Write changes of a checkpoint's matrices, by their names, in half precision."""
    tensors = {f"{name}{A}": down.astype(np.float16) for name, (down, _) in changes.items()}
    tensors |= {f"{name}{B}": up.astype(np.float16) for name, (_, up) in changes.items()}
    metadata = {"format": FORMAT, "scale": repr(scale), "base": fingerprint(checkpoint)}
    unfinished = file.with_name(f".{file.name}")
    safetensors.numpy.save_file(tensors, unfinished, metadata)
    unfinished.replace(file)


def fingerprint(checkpoint: Checkpoint) -> str:
    """Tells weights from other weights, and is the same for their int8: SHA-256 of all norms and of the shapes."""
    found = hashlib.sha256()
    for name, tensor in sorted(checkpoint.stored.items()):
        if not name.endswith("_scale"):
            found.update(f"{name} {tensor.shape} ".encode())
            if len(tensor.shape) == 1:
                found.update(np.asarray(tensor.read(), "<f4").tobytes())
    return found.hexdigest()


def _read(file: Path) -> tuple[Mapping[str, str], Mapping[str, StoredTensor]]:
    if not file.is_file():
        raise CheckpointError(f"there is no adapter {file}; make one with `quickfill adapt`")
    tensors = stored_tensors(file)
    with safetensors.safe_open(file, framework="numpy") as opened:
        metadata = opened.metadata() or {}
    if metadata.get("format") != FORMAT or not tensors:
        raise CheckpointError(f"{file} is no adapter of this version ({FORMAT}); make one with `quickfill adapt`")
    return metadata, tensors


def _scale(file: Path, metadata: Mapping[str, str]) -> float:
    try:
        scale = float(metadata["scale"])
    except (KeyError, ValueError):
        scale = np.nan
    if not np.isfinite(scale):
        raise CheckpointError(f"{file} is damaged: its scale is no number; make it again")
    return scale


def _change(file: Path, name: str, tensors: Mapping[str, StoredTensor], checkpoint: Checkpoint) -> Change:
    matrix = checkpoint.stored.get(name)
    down, up = tensors.get(f"{name}{A}"), tensors.get(f"{name}{B}")
    if matrix is None or down is None or up is None or len(matrix.shape) != 2:
        raise CheckpointError(f"{file} is damaged: {name} is no matrix of the model, or lacks a half; make it again")
    if (up.shape[:1], down.shape[1:]) != (matrix.shape[:1], matrix.shape[1:]) or up.shape[1:] != down.shape[:1]:
        raise CheckpointError(
            f"{file} is damaged: {name} is {list(matrix.shape)}, the change {list(up.shape)} x {list(down.shape)}"
        )
    halves = down.read().astype(np.float32), up.read().astype(np.float32)
    if not all(np.isfinite(half).all() for half in halves):
        raise CheckpointError(f"{file} is damaged: {name} has values that are no numbers; make it again")
    return halves
