"""The decoder as an ONNX graph for ONNX Runtime on a CPU.

One graph serves context and canvas passes of any width: which new position sees which is an additive bias. Keys and
values live in buffers that the caller owns; `GroupQueryAttention` writes the new ones in place, behind the cached ones.
A graph for several sequences computes everything but the attention over all their new positions together; each has its
own attention node in every layer, since that operator takes no batch on top of a cache.
Linear layers multiply uint8 activations (one scale a row, measured in the graph) by int8 weights (one scale an output
row). Predictions are reduced inside the graph, for the wanted positions only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import numpy.typing as npt

from coder.model.checkpoint.config import ModelConfig
from coder.model.onnx import protobuf as onnx_protobuf
from coder.model.onnx.weights import DecoderWeights, Linear
from coder.model.runtime import CANDIDATES

MICROSOFT = "com.microsoft"
STANDARD_OPERATORS = 21
"""Version of the standard operator set: the first with blocked quantisation."""
ACTIVATION_ZERO = 128
"""The uint8 value that stands for 0: activations use 1..255, symmetric around it."""

KEEP_IN_GRAPH = 1024
"""Constants up to this many bytes are written into the graph; larger ones are handed over by reference."""

Array = npt.NDArray[np.generic]


@dataclass
class Graph:
    """An ONNX graph under construction: nodes, constants, and large constants kept outside the protobuf."""

    nodes: list[bytes] = field(default_factory=list)
    constants: list[bytes] = field(default_factory=list)
    external: dict[str, Array] = field(default_factory=dict)

    def constant(self, value: Array) -> str:
        """Add a constant; returns its name."""
        name = f"constant_{len(self.constants)}"
        if value.nbytes <= KEEP_IN_GRAPH:
            self.constants.append(onnx_protobuf.constant(name, value))
        else:
            self.constants.append(onnx_protobuf.external_constant(name, value))
            self.external[name] = np.ascontiguousarray(value)
        return name

    def add(
        self, operator: str, *inputs: str, domain: str = "", output: str | None = None, **attributes: float | int | str
    ) -> str:
        """Add a node of one output; returns that output's name."""
        output = output or f"{operator}_{len(self.nodes)}_output"
        self.add_many(operator, inputs, [output], domain, **attributes)
        return output

    def add_many(
        self,
        operator: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        domain: str = "",
        **attributes: float | int | str,
    ) -> None:
        """Add a node of several outputs."""
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(onnx_protobuf.node(operator, inputs, outputs, name, domain, attributes))

    def serialize(self, inputs: Sequence[bytes], outputs: Sequence[bytes]) -> bytes:
        graph = onnx_protobuf.graph("decoder", self.nodes, self.constants, inputs, outputs)
        return onnx_protobuf.model(graph, {"": STANDARD_OPERATORS, MICROSOFT: 1})


@dataclass(frozen=True)
class Activation:
    """A tensor ready to be multiplied: as it is, or quantised with a scale a row ([1, M, 1])."""

    values: str
    row_scale: str | None


