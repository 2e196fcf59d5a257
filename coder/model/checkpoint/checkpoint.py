"""Checkpoints: found by name, validated before anything is loaded, read one tensor at a time.

A checkpoint is a folder in Hugging Face layout: `config.json`, `tokenizer.json` and `*.safetensors` with Llama
parameter names, or a model in GGUF, in one file or in parts. A matrix is float (F32, F16 or BF16), int8 `[out, in]`
beside a float32 `<name>_scale` `[out]`, or in GGML's blocks, which are dequantised when they are read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tokenizers

from coder.errors import CheckpointError
from coder.model.checkpoint.config import ModelConfig
from coder.model.checkpoint.files import read_json
from coder.model.checkpoint.gguf_file import open_gguf, part_files
from coder.model.checkpoint.gguf_names import tensors_of_gguf
from coder.model.checkpoint.options import NO_OPTIONS, ModelOptions
from coder.model.checkpoint.stored_tensors import StoredTensor, stored_tensors
from coder.model.checkpoint.tokens import Tokenizer, spelled_control_tokens
from coder.model.convert.smoothing import SMOOTHING_FILE
from coder.model.families.frame import Frame

FLOATS = ("F32", "F16", "BF16")
UNSAFE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
CHUNK_BYTES = 1 << 22

LOCAL = "local."
"""Begins the names of the local autoregression's tensors, in checkpoints and adapters."""
LOCAL_EPSILON = float(np.finfo(np.float32).eps)
"""Of its norm."""
FIRST_LOCAL_TOKEN = 256
"""It takes embeddings by the standard deviation of those from here on: control tokens and rare bytes stand before."""


@dataclass(frozen=True)
class Quantized:
    """An int8 matrix [out, in] and the float32 scale [out] of its rows: the matrix is `values * scale[:, None]`."""

    values: npt.NDArray[np.int8]
    scale: npt.NDArray[np.float32]

    def dequantized(self) -> npt.NDArray[np.float32]:
        return self.values * self.scale[:, None]


