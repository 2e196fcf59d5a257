"""The local autoregression as an ONNX graph, from the states of a pass to the head; see `runtime.LocalStep`."""

from __future__ import annotations

import numpy as np

from coder.model.checkpoint.checkpoint import LOCAL_EPSILON
from coder.model.onnx import protobuf as onnx_protobuf
from coder.model.onnx.graph import MICROSOFT, BuiltGraph
from coder.model.onnx.layers import Layers
from coder.model.onnx.weights import DecoderWeights, Norm


class LocalGraph(Layers):
    """Builds the graph.

    Inputs: states float32 [1, W, hidden], before the decoder's last norm; before int64 [2, W], the token before each
    slot and the one before that; wanted_zeros uint8 [1, W, 1] (all ACTIVATION_ZERO). Output: outputs float32 [1, W,
    hidden].
    """

    def __init__(self, weights: DecoderWeights) -> None:
        super().__init__(weights)
        assert weights.local is not None
        self.local = weights.local

    def build(self) -> BuiltGraph:
        graph, local, hidden = self.graph, self.local, self.config.hidden_size
        states = self.norm("states", local.final_norm)
        normed = self.norm(states, Norm(np.ones(hidden, np.float32)), LOCAL_EPSILON)
        inputs = graph.add("Concat", normed, self._embedding_before(0), self._embedding_before(1), axis=-1)
        inner = self.linear(self.activation(inputs, 3 * hidden, "wanted_zeros"), local.inner)
        gated = graph.add("QuickGelu", inner, domain=MICROSOFT, alpha=1.0)
        outer = self.linear(self.activation(gated, len(local.outer.values), "wanted_zeros"), local.outer)
        graph.add("Div", graph.add("Add", states, outer), graph.constant(local.head_smoothing), output="outputs")
        info = onnx_protobuf.value_info
        inputs = [
            info("states", np.float32, [1, "W", hidden]),
            info("before", np.int64, [2, "W"]),
            *self.zeros_input("wanted_zeros", "W"),
        ]
        return graph.built(inputs, [info("outputs", np.float32, [1, "W", hidden])])

    def _embedding_before(self, distance: int) -> str:
        tokens = self.graph.add("Gather", "before", self.graph.constant(np.array(distance, np.int64)), axis=0)
        scale = self.graph.constant(self.local.embedding_scale)
        return self.graph.add("Mul", self.embedding(tokens), scale)