class DecoderGraph:
    """Builds the graph of one decoder. `build()` returns the serialised model and its large constants.

    Inputs (M new positions of all sequences together; W wanted ones; K biases):
        tokens int64 [M]; attended_rows int64 [M], where each position is among the rows of all attentions;
        row_zeros, wanted_zeros uint8 [1, M, 1], [1, W, 1] (all ACTIVATION_ZERO); wanted int64 [W];
        given int64 [1, W, 1]; control_bias float32 [vocabulary]; bias_indices int64 [K, 3]; bias_values float32 [K].
    Inputs for each sequence n (A rows of its attention, at least 2; S with the cached ones; C capacity of the buffers):
        rows_n int64 [A], which of the M positions they are; positions_n int64 [1, A];
        attention_bias_n float32 [1, 1, A, S]; last_position_n int32 [1] (S - 1); total_length_n int32 [1] (S);
        past_key_n_i, past_value_n_i float32 [1, key-value heads, C, head size], of layer i.
    Outputs:
        tokens int64, probabilities float32 [1, W, CANDIDATES]; entropy, log_probability float32 [1, W, 1];
        present_key_n_i, present_value_n_i: the same buffers.
    """

    def __init__(self, config: ModelConfig, weights: DecoderWeights, sequences: int = 1) -> None:
        self.config = config
        self.weights = weights
        self.sequences = sequences
        self.graph = graph = Graph()
        self.last_axis = graph.constant(np.array([-1], np.int64))
        self.batch_axis = graph.constant(np.array([0], np.int64))
        self.one = graph.constant(np.array(1.0, np.float32))
        self.activation_zero = graph.constant(np.array(ACTIVATION_ZERO, np.uint8))
        self.activation_step = graph.constant(np.array(1.0 / 127.0, np.float32))
        self.smallest = graph.constant(np.array(1e-12, np.float32))
        positions = np.arange(config.max_positions + 1)[:, None] / config.rope_theta ** (
            np.arange(0, config.head_dim, 2) / config.head_dim
        )
        self.cosines = graph.constant(np.cos(positions).astype(np.float32))
        self.sines = graph.constant(np.sin(positions).astype(np.float32))

    def build(self) -> tuple[bytes, dict[str, Array]]:
        hidden = self._embedding()
        branch: str | None = None
        for index in range(self.config.num_layers):
            hidden, branch = self._layer(index, hidden, branch)
        if branch is not None:
            hidden = self.graph.add("Add", hidden, branch)
        self._predictions(hidden)
        return self._serialize(), self.graph.external

    def _embedding(self) -> str:
        graph, table = self.graph, self.weights.embedding
        rows = graph.add("Gather", graph.constant(table.values), "tokens")
        if table.scale is not None:
            scale = graph.add("Gather", graph.constant(table.scale[:, None]), "tokens")
            rows = graph.add(
                "Mul", graph.add("Cast", rows, to=onnx_protobuf.ELEMENT_TYPES[np.dtype(np.float32)]), scale
            )
        return graph.add("Unsqueeze", rows, self.batch_axis)

    def _layer(self, index: int, hidden: str, branch: str | None) -> tuple[str, str]:
        """One decoder layer: the residual stream and the branch not yet added to it, in and out."""
        graph, layer = self.graph, self.weights.layers[index]
        normed, hidden = self._add_and_norm(hidden, branch, layer.input_norm)
        queries_keys_values = self._linear(self._activation(normed, self.config.hidden_size), layer.qkv)
        attended = [self._attention(index, sequence, queries_keys_values) for sequence in range(self.sequences)]
        together = attended[0] if self.sequences == 1 else graph.add("Concat", *attended, axis=1)
        attended = graph.add("Gather", together, "attended_rows", axis=1)
        attention_size = self.config.num_heads * self.config.head_dim
        branch = self._linear(self._activation(attended, attention_size), layer.out)
        normed, hidden = self._add_and_norm(hidden, branch, layer.post_attention_norm)
        return hidden, self._feed_forward(normed, layer.gate, layer.up, layer.down)

    def _attention(self, layer: int, sequence: int, queries_keys_values: str) -> str:
        """What the rows of one sequence find, [1, A, heads x head size]."""
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

    def _feed_forward(self, normed: str, gate: Linear, up: Linear, down: Linear) -> str:
        """down(silu(gate x) * up x). The row scale of `up x` is left out of the product and joins that of `down`."""
        graph = self.graph
        inputs = self._activation(normed, self.config.hidden_size)
        gated = graph.add("QuickGelu", self._linear(inputs, gate), domain=MICROSOFT, alpha=1.0)
        product = graph.add("Mul", gated, self._unscaled(inputs, up))
        middle = self._activation(product, self.config.intermediate_size)
        if inputs.row_scale is not None and middle.row_scale is not None:
            middle = Activation(middle.values, graph.add("Mul", middle.row_scale, inputs.row_scale))
        return self._linear(middle, down)

    def _add_and_norm(self, hidden: str, branch: str | None, weight: npt.NDArray[np.float32]) -> tuple[str, str]:
        """(norm(hidden + branch), hidden + branch)."""
        graph, gamma = self.graph, self.graph.constant(weight)
        if branch is None:
            return self._norm(hidden, gamma), hidden
        normed, total = f"normed_{len(graph.nodes)}", f"hidden_{len(graph.nodes)}"
        graph.add_many(
            "SkipSimplifiedLayerNormalization", [hidden, branch, gamma], [normed, "", "", total], MICROSOFT,
            epsilon=self.config.norm_epsilon,
        )  # fmt: skip
        return normed, total

    def _norm(self, hidden: str, gamma: str) -> str:
        epsilon = self.config.norm_epsilon
        return self.graph.add("SimplifiedLayerNormalization", hidden, gamma, axis=-1, epsilon=epsilon, stash_type=1)

    def _activation(self, values: str, width: int, zeros: str = "row_zeros") -> Activation:
        """Quantise [1, rows, width], symmetrically, with one scale a row, [1, rows, 1]: a block as wide as the row."""
        if not self.weights.quantized:
            return Activation(values, None)
        graph = self.graph
        largest = graph.add("ReduceMax", graph.add("Abs", values), self.last_axis, keepdims=1)
        scale = graph.add("Mul", graph.add("Max", largest, self.smallest), self.activation_step)
        quantized = graph.add("QuantizeLinear", values, scale, zeros, axis=2, block_size=width)
        return Activation(quantized, scale)

    def _linear(self, inputs: Activation, weight: Linear) -> str:
        product = self._unscaled(inputs, weight)
        if inputs.row_scale is not None:
            product = self.graph.add("Mul", product, inputs.row_scale)
        return product if weight.bias is None else self.graph.add("Add", product, self.graph.constant(weight.bias))

    def _unscaled(self, inputs: Activation, weight: Linear, bias: str = "") -> str:
        """The product up to the activation's row scale."""
        graph = self.graph
        matrix = graph.constant(weight.values)
        if weight.scale is None:
            product = graph.add("MatMul", inputs.values, matrix)
            return graph.add("Add", product, bias) if bias else product
        return graph.add(
            "MatMulIntegerToFloat", inputs.values, matrix, self.one, graph.constant(weight.scale), self.activation_zero,
            "", bias, domain=MICROSOFT,
        )  # fmt: skip

    def _predictions(self, hidden: str) -> None:
        """Logits of the wanted positions, reduced to what a sampler needs.

        A forbidden control token carries a bias of -10^9 before the row scale, which is positive and so cannot undo it.
        """
        graph = self.graph
        rows = graph.add("Gather", hidden, "wanted", axis=1)
        normed = self._norm(rows, graph.constant(self.weights.final_norm))
        inputs = self._activation(normed, self.config.hidden_size, "wanted_zeros")
        logits = self._unscaled(inputs, self.weights.head, "control_bias")
        if inputs.row_scale is not None:
            logits = graph.add("Mul", logits, inputs.row_scale)
        logits = graph.add("ScatterND", logits, "bias_indices", "bias_values", reduction="add", output="logits")
        count = graph.constant(np.array([CANDIDATES], np.int64))
        graph.add_many("TopK", [logits, count], ["top_logits", "top_tokens"], axis=-1)
        best = graph.add("ReduceMax", "top_logits", self.last_axis, keepdims=1)
        shifted = graph.add("Sub", logits, best)
        exponentials = graph.add("Exp", shifted)
        total = graph.add("ReduceSum", exponentials, self.last_axis, keepdims=1)
        log_total = graph.add("Log", total)
        graph.add("Div", graph.add("Exp", graph.add("Sub", "top_logits", best)), total, output="top_probabilities")
        given = graph.add("GatherElements", shifted, "given", axis=2)
        graph.add("Sub", given, log_total, output="log_probability")
        weighted = graph.add("ReduceSum", graph.add("Mul", exponentials, shifted), self.last_axis, keepdims=1)
        graph.add("Sub", log_total, graph.add("Div", weighted, total), output="entropy")

    def _serialize(self) -> bytes:
        config, info = self.config, onnx_protobuf.value_info
        inputs = [
            info("tokens", np.int64, ["M"]),
            info("attended_rows", np.int64, ["M"]),
            info("wanted", np.int64, ["W"]),
            info("given", np.int64, [1, "W", 1]),
            info("control_bias", np.float32, [config.vocab_size]),
            info("bias_indices", np.int64, ["K", 3]),
            info("bias_values", np.float32, ["K"]),
        ]
        if self.weights.quantized:
            inputs += [info("row_zeros", np.uint8, [1, "M", 1]), info("wanted_zeros", np.uint8, [1, "W", 1])]
        outputs = [
            info("top_tokens", np.int64, [1, "W", CANDIDATES]),
            info("top_probabilities", np.float32, [1, "W", CANDIDATES]),
            info("entropy", np.float32, [1, "W", 1]),
            info("log_probability", np.float32, [1, "W", 1]),
        ]
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
        return self.graph.serialize(inputs, outputs)
