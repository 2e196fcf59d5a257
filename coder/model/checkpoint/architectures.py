"""The decoders of transformers that can be run, described by what sets their layers apart.

All have an embedding, layers, a last norm and a head. A layer is causal grouped-query attention with rotary positions,
then a feed-forward network, each behind a norm and beside a residual stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from coder.errors import CheckpointError
from coder.model.checkpoint.config_fields import flag

Norm = Literal["rms", "layer"]
"""RMSNorm; or LayerNorm, which has a bias."""


@dataclass(frozen=True)
class FeedForward:
    """A feed-forward network: its activation, and its matrices by transformers' names.

    Attributes:
        activation: as `hidden_act` of `config.json` has it: SiLU, or GELU approximated by a hyperbolic tangent.
        gate: down(activation(gate x) * up x); without one down(activation(up x)).
    """

    activation: Literal["silu", "gelu_pytorch_tanh"]
    up: str
    down: str
    gate: str | None = None

    @property
    def inward(self) -> tuple[str, ...]:
        """The matrices that the layer's input is multiplied by."""
        return (self.up,) if self.gate is None else (self.gate, self.up)


SWIGLU = FeedForward("silu", "up_proj", "down_proj", gate="gate_proj")
GELU = FeedForward("gelu_pytorch_tanh", "c_fc", "c_proj")


@dataclass(frozen=True)
class LayerForm:
    """The form of a decoder's layers.

    Attributes:
        projection_bias: of queries, keys and values. output_bias: of the attention's output. feed_forward_bias: of all
            matrices there.
        head_norms: of queries and keys, each head (Qwen3).
    """

    norm: Norm = "rms"
    feed_forward: FeedForward = SWIGLU
    projection_bias: bool = False
    output_bias: bool = False
    feed_forward_bias: bool = False
    head_norms: bool = False


LLAMA = LayerForm()


@dataclass(frozen=True)
class Architecture:
    """A `model_type`: its class in transformers, its layers, and the fields of `config.json` that say more.

    Attributes:
        projection_bias, output_bias, feed_forward_bias: see `LayerForm`; a text is the field that says it.
        epsilon: the field of the norms' epsilon. window: that of the sliding window, where attention has one.
        defaults: the values of fields that `config.json` may leave out, where they are not false.
    """

    class_name: str
    norm: Norm = "rms"
    feed_forward: FeedForward = SWIGLU
    projection_bias: bool | str = False
    output_bias: bool | str = False
    feed_forward_bias: bool | str = False
    epsilon: str = "rms_norm_eps"
    window: str | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def layers(self, config: Mapping[str, Any]) -> LayerForm:
        """The form of the layers of a model with this `config.json`. Raises CheckpointError."""

        def said(bias: bool | str) -> bool:
            return flag(config, bias) if isinstance(bias, str) else bias

        biases = map(said, (self.projection_bias, self.output_bias, self.feed_forward_bias))
        return LayerForm(self.norm, self.feed_forward, *biases)

    def require_activation(self, config: Mapping[str, Any]) -> None:
        """Raise CheckpointError unless `config.json` names the activation that this architecture is run with."""
        usual = self.feed_forward.activation
        if (named := config.get("hidden_act", usual)) != usual:
            raise CheckpointError(f"config.json: hidden_act is {named!r}; only {usual!r} is supported")


ARCHITECTURES = {
    "llama": Architecture(
        "LlamaForCausalLM",
        projection_bias="attention_bias",
        output_bias="attention_bias",
        feed_forward_bias="mlp_bias",
    ),
    "qwen2": Architecture("Qwen2ForCausalLM", projection_bias=True),
    "starcoder2": Architecture(
        "Starcoder2ForCausalLM",
        norm="layer",
        feed_forward=GELU,
        projection_bias="use_bias",
        output_bias="use_bias",
        feed_forward_bias="use_bias",
        epsilon="norm_epsilon",
        window="sliding_window",
        defaults={"use_bias": True, "tie_word_embeddings": True},
    ),
}
"""By `model_type`."""
