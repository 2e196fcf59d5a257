"""The decoder as an ONNX graph for ONNX Runtime on a CPU.

One graph serves context and canvas passes of any width: which new position sees which is an additive bias. Keys and
values live in buffers that the caller owns; `GroupQueryAttention` writes the new ones in place, behind the cached ones.
A graph for several sequences computes everything but the attention over all their new positions together; each has its
own attention node in every layer, since that operator takes no batch on top of a cache.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from coder.model.onnx import protobuf as onnx_protobuf
from coder.model.onnx.graph import MICROSOFT, BuiltGraph
from coder.model.onnx.layers import Activation, Layers
from coder.model.onnx.weights import DecoderWeights, LayerWeights, Linear, Norm


class DecoderGraph(Layers):
    """Builds the graph of one decoder.

    Inputs (M new positions of all sequences together; W wanted ones):
        tokens int64 [M]; attended_rows int64 [M], where each position is among the rows of all attentions;
        row_zeros uint8 [1, M, 1] (all ACTIVATION_ZERO); wanted int64 [W].
    Inputs for each sequence n (A rows of its attention, at least 2; S with the cached ones; C capacity of the buffers):
        rows_n int64 [A], which of the M positions they are; positions_n int64 [1, A];
        attention_bias_n float32 [1, 1, A, S]; last_position_n int32 [1] (S - 1); total_length_n int32 [1] (S);
        past_key_n_i, past_value_n_i float32 [1, key-value heads, C, head size], of layer i.
    Outputs:
        states, outputs float32 [1, W, hidden], before and behind the last norm;
        present_key_n_i, present_value_n_i: the same buffers.
    """

    def __init__(self, weights: DecoderWeights, sequences: int = 1) -> None:
        super().__init__(weights)
        config, graph = self.config, self.graph
        self.sequences = sequences
        frequencies, amplitude = config.rope.frequencies(config.rope_theta, config.head_dim), config.rope.amplitude
        angles = np.arange(config.max_positions + 1)[:, None] * frequencies
        self.cosines = graph.constant((np.cos(angles) * amplitude).astype(np.float32))
        self.sines = graph.constant((np.sin(angles) * amplitude).astype(np.float32))

    def build(self) -> BuiltGraph:
        hidden = self.embedding("tokens")
        branch: str | None = None
        for index in range(self.config.num_layers):
            hidden, branch = self._layer(index, hidden, branch)
        if branch is not None:
            hidden = self.graph.add("Add", hidden, branch)
        states = self.graph.add("Gather", hidden, "wanted", axis=1, output="states")
        self.norm(states, self.weights.final_norm, output="outputs")
        return self._built()

    def _layer(self, index: int, hidden: str, branch: str | None) -> tuple[str, str]:
        """One decoder layer: the residual stream and the branch not yet added to it, in and out."""
        graph, layer = self.graph, self.weights.layers[index]
        normed, hidden = self._add_and_norm(hidden, branch, layer.input_norm)
        queries_keys_values = self.linear(self.activation(normed, self.config.hidden_size), layer.qkv)
        attended = [self._attention(index, sequence, queries_keys_values) for sequence in range(self.sequences)]
        together = attended[0] if self.sequences == 1 else graph.add("Concat", *attended, axis=1)
        attended = graph.add("Gather", together, "attended_rows", axis=1)
        attention_size = self.config.num_heads * self.config.head_dim
        branch = self.linear(self.activation(attended, attention_size), layer.out)
        normed, hidden = self._add_and_norm(hidden, branch, layer.post_attention_norm)
        return hidden, self._feed_forward(normed, layer)

    def _attention(self, layer: int, sequence: int, queries_keys_values: str) -> str:
        """Return the attention's output for the rows of one sequence, [1, A, heads x head size]."""
        buffer, attended = f"{sequence}_{layer}", f"attended_{sequence}_{layer}"
        rows = self.graph.add("Gather", queries_keys_values, f"rows_{sequence}", axis=1)
        self.graph.add_many(
            "GroupQueryAttention",
            [rows, "", "", f"past_key_{buffer}", f"past_value_{buffer}", f"last_position_{sequence}",
             f"total_length_{sequence}", self.cosines, self.sines, f"positions_{sequence}",
             f"attention_bias_{sequence}"],
            [attended, f"present_key_{buffer}", f"present_value_{buffer}"],
            MICROSOFT,
            num_heads=self.config.num_heads,
            kv_num_heads=self.config.num_key_value_heads,
            do_rotary=1,
            causal=0,
        )  # fmt: skip
        return attended

    def _feed_forward(self, normed: str, layer: LayerWeights) -> str:
        graph = self.graph
        inputs = self.activation(normed, self.config.hidden_size)
        if layer.gate is not None:
            middle = self._gated(inputs, layer.gate, layer.up)
        else:
            middle = graph.add("Gelu", self.linear(inputs, layer.up), approximate="tanh")
            middle = self.activation(middle, self.config.intermediate_size)
        return self.linear(middle, layer.down)

    def _gated(self, inputs: Activation, gate: Linear, up: Linear) -> Activation:
        """silu(gate x) * up x. Where `up` has no bias, the row scale of its product is left out, and joins that of the
        whole."""
        graph = self.graph
        gated = graph.add("QuickGelu", self.linear(inputs, gate), domain=MICROSOFT, alpha=1.0)
        raised = self.unscaled(inputs, up) if up.bias is None else self.linear(inputs, up)
        middle = self.activation(graph.add("Mul", gated, raised), self.config.intermediate_size)
        if up.bias is not None or inputs.row_scale is None or middle.row_scale is None:
            return middle
        return Activation(middle.values, graph.add("Mul", middle.row_scale, inputs.row_scale))

    def _add_and_norm(self, hidden: str, branch: str | None, norm: Norm) -> tuple[str, str]:
        """(norm(hidden + branch), hidden + branch)."""
        graph = self.graph
        if branch is None:
            return self.norm(hidden, norm), hidden
        normed, total = f"normed_{len(graph.nodes)}", f"hidden_{len(graph.nodes)}"
        operator = "SkipSimplifiedLayerNormalization" if norm.bias is None else "SkipLayerNormalization"
        graph.add_many(
            operator, [hidden, branch, *self.norm_constants(norm)], [normed, "", "", total], MICROSOFT,
            epsilon=self.config.norm_epsilon,
        )  # fmt: skip
        return normed, total

    def _built(self) -> BuiltGraph:
        config, info = self.config, onnx_protobuf.value_info
        inputs = [
            info("tokens", np.int64, ["M"]),
            info("attended_rows", np.int64, ["M"]),
            info("wanted", np.int64, ["W"]),
            *self.zeros_input("row_zeros", "M"),
        ]
        outputs = [info(name, np.float32, [1, "W", config.hidden_size]) for name in ("states", "outputs")]
        for sequence in range(self.sequences):
            rows, total = f"A{sequence}", f"S{sequence}"
            inputs += [
                info(f"rows_{sequence}", np.int64, [rows]),
                info(f"positions_{sequence}", np.int64, [1, rows]),
                info(f"attention_bias_{sequence}", np.float32, [1, 1, rows, total]),
                info(f"last_position_{sequence}", np.int32, [1]),
                info(f"total_length_{sequence}", np.int32, [1]),
            ]
            buffer = [1, config.num_key_value_heads, f"C{sequence}", config.head_dim]
            for kind, layer in product(("key", "value"), range(config.num_layers)):
                inputs.append(info(f"past_{kind}_{sequence}_{layer}", np.float32, buffer))
                outputs.append(info(f"present_{kind}_{sequence}_{layer}", np.float32, buffer))
        return self.graph.built(inputs, outputs)
