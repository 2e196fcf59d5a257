"""A Llama or Qwen2 decoder in a GGUF file, as the parts of a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from coder.errors import CheckpointError
from coder.model.checkpoint.config import ARCHITECTURES
from coder.model.checkpoint.gguf_file import Kind, open_gguf
from coder.model.checkpoint.gguf_names import head_size, tensors_of_gguf
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
        """Raises CheckpointError when the file is damaged, or no plain Llama or Qwen2 decoder."""
        self._file = file
        self._gguf = opened = open_gguf(file)
        self._architecture = architecture = str(opened.value("general.architecture"))
        if architecture not in ARCHITECTURES:
            raise CheckpointError(
                f"{file} holds a decoder of architecture {architecture!r}; only {', '.join(ARCHITECTURES)} fit"
            )
        if "rope_freqs.weight" in opened.tensors or opened.value(f"{architecture}.rope.scaling.type", "none") != "none":
            raise CheckpointError(f"{file} scales its RoPE frequencies, which is not supported; choose another model")
        if architecture == "llama" and (biased := sorted(name for name in opened.tensors if name.endswith(".bias"))):
            raise CheckpointError(f"{file} holds {biased[0]}; decoders with biases are not supported")
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
        heads = self._number("attention.head_count")
        settings: dict[str, Any] = {
            "architectures": [ARCHITECTURES[self._architecture]],
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
            "rms_norm_eps": _shortest(self._number("attention.layer_norm_rms_epsilon")),
            "hidden_act": "silu",
            "tie_word_embeddings": tied,
        }
        if self._number("rope.dimension_count", settings["head_dim"]) != settings["head_dim"]:
            raise CheckpointError(f"{self._file} turns a part of each head only, which is not supported")
        if (end := self._gguf.value("tokenizer.ggml.bos_token_id", None)) is not None:
            settings |= {"bos_token_id": end, "eos_token_id": end}
        if (ours := self._gguf.value(SETTINGS_KEY, None)) is not None:
            settings["quickfill"] = _parsed(ours, self._file)
        return settings

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
