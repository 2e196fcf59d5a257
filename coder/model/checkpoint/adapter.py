"""Adapters: small changes to a checkpoint's matrices, learned for one purpose and kept in a file of their own.

A change is of low rank (LoRA, https://arxiv.org/abs/2106.09685): a matrix W [out, in] becomes W + scale · B A, with A
[rank, in] and B [out, rank]. It is added to the weights when they are read, so an adapted model costs nothing more to
run; a matrix in int8 is dequantised for it, and the runtime quantises each row anew.

The file is safetensors: `NAME.lora_A` and `NAME.lora_B` for each changed matrix; it may bring an embedding of the mask,
`mask_embedding` [hidden], and a local autoregression, `local.*` (see `runtime.LocalStep`). A matrix in it may be int8,
with a factor for each row in another tensor, its name followed by `_scale`. Its metadata hold `format`, `scale` and
`base`, the fingerprint of the weights that it belongs to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from coder.errors import CheckpointError
from coder.model.checkpoint.checkpoint import LOCAL, Checkpoint, local_tensors
from coder.model.checkpoint.config import ModelConfig
from coder.model.checkpoint.stored_tensors import StoredTensor, stored_tensors

FORMAT = "quickfill-adapter-1"
A, B = ".lora_A", ".lora_B"
SCALE = "_scale"
"""Behind the name of an int8 matrix: the factors of its rows."""
MASK_EMBEDDING = "mask_embedding"
EMBEDDING = "model.embed_tokens.weight"

Change = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
"""A [rank, in] and B [out, rank]."""

Halves = tuple[StoredTensor, StoredTensor]
"""The same, not read yet."""


@dataclass(frozen=True)
class MergedTensor(StoredTensor):
    """A matrix in float32: what `stored` holds, by the float32 `row_scale` [out] if that is int8, and a change.

    Attributes:
        down, up: A [rank, in] and B [out, rank]; they too are read only when the matrix is.
    """

    stored: StoredTensor
    row_scale: StoredTensor | None
    down: StoredTensor
    up: StoredTensor
    scale: float

    def read(self, rows: slice = slice(None)) -> npt.NDArray[Any]:
        values = _dequantized(self.stored, self.row_scale, rows)
        up, down = self.up.read(rows).astype(np.float32), self.down.read().astype(np.float32)
        values += (self.scale * up) @ down
        return values


@dataclass(frozen=True)
class RowScaled(StoredTensor):
    """A matrix in float32: the int8 of `stored` by its float32 `row_scale` [out]."""

    stored: StoredTensor
    row_scale: StoredTensor

    def read(self, rows: slice = slice(None)) -> npt.NDArray[Any]:
        return _dequantized(self.stored, self.row_scale, rows)


@dataclass(frozen=True)
class RowReplaced(StoredTensor):
    """A matrix in float32: what `stored` holds, by its `row_scale` if that is int8, but for one row."""

    stored: StoredTensor
    row_scale: StoredTensor | None
    row: int
    replacement: npt.NDArray[np.float32]

    def read(self, rows: slice = slice(None)) -> npt.NDArray[Any]:
        values = _dequantized(self.stored, self.row_scale, rows)
        if self.row in (among := range(self.shape[0])[rows]):
            values[among.index(self.row)] = self.replacement
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
    stored, config = dict(checkpoint.stored), checkpoint.config
    others = {name: tensors[name] for name in tensors if not name.endswith((A, B))}
    for name in sorted({name.removesuffix(A).removesuffix(B) for name in tensors.keys() - others.keys()}):
        down, up = _change(file, name, tensors, checkpoint)
        matrix, row_scale = stored[name], stored.pop(f"{name}_scale", None)
        stored[name] = MergedTensor(matrix.file, "F32", matrix.shape, 0, matrix, row_scale, down, up, scale)
    if (mask := others.pop(MASK_EMBEDDING, None)) is not None:
        values = _required(file, MASK_EMBEDDING, mask, (config.hidden_size,)).read().astype(np.float32)
        table, row_scale = stored[EMBEDDING], stored.pop(f"{EMBEDDING}_scale", None)
        stored[EMBEDDING] = RowReplaced(
            table.file, "F32", table.shape, 0, table, row_scale, config.control.mask, values
        )
        # Who brings a mask has taught the weights to fill a canvas; published ones could not before.
        config = replace(config, adapted=True)
    if others:
        first = others.get(f"{LOCAL}b1")
        config = replace(config, local_width=0 if first is None else first.shape[0])
        for name, shape in local_tensors(config).items():
            stored[name] = _required(file, name, others.get(name), shape)
    without = checkpoint.unadapted or replace(checkpoint, config=_unadapted(checkpoint.config))
    return replace(checkpoint, stored=stored, config=config, adapters=(*checkpoint.adapters, file), unadapted=without)


def _unadapted(config: ModelConfig) -> ModelConfig:
    """The configuration of weights without an adapter, which fill no canvas."""
    without_canvases = tuple(profile for profile in config.decoding if not profile.canvas_passes_per_token)
    return replace(config, adapted=False, decoding=without_canvases)


def with_named_adapter(checkpoint: Checkpoint, settings: Mapping[str, Any]) -> Checkpoint:
    """The checkpoint with the adapter that its own `config.json` names, if it names one; a file beside it.

    Raises CheckpointError, also for a file elsewhere.
    """
    name = settings["quickfill"].get("adapter")
    if name is None:
        return checkpoint
    if not isinstance(name, str) or Path(name).name != name:
        raise CheckpointError(f"config.json: quickfill.adapter must name a file beside it, not {name!r}")
    return with_adapter(checkpoint, checkpoint.folder / name)


def merged_settings(settings: Mapping[str, Any], checkpoint: Checkpoint) -> dict[str, Any]:
    """The `config.json` of a checkpoint whose adapters have become part of its weights.

    The ability to follow instructions is that of the weights without them, which are not there any more.
    """
    if not checkpoint.adapters:
        return dict(settings)
    ours = {name: value for name, value in settings["quickfill"].items() if name != "adapter"}
    ours["abilities"] = {**ours.get("abilities", {}), "instructions": False}
    if checkpoint.config.local_width:
        ours["local_width"] = checkpoint.config.local_width
    return {**settings, "quickfill": ours}


def _dequantized(stored: StoredTensor, row_scale: StoredTensor | None, rows: slice) -> npt.NDArray[np.float32]:
    """The values in float32, for whoever reads them to change."""
    values = stored.read(rows)
    if row_scale is not None:
        return values * row_scale.read(rows)[:, None]
    return values if values.dtype == np.float32 and values.flags.writeable else values.astype(np.float32)


def _required(file: Path, name: str, tensor: StoredTensor | None, shape: tuple[int, ...]) -> StoredTensor:
    if tensor is None or tensor.shape != shape:
        found = "absent" if tensor is None else list(tensor.shape)
        raise CheckpointError(f"{file} does not fit the model: {name} is {found}, not {list(shape)}; make it again")
    if not np.isfinite(tensor.read()).all():
        raise CheckpointError(f"{file} is damaged: {name} has values that are no numbers; make it again")
    return tensor


def write_adapter(file: Path, checkpoint: Checkpoint, changes: Mapping[str, Change], scale: float) -> None:
    """Write changes of a checkpoint's matrices, by their names, in half precision."""
    tensors = {f"{name}{A}": down.astype(np.float16) for name, (down, _) in changes.items()}
    tensors |= {f"{name}{B}": up.astype(np.float16) for name, (_, up) in changes.items()}
    metadata = {"format": FORMAT, "scale": repr(scale), "base": fingerprint(checkpoint)}
    unfinished = file.with_name(f".{file.name}")
    safetensors.numpy.save_file(tensors, unfinished, metadata)
    unfinished.replace(file)