@dataclass(frozen=True)
class Checkpoint:
    """A validated checkpoint, none of whose weights are in memory yet.

    Attributes:
        tokenizer: `tokenizer_file`, read.
        stored: its tensors, by the names of a Hugging Face Llama's.
        frame: what stands around a text in a published model's prompt; None for this project's layout.
        options: what followed its name.
        adapters: the files of those in its tensors.
        unadapted: the same without adapters, where it has some.
    """

    folder: Path
    config: ModelConfig
    tokenizer_file: Path
    tokenizer: Tokenizer
    stored: Mapping[str, StoredTensor]
    frame: Frame | None = None
    options: ModelOptions = NO_OPTIONS
    adapters: tuple[Path, ...] = ()
    unadapted: Checkpoint | None = None

    def tensor(self, name: str) -> Quantized | npt.NDArray[np.float32]:
        """One of `expected_tensors(config)`; float formats come as float32. A float32 array or an int8 matrix may be
        a read-only map of the file."""
        values = self.stored[name].read()
        if values.dtype == np.int8:
            return Quantized(values, self.stored[f"{name}_scale"].read())
        return values.astype(np.float32, copy=False)

    def chunks(self, name: str) -> Iterator[tuple[slice, npt.NDArray[np.float32]]]:
        """The same in float32, a few rows at a time, so that no more is in memory than `CHUNK_BYTES`."""
        stored = self.stored[name]
        step = max(1, CHUNK_BYTES // (4 * math.prod(stored.shape[1:])))
        for start in range(0, stored.shape[0], step):
            rows = slice(start, min(start + step, stored.shape[0]))
            values = stored.read(rows)
            if stored.dtype == "I8":
                values = values * self.stored[f"{name}_scale"].read(rows)[:, None]
            yield rows, values.astype(np.float32, copy=False)

    def float_tensor(self, name: str) -> npt.NDArray[np.float32]:
        """The same in float32, whatever the format."""
        values = self.tensor(name)
        return values.dequantized() if isinstance(values, Quantized) else values


def assemble(
    folder: Path,
    settings: Mapping[str, Any],
    tokenizer_file: Path,
    stored: Mapping[str, StoredTensor],
    backend: tokenizers.Tokenizer | None = None,
) -> Checkpoint:
    """A checkpoint from its parts: a parsed `config.json`, a `tokenizer.json` and tensors, all of them validated.

    Args:
        backend: the tokenizer, where it was read already.

    Raises CheckpointError.
    """
    ours = settings.get("quickfill")
    spellings = ours.get("control_tokens") if isinstance(ours, Mapping) else None
    control = None if spellings is None else partial(spelled_control_tokens, tokenizer_file, spellings)
    tokenizer = Tokenizer(tokenizer_file, backend, control)
    config = reserve_unused_ids(ModelConfig.from_json(settings, tokenizer.control), tokenizer)
    validate(stored, config, folder)
    return Checkpoint(folder, config, tokenizer_file, tokenizer, stored)


def weight_tensors(folder: Path) -> dict[str, StoredTensor]:
    """Every tensor of a folder's model in GGUF, or else of its *.safetensors files, from their headers."""
    models = {part_files(file)[0] for file in folder.glob("*.gguf")}
    if len(models) > 1:
        named = " and ".join(sorted(file.name for file in models)[:2])
        raise CheckpointError(f"{folder} holds two models, {named}; keep one checkpoint a folder")
    if models:
        return tensors_of_gguf(open_gguf(models.pop()))
    return _collect(_weight_files(folder))


def expected_tensors(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every parameter of a decoder, in the order in which it uses them."""
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (config.vocab_size, config.hidden_size)}
    for index in range(config.num_layers):
        shapes |= {f"model.layers.{index}.{name}": shape for name, shape in layer_tensors(config).items()}
    shapes |= _norm_tensors("model.norm", config)
    if not config.tied_embeddings:
        shapes["lm_head.weight"] = (config.vocab_size, config.hidden_size)
    return shapes | local_tensors(config)


def layer_tensors(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of the parameters of one layer, by their names within it."""
    form, hidden, inner = config.layers, config.hidden_size, config.intermediate_size
    queries, keys = config.num_heads * config.head_dim, config.num_key_value_heads * config.head_dim
    projections = {"self_attn.q_proj": queries, "self_attn.k_proj": keys, "self_attn.v_proj": keys}
    inward = {f"mlp.{name}": inner for name in form.feed_forward.inward}
    return {
        **_norm_tensors("input_layernorm", config),
        **_linear_tensors(projections, hidden, form.projection_bias),
        **{f"self_attn.{part}_norm.weight": (config.head_dim,) for part in "qk" if form.head_norms},
        **_linear_tensors({"self_attn.o_proj": hidden}, queries, form.output_bias),
        **_norm_tensors("post_attention_layernorm", config),
        **_linear_tensors(inward, hidden, form.feed_forward_bias),
        **_linear_tensors({f"mlp.{form.feed_forward.down}": hidden}, inner, form.feed_forward_bias),
    }


def _norm_tensors(name: str, config: ModelConfig) -> dict[str, tuple[int, ...]]:
    parts = ("weight",) if config.layers.norm == "rms" else ("weight", "bias")
    return {f"{name}.{part}": (config.hidden_size,) for part in parts}


def _linear_tensors(outputs: Mapping[str, int], inputs: int, bias: bool) -> dict[str, tuple[int, ...]]:
    """Weights of some matrices of the same input, by their widths, then their biases."""
    weights: dict[str, tuple[int, ...]] = {f"{name}.weight": (width, inputs) for name, width in outputs.items()}
    return weights | {f"{name}.bias": (width,) for name, width in outputs.items() if bias}


def local_tensors(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of the local autoregression's parameters; none where there is none. See `runtime.LocalStep`."""
    hidden, width = config.hidden_size, config.local_width
    return {LOCAL + "W1": (width, 3 * hidden), LOCAL + "b1": (width,), LOCAL + "W2": (hidden, width)} if width else {}


def reserve_unused_ids(config: ModelConfig, tokenizer: Tokenizer) -> ModelConfig:
    """Ids that pad the vocabulary stand for nothing, so they may never be predicted."""
    if (largest := max(tokenizer.ids)) >= config.vocab_size:
        raise CheckpointError(f"config.json: vocab_size is {config.vocab_size}, but tokenizer.json has id {largest}")
    unused = set(range(config.vocab_size)) - tokenizer.ids
    all_control = tuple(sorted(unused.union(config.control.all)))
    return replace(config, control=replace(config.control, all=all_control))


def _weight_files(folder: Path) -> list[Path]:
    single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if single.is_file():
        return [single]
    if index.is_file():
        weight_map = read_json(index).get("weight_map")
        if not isinstance(weight_map, dict):
            raise CheckpointError(f"{index} has no weight_map; download it again")
        return sorted({folder / Path(name).name for name in weight_map.values()})
    if files := sorted(file for file in folder.glob("*.safetensors") if file.name != SMOOTHING_FILE):
        return files
    if unsafe := sorted(file.name for file in folder.iterdir() if file.suffix in UNSAFE_SUFFIXES):
        raise CheckpointError(
            f"{folder} holds its weights as {unsafe[0]}, a pickle, which could run any code when opened; convert it "
            "with `safetensors.torch.save_file`, or save the model again with transformers (safe_serialization=True)"
        )
    raise CheckpointError(f"{folder} holds neither *.safetensors nor *.gguf; a checkpoint needs weights in one of them")


def _collect(files: list[Path]) -> dict[str, StoredTensor]:
    collected: dict[str, StoredTensor] = {}
    for file in files:
        for name, tensor in stored_tensors(file).items():
            if name in collected:
                raise CheckpointError(
                    f"tensor {name} is both in {collected[name].file} and in {file.name}; keep one checkpoint a folder"
                )
            collected[name] = tensor
    return collected


def validate(stored: Mapping[str, StoredTensor], config: ModelConfig, folder: Path) -> None:
    """Compare the headers with what the configuration expects; no weight is read. Raises CheckpointError."""
    expected = expected_tensors(config)
    for name, shape in expected.items():
        _require(stored, name, shape, (*FLOATS, "I8") if len(shape) == 2 else FLOATS, folder)
        if stored[name].dtype == "I8":
            _require(stored, f"{name}_scale", shape[:1], ("F32",), folder)
    # Harmless: a copy of the tied head, and what older versions of transformers saved besides the parameters.
    known = expected.keys() | {f"{name}_scale" for name in expected} | {"lm_head.weight", "lm_head.weight_scale"}
    foreign = [name for name in stored if name not in known and not name.endswith(".rotary_emb.inv_freq")]
    if foreign:
        raise CheckpointError(
            f"{stored[foreign[0]].file} holds tensor {foreign[0]}, which such a decoder of {config.num_layers} layers "
            "does not have; weights and config.json do not belong together"
        )


def _require(
    stored: Mapping[str, StoredTensor], name: str, shape: tuple[int, ...], dtypes: tuple[str, ...], folder: Path
) -> None:
    if name not in stored:
        raise CheckpointError(f"tensor {name} is missing from {folder}; the download is incomplete, download it again")
    tensor = stored[name]
    if tensor.shape != shape:
        raise CheckpointError(
            f"tensor {name} in {tensor.file} has shape {list(tensor.shape)}, config.json says {list(shape)}; weights "
            "and config.json do not belong together"
        )
    if tensor.dtype not in dtypes:
        raise CheckpointError(
            f"tensor {name} in {tensor.file} is stored as {tensor.dtype}; only {', '.join(dtypes)} can be read, "
            "so convert it"
        )
