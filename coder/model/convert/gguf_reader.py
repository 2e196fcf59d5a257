"""A decoder in a GGUF file, as the parts of a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from coder.errors import CheckpointError
from coder.model.checkpoint.architectures import ARCHITECTURES, Architecture
from coder.model.checkpoint.gguf_file import Kind, open_gguf
from coder.model.checkpoint.gguf_names import gguf_architecture, head_size, tensors_of_gguf
from coder.model.convert.gguf_tokenizer import PRE_TOKENIZERS, tokenizer_json

SETTINGS_KEY = "quickfill.settings"
"""The key of the `quickfill` settings of `config.json`, as JSON; other programs pass over it."""


class GgufDecoder:
    """A validated file.

    Attributes:
        settings: what `config.json` would say; with `quickfill` settings where this project wrote the file.
        tensors: by their Hugging Face names.
    """

    def __init__(self, file: Path) -> None:
        """Raises CheckpointError when the file is damaged, or holds no decoder that can be run."""
        self._file = file
        self._gguf = opened = open_gguf(file)
        self._architecture = architecture = gguf_architecture(opened)
        if "rope_freqs.weight" in opened.tensors or opened.value(f"{architecture}.rope.scaling.type", "none") != "none":
            raise CheckpointError(f"{file} scales its RoPE frequencies, which is not supported; choose another model")
        self.settings = self._settings("output.weight" not in opened.tensors)
        self.tensors = tensors_of_gguf(opened)

    def tokenizer(self) -> dict[str, Any]:
        """The vocabulary as a `tokenizer.json`.

        Raises CheckpointError when it is no byte-level BPE, or cuts texts in a way unknown here.
        """
        kind, pre = self._gguf.value("tokenizer.ggml.model"), self._gguf.value("tokenizer.ggml.pre", "gpt-2")
        if kind != "gpt2" or pre not in PRE_TOKENIZERS:
            raise CheckpointError(
                f"{self._file} has a tokenizer of kind {kind!r}, {pre!r}, which cannot be taken over; only byte-level "
                f"BPE can ({', '.join(PRE_TOKENIZERS)}). Give its tokenizer.json with --tokenizer FILE"
            )
        texts, types, merges = (self._entries(name) for name in ("tokens", "token_type", "merges"))
        if len(texts) != len(types):
            raise CheckpointError(f"{self._file} has {len(texts)} tokens and types of {len(types)}; download it again")
        return tokenizer_json(texts, types, merges, pre)

    def _entries(self, name: str) -> list[Any]:
        """An array of the vocabulary's."""
        field = self._gguf.fields.get(f"tokenizer.ggml.{name}")
        if field is None or not field.is_array or (field.kind == Kind.TEXT) != (name != "token_type"):
            raise CheckpointError(f"{self._file} has no tokenizer.ggml.{name}; it is incomplete, download it again")
        return field.value if field.kind == Kind.TEXT else field.value.tolist()

    def _settings(self, tied: bool) -> dict[str, Any]:
        heads, architecture = self._number("attention.head_count"), ARCHITECTURES[self._architecture]
        epsilon = "layer_norm_rms_epsilon" if architecture.norm == "rms" else "layer_norm_epsilon"
        settings: dict[str, Any] = {
            "architectures": [architecture.class_name],
            "model_type": self._architecture,
            "hidden_size": self._number("embedding_length"),
            "intermediate_size": self._number("feed_forward_length"),
            "num_hidden_layers": self._number("block_count"),
            "num_attention_heads": heads,
            "num_key_value_heads": self._number("attention.head_count_kv", heads),
            "head_dim": head_size(self._gguf),
            "vocab_size": len(self._entries("tokens")),
            "max_position_embeddings": self._number("context_length"),
            "rope_theta": _shortest(self._number("rope.freq_base", 10_000.0)),
            architecture.epsilon: _shortest(self._number(f"attention.{epsilon}")),
            "hidden_act": architecture.feed_forward.activation,
            "tie_word_embeddings": tied,
            **self._biases(architecture),
        }
        if architecture.window is not None:
            settings[architecture.window] = self._gguf.value(f"{self._architecture}.attention.sliding_window", None)
        if self._number("rope.dimension_count", settings["head_dim"]) != settings["head_dim"]:
            raise CheckpointError(f"{self._file} turns a part of each head only, which is not supported")
        if (end := self._gguf.value("tokenizer.ggml.bos_token_id", None)) is not None:
            settings |= {"bos_token_id": end, "eos_token_id": end}
        if (ours := self._gguf.value(SETTINGS_KEY, None)) is not None:
            settings["quickfill"] = _parsed(ours, self._file)
        return settings

    def _biases(self, architecture: Architecture) -> dict[str, bool]:
        """The fields that say which linear layers have biases; here it shows in the first layer's tensors."""
        fields = {
            architecture.projection_bias: "attn_q",
            architecture.output_bias: "attn_output",
            architecture.feed_forward_bias: "ffn_up",
        }
        found = self._gguf.tensors
        return {field: f"blk.0.{name}.bias" in found for field, name in fields.items() if isinstance(field, str)}

    def _number(self, name: str, default: Any = ...) -> Any:
        value = self._gguf.value(f"{self._architecture}.{name}", default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise CheckpointError(f"{self._file}: {self._architecture}.{name} should be a number, not {value!r}")
        return value


def _shortest(value: float) -> float:
    """GGUF keeps float32: the shortest decimal number that it stands for, 1e-05 rather than 9.9999997e-06."""
    return float(str(np.float32(value)))


def _parsed(text: str, file: Path) -> Mapping[str, Any]:
    try:
        return json.loads(text)
    except ValueError as error:
        raise CheckpointError(f"{file}: {SETTINGS_KEY} is not valid JSON ({error}); download it again") from error