def fingerprint(checkpoint: Checkpoint) -> str:
    """The fingerprint of a checkpoint's weights."""
    return fingerprint_of(checkpoint.stored)


def fingerprint_of(stored: Mapping[str, StoredTensor]) -> str:
    """Tells weights from other weights, and is the same for their int8: SHA-256 of all norms and of the shapes."""
    found = hashlib.sha256()
    for name, tensor in sorted(stored.items()):
        if not name.endswith("_scale") and not name.startswith(LOCAL):
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
    return metadata, {name: _scaled(file, name, tensors) for name in tensors if not name.endswith(SCALE)}


def _scaled(file: Path, name: str, tensors: Mapping[str, StoredTensor]) -> StoredTensor:
    """A tensor as it is, or an int8 matrix with the factors of its rows."""
    tensor, row_scale = tensors[name], tensors.get(f"{name}{SCALE}")
    if tensor.dtype != "I8":
        return tensor
    if row_scale is None or row_scale.shape != tensor.shape[:1]:
        raise CheckpointError(f"{file} is damaged: {name} lacks the factors of its rows; make it again")
    return RowScaled(tensor.file, "F32", tensor.shape, 0, tensor, row_scale)


def _scale(file: Path, metadata: Mapping[str, str]) -> float:
    try:
        scale = float(metadata["scale"])
    except (KeyError, ValueError):
        scale = np.nan
    if not np.isfinite(scale):
        raise CheckpointError(f"{file} is damaged: its scale is no number; make it again")
    return scale


def _change(file: Path, name: str, tensors: Mapping[str, StoredTensor], checkpoint: Checkpoint) -> Halves:
    """Both halves of a matrix's change, validated. Raises CheckpointError."""
    matrix = checkpoint.stored.get(name)
    down, up = tensors.get(f"{name}{A}"), tensors.get(f"{name}{B}")
    if matrix is None or down is None or up is None or len(matrix.shape) != 2:
        raise CheckpointError(f"{file} is damaged: {name} is no matrix of the model, or lacks a half; make it again")
    if (up.shape[:1], down.shape[1:]) != (matrix.shape[:1], matrix.shape[1:]) or up.shape[1:] != down.shape[:1]:
        raise CheckpointError(
            f"{file} is damaged: {name} is {list(matrix.shape)}, the change {list(up.shape)} x {list(down.shape)}"
        )
    if not all(np.isfinite(half.read()).all() for half in (down, up)):
        raise CheckpointError(f"{file} is damaged: {name} has values that are no numbers; make it again")
    return down, up
