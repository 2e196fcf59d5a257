"""A Llama or Qwen2 decoder in a GGUF file, as the parts of a checkpoint. Needs `gguf`, of the extra `convert`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

from coder.errors import CheckpointError
from coder.model.checkpoint.config import ARCHITECTURES
from coder.model.checkpoint.stored_tensors import StoredTensor
from coder.model.convert.gguf_names import from_gguf, in_halves, is_interleaved
from coder.model.convert.gguf_tokenizer import PRE_TOKENIZERS, tokenizer_json
from coder.model.convert.gguf_writer import SETTINGS_KEY


@dataclass(frozen=True)
class GgufTensor(StoredTensor):
    """A tensor of a GGUF file, dequantised when it is read. `head_dim` is that of interleaved rows, else None."""

    content: gguf.ReaderTensor
    head_dim: int | None

    def read(self, rows: slice = slice(None)) -> npt.NDArray[Any]:
        values = gguf.quants.dequantize(self.content.data, self.content.tensor_type)
        values = values.astype(np.float32, copy=False).reshape(self.shape)
        return (values if self.head_dim is None else in_halves(values, self.head_dim))[rows]


class GgufFile:
    """A validated file.

    Attributes:
        settings: what `config.json` would say; with `quickfill` settings where this project wrote the file.
        tensors: by their Hugging Face names.
    """

    def __init__(self, file: Path) -> None:
        """Raises CheckpointError when the file is damaged, or no plain Llama or Qwen2 decoder."""
        self._file = file
        try:
            self._reader = gguf.GGUFReader(file)
        except Exception as error:  # the library raises whatever it stumbles over
            raise CheckpointError(f"{file} is damaged or no GGUF file ({error}); download it again") from error
        self._architecture = architecture = str(self._field("general.architecture"))
        if architecture not in ARCHITECTURES:
            raise CheckpointError(
                f"{file} holds a decoder of architecture {architecture!r}; only {', '.join(ARCHITECTURES)} fit"
            )
        names = {tensor.name for tensor in self._reader.tensors}
        if "rope_freqs.weight" in names or self._field(f"{architecture}.rope.scaling.type", "none") != "none":
            raise CheckpointError(f"{file} scales its RoPE frequencies, which is not supported; choose another model")
        if architecture == "llama" and (biased := sorted(name for name in names if name.endswith(".bias"))):
            raise CheckpointError(f"{file} holds {biased[0]}; decoders with biases are not supported")
        self.settings = self._settings("output.weight" not in names)
        head_dim = self.settings["head_dim"]
        self.tensors: dict[str, StoredTensor] = {}
        for tensor in self._reader.tensors:
            name = from_gguf(tensor.name)
            shape = tuple(int(size) for size in reversed(tensor.shape))
            self.tensors[name] = GgufTensor(
                file, "F32", shape, 0, tensor, head_dim if is_interleaved(name, architecture) else None
            )

    def tokenizer(self) -> dict[str, Any]:
        """The vocabulary as a `tokenizer.json`.

        Raises CheckpointError when it is no byte-level BPE, or cuts texts in a way unknown here.
        """
        kind, pre = self._field("tokenizer.ggml.model"), self._field("tokenizer.ggml.pre", "gpt-2")
        if kind != "gpt2" or pre not in PRE_TOKENIZERS:
            raise CheckpointError(
                f"{self._file} has a tokenizer of kind {kind!r}, {pre!r}, which cannot be taken over; only byte-level "
                f"BPE can ({', '.join(PRE_TOKENIZERS)}). Give its tokenizer.json with --tokenizer FILE"
            )
        texts, types, merges = (self._field(f"tokenizer.ggml.{name}") for name in ("tokens", "token_type", "merges"))
        return tokenizer_json(texts, types, merges, pre)

    def _settings(self, tied: bool) -> dict[str, Any]:
        heads, hidden = self._number("attention.head_count"), self._number("embedding_length")
        settings: dict[str, Any] = {
            "architectures": [ARCHITECTURES[self._architecture]],
            "model_type": self._architecture,
            "hidden_size": hidden,
            "intermediate_size": self._number("feed_forward_length"),
            "num_hidden_layers": self._number("block_count"),
            "num_attention_heads": heads,
            "num_key_value_heads": self._number("attention.head_count_kv", heads),
            "head_dim": self._number("attention.key_length", hidden // heads),
            "vocab_size": len(self._field("tokenizer.ggml.tokens")),
            "max_position_embeddings": self._number("context_length"),
            "rope_theta": _shortest(self._number("rope.freq_base", 10_000.0)),
            "rms_norm_eps": _shortest(self._number("attention.layer_norm_rms_epsilon")),
            "hidden_act": "silu",
            "tie_word_embeddings": tied,
        }
        if self._number("rope.dimension_count", settings["head_dim"]) != settings["head_dim"]:
            raise CheckpointError(f"{self._file} turns a part of each head only, which is not supported")
        if (end := self._field("tokenizer.ggml.bos_token_id", None)) is not None:
            settings |= {"bos_token_id": end, "eos_token_id": end}
        if (ours := self._field(SETTINGS_KEY, None)) is not None:
            settings["quickfill"] = _parsed(ours, self._file)
        return settings

    def _number(self, name: str, default: Any = ...) -> Any:
        value = self._field(f"{self._architecture}.{name}", default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise CheckpointError(f"{self._file}: {self._architecture}.{name} should be a number, not {value!r}")
        return value

    def _field(self, name: str, default: Any = ...) -> Any:
        field = self._reader.get_field(name)
        if field is not None:
            return field.contents()
        if default is ...:
            raise CheckpointError(f"{self._file} does not say {name}; it is incomplete, download it again")
        return default


def _shortest(value: float) -> float:
    """GGUF keeps float32: the shortest decimal number that it stands for, 1e-05 rather than 9.9999997e-06."""
    return float(str(np.float32(value)))


def _parsed(text: str, file: Path) -> Mapping[str, Any]:
    try:
        return json.loads(text)
    except ValueError as error:
        raise CheckpointError(f"{file}: {SETTINGS_KEY} is not valid JSON ({error}); download it again") from error
