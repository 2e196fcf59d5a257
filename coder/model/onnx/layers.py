"""The layers that all graphs are made of: quantised products, norms, and the head with its distribution.

Linear layers multiply uint8 activations (one scale a row, measured in the graph) by int8 weights (one scale an output
row). Predictions are reduced inside the graph, since moving the logits out would cost more than computing them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coder.model.checkpoint.config import ModelConfig
from coder.model.onnx import protobuf as onnx_protobuf
from coder.model.onnx.graph import MICROSOFT, BuiltGraph, Graph
from coder.model.onnx.weights import DecoderWeights, Linear, Norm
from coder.model.runtime import CANDIDATES

ACTIVATION_ZERO = 128
"""The uint8 value that stands for 0: activations use 1..255, symmetric around it."""


@dataclass(frozen=True)
class Activation:
    """A tensor ready to be multiplied: as it is, or quantised with a scale a row ([1, M, 1])."""

    values: str
    row_scale: str | None


class Layers:
    """Adds layers to a graph."""

    def __init__(self, weights: DecoderWeights) -> None:
        self.config: ModelConfig = weights.config
        self.weights = weights
        self.graph = graph = Graph()
        self.last_axis = graph.constant(np.array([-1], np.int64))
        self.batch_axis = graph.constant(np.array([0], np.int64))
        self.one = graph.constant(np.array(1.0, np.float32))
        self.activation_zero = graph.constant(np.array(ACTIVATION_ZERO, np.uint8))
        self.activation_step = graph.constant(np.array(1.0 / 127.0, np.float32))
        self.smallest = graph.constant(np.array(1e-12, np.float32))

    def embedding(self, tokens: str) -> str:
        """Embeddings, float32 [1, M, hidden], of int64 `tokens` [M]."""
        graph, table = self.graph, self.weights.embedding
        rows = graph.add("Gather", graph.constant(table.values), tokens)
        if table.scale is not None:
            scale = graph.add("Gather", graph.constant(table.scale[:, None]), tokens)
            rows = graph.add(
                "Mul", graph.add("Cast", rows, to=onnx_protobuf.ELEMENT_TYPES[np.dtype(np.float32)]), scale
            )
        return graph.add("Unsqueeze", rows, self.batch_axis)

    def zeros_input(self, name: str, size: str) -> list[bytes]:
        """The declaration of the uint8 zeros [1, size, 1] that `activation` takes; none for weights in float."""
        return [onnx_protobuf.value_info(name, np.uint8, [1, size, 1])] if self.weights.quantized else []

    def norm(self, hidden: str, norm: Norm, epsilon: float | None = None, output: str | None = None) -> str:
        """A norm, with the model's epsilon unless another is given."""
        epsilon = self.config.norm_epsilon if epsilon is None else epsilon
        operator = "SimplifiedLayerNormalization" if norm.bias is None else "LayerNormalization"
        constants = self.norm_constants(norm)
        return self.graph.add(operator, hidden, *constants, output=output, axis=-1, epsilon=epsilon, stash_type=1)

    def norm_constants(self, norm: Norm) -> list[str]:
        """The parameters of a norm, in the order in which its operators take them."""
        return [self.graph.constant(vector) for vector in (norm.weight, norm.bias) if vector is not None]

    def activation(self, values: str, width: int, zeros: str = "row_zeros") -> Activation:
        """Quantise [1, rows, width], symmetrically, with one scale a row, [1, rows, 1]: a block as wide as the row."""
        if not self.weights.quantized:
            return Activation(values, None)
        graph = self.graph
        largest = graph.add("ReduceMax", graph.add("Abs", values), self.last_axis, keepdims=1)
        scale = graph.add("Mul", graph.add("Max", largest, self.smallest), self.activation_step)
        quantized = graph.add("QuantizeLinear", values, scale, zeros, axis=2, block_size=width)
        return Activation(quantized, scale)

    def linear(self, inputs: Activation, weight: Linear) -> str:
        product = self.unscaled(inputs, weight)
        if inputs.row_scale is not None:
            product = self.graph.add("Mul", product, inputs.row_scale)
        return product if weight.bias is None else self.graph.add("Add", product, self.graph.constant(weight.bias))

    def unscaled(self, inputs: Activation, weight: Linear, bias: str = "") -> str:
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


class HeadGraph(Layers):
    """Builds the head: what a decoder or its local autoregression comes to, as predictions. A graph of its own, since
    all others share it, and its weights are a ninth of all.

    Inputs (W wanted predictions; K biases):
        outputs float32 [1, W, hidden], behind the last norm; wanted_zeros uint8 [1, W, 1] (all ACTIVATION_ZERO);
        given int64 [1, W, 1]; control_bias float32 [vocabulary]; bias_indices int64 [K, 3]; bias_values float32 [K].
    Outputs: tokens int64, probabilities float32 [1, W, CANDIDATES]; entropy, log_probability float32 [1, W, 1].
    """

    def build(self) -> BuiltGraph:
        graph, info, hidden = self.graph, onnx_protobuf.value_info, self.config.hidden_size
        self._distribution(self.activation("outputs", hidden, "wanted_zeros"))
        inputs = [
            info("outputs", np.float32, [1, "W", hidden]),
            info("given", np.int64, [1, "W", 1]),
            info("control_bias", np.float32, [self.config.vocab_size]),
            info("bias_indices", np.int64, ["K", 3]),
            info("bias_values", np.float32, ["K"]),
            *self.zeros_input("wanted_zeros", "W"),
        ]
        outputs = [
            info("top_tokens", np.int64, [1, "W", CANDIDATES]),
            info("top_probabilities", np.float32, [1, "W", CANDIDATES]),
            info("entropy", np.float32, [1, "W", 1]),
            info("log_probability", np.float32, [1, "W", 1]),
        ]
        return graph.built(inputs, outputs)

    def _distribution(self, inputs: Activation) -> None:
        """The logits of [1, W, hidden], reduced to what a sampler needs: outputs of the graph.

        A forbidden control token carries a bias of -10^9 before the row scale, which is positive and so cannot undo it.
        """
        graph = self.graph
        logits = self.unscaled(inputs, self.weights.head, "control_bias")
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
