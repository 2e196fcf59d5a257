"""Measure for `coder.model.convert.smoothing` the largest activation of every channel, over some source code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.tokens import Tokenizer, infill
from coder.model.convert.smoothing import HEAD_STRENGTH, STRENGTH, LayerSmoothing, Smoothing, factors
from coder.model.torch.decoder import Decoder, Layer, masked_attention
from coder.model.torch.requirement import torch

Tensor = torch.Tensor

PREFIX_CHARACTERS, SUFFIX_CHARACTERS, MIDDLE_CHARACTERS = 1500, 600, 200


def calibrate(checkpoint: Checkpoint, texts: Iterable[str]) -> Smoothing:
    """Smoothing factors of each layer, from float32 context passes over a prompt cut out of each text."""
    decoder = Decoder.from_checkpoint(checkpoint, torch.device("cpu"), torch.float32).requires_grad_(False)
    largest: dict[torch.nn.Linear, Tensor] = {}

    def watch(matrix: torch.nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(matrix, torch.nn.Linear)
        channels = inputs[0].abs().flatten(0, -2).amax(0)
        largest[matrix] = torch.maximum(largest[matrix], channels) if matrix in largest else channels

    for layer in decoder.layers:
        for matrix in _matrices(layer):
            matrix.register_forward_pre_hook(watch)
    head_largest = torch.zeros(checkpoint.config.hidden_size)
    for text in texts:
        tokens = torch.tensor([calibration_prompt(checkpoint.tokenizer, text)])
        length = tokens.shape[1]
        causal = torch.ones(length, length, dtype=torch.bool).tril()
        hidden = decoder(tokens, torch.arange(length)[None], masked_attention(causal))
        head_largest = torch.maximum(head_largest, hidden.abs().flatten(0, -2).amax(0))
    layers = (_layer_smoothing(layer, largest, checkpoint.config.num_key_value_heads) for layer in decoder.layers)
    head = (decoder.head or decoder.embedding).weight.abs().amax(0)
    return Smoothing(tuple(layers), factors(head_largest.numpy(), head.numpy(), HEAD_STRENGTH))


def calibration_prompt(tokenizer: Tokenizer, text: str) -> list[int]:
    """A hole in the middle of a text, and what was in it, in the prompt's layout."""
    start = text.find("\n", len(text) // 2) + 1
    end = start + MIDDLE_CHARACTERS
    prefix, middle = text[max(0, start - PREFIX_CHARACTERS) : start], text[start:end]
    suffix = text[end : end + SUFFIX_CHARACTERS]
    prompt = infill(tokenizer.control, tokenizer.encode(prefix), tokenizer.encode(suffix))
    return [*prompt, *tokenizer.encode(middle), tokenizer.control.fim_end]


def _layer_smoothing(
    layer: torch.nn.Module, largest: dict[torch.nn.Linear, Tensor], key_value_heads: int
) -> LayerSmoothing:
    qkv, out, gate_up, down = ((largest[matrix], matrix.weight.abs().amax(0)) for matrix in _matrices(layer))

    def of_values(channels: Tensor) -> Tensor:
        """The query heads of a group read the same values, so they share their factors."""
        assert isinstance(layer, Layer)
        return channels.view(key_value_heads, -1, layer.head_dim).amax(1).flatten()

    out = of_values(out[0]), of_values(out[1])
    return LayerSmoothing(
        *(factors(peaks.numpy(), weight.numpy(), STRENGTH) for peaks, weight in (qkv, out, gate_up, down))
    )


def _matrices(layer: torch.nn.Module) -> Sequence[torch.nn.Linear]:
    assert isinstance(layer, Layer)
    return layer.query_key_value, layer.output, layer.inward, layer.down
