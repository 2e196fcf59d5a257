"""The decoder on ONNX Runtime: int8 on any CPU, without PyTorch."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import onnxruntime

from coder.errors import CheckpointError
from coder.model import onnx_protobuf
from coder.model.checkpoint import Checkpoint
from coder.model.config import ModelConfig
from coder.model.onnx_cache import OnnxCache
from coder.model.onnx_graph import ACTIVATION_ZERO, STANDARD_OPERATORS, DecoderGraph
from coder.model.onnx_weights import DecoderWeights
from coder.model.runtime import CANDIDATES, Cache, Pass, Predictions

HIDDEN_FROM = np.float32(-1e9)
"""What is added to an attention score or a logit that must not count."""

WEIGHT_LEVELS: dict[int, int | None] = {8: 127, 7: 63, 32: None}
"""Largest magnitude of a weight by its bits; None leaves weights in float32."""

PRECISIONS = {
    8: "int8, 8-bit weights: this processor's products of them are exact",
    7: "int8, 7-bit weights: this processor's products of wider ones saturate",
    32: "float32",
}

Array = npt.NDArray[np.generic]


class OnnxRuntime:
    """A decoder in ONNX Runtime on the CPU. See `Runtime` for what it answers."""

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        config: ModelConfig,
        description: dict[str, str],
        constants: Mapping[str, Array],
    ) -> None:
        self._session = session
        self._config = config
        self._description = description
        self._constants = constants
        """The session reads them where they are, so they must live as long as it does."""
        self._control_bias: dict[tuple[int, ...], npt.NDArray[np.float32]] = {}
        self._quantized = any(value.name == "row_zeros" for value in session.get_inputs())

    @staticmethod
    def load(checkpoint: Checkpoint, threads: int | None = None, weight_bits: int | None = None) -> OnnxRuntime:
        """Build the graph from a checkpoint.

        Args:
            threads: of the matrix products; None uses every core this process may run on, at most 8.
            weight_bits: 8 or 7 for int8 products, 32 for float32; None chooses 8 where this processor's int8 products
                are exact with 8 bits, else 7.

        Raises CheckpointError for a head size that ONNX Runtime's attention cannot run.
        """
        if checkpoint.config.head_dim % 16:
            raise CheckpointError(
                f"config.json: head_dim is {checkpoint.config.head_dim}; ONNX Runtime's attention needs a multiple of "
                "16, so run this checkpoint with --runtime torch"
            )
        bits = weight_bits or (7 if products_saturate() else 8)
        threads = threads or available_cores()
        serialized, constants = DecoderGraph(checkpoint.config, DecoderWeights(checkpoint, WEIGHT_LEVELS[bits])).build()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in constants.values()]
        options.add_external_initializers(list(constants), values)
        session = onnxruntime.InferenceSession(serialized, options, providers=["CPUExecutionProvider"])
        description = {
            "runtime": f"ONNX Runtime {onnxruntime.__version__}, CPU",
            "precision": PRECISIONS[bits],
            "threads": str(threads),
        }
        return OnnxRuntime(session, checkpoint.config, description, constants)

    @property
    def config(self) -> ModelConfig:
        return self._config

    @property
    def description(self) -> dict[str, str]:
        return self._description

    def new_cache(self) -> OnnxCache:
        return OnnxCache(self._session, self._config)

    def forward(self, cache: Cache, request: Pass) -> Predictions:
        assert isinstance(cache, OnnxCache)
        wanted = len(request.wanted)
        binding = cache.reserve(len(cache.tokens) + len(request.tokens))
        inputs = self._position_inputs(len(cache.tokens), request) | self._prediction_inputs(request)
        for name, value in inputs.items():
            binding.bind_cpu_input(name, value)
        results = {
            "top_tokens": np.empty((1, wanted, CANDIDATES), np.int64),
            "top_probabilities": np.empty((1, wanted, CANDIDATES), np.float32),
            "entropy": np.empty((1, wanted, 1), np.float32),
            "log_probability": np.empty((1, wanted, 1), np.float32),
        }
        for name, value in results.items():
            binding.bind_ortvalue_output(name, onnxruntime.OrtValue.ortvalue_from_numpy(value))
        self._session.run_with_iobinding(binding)
        cache.tokens.extend(request.tokens[: request.commit])
        probabilities = results["top_probabilities"][0]
        return Predictions(
            tokens=results["top_tokens"][0],
            probabilities=probabilities,
            entropy=results["entropy"].reshape(wanted),
            log_probability=np.log(probabilities[:, 0])
            if request.given is None
            else results["log_probability"].reshape(wanted),
        )

    def _position_inputs(self, cached: int, request: Pass) -> dict[str, Array]:
        """What the graph needs to know of the new positions."""
        config, new = self._config, len(request.tokens)
        # A single row takes other float kernels in the attention, whose last bit differs, and quantisation makes that
        # visible. From two rows on every width gives the same bits, so a single one gets a spare one behind it.
        spare = 1 if new == 1 else 0
        rows, total = new + spare, cached + new + spare
        width = (config.num_heads + 2 * config.num_key_value_heads) * config.head_dim
        inputs: dict[str, Array] = {
            "tokens": np.asarray(request.tokens, np.int64),
            "positions": np.arange(cached, total)[None],
            "attention_bias": attention_bias(cached, rows, request.causal or spare == 1),
            "last_position": np.array([total - 1], np.int32),
            "total_length": np.array([total], np.int32),
            "spare_row": np.zeros((1, spare, width), np.float32),
            "new_rows": np.array([new], np.int64),
        }
        if self._quantized:
            inputs["row_zeros"] = np.full((1, new, 1), ACTIVATION_ZERO, np.uint8)
        return inputs

    def _prediction_inputs(self, request: Pass) -> dict[str, Array]:
        """What the graph needs to know of the wanted predictions."""
        wanted, bias = len(request.wanted), request.bias
        given = [0] * wanted if request.given is None else request.given
        inputs: dict[str, Array] = {
            "wanted": np.asarray(request.wanted, np.int64),
            "given": np.asarray(given, np.int64).reshape(1, wanted, 1),
            "control_bias": self._control_bias_for(request.control_tokens),
            "bias_indices": np.stack([np.zeros_like(bias.rows), bias.rows, bias.tokens], axis=1),
            "bias_values": bias.values,
        }
        if self._quantized:
            inputs["wanted_zeros"] = np.full((1, wanted, 1), ACTIVATION_ZERO, np.uint8)
        return inputs

    def _control_bias_for(self, allowed: tuple[int, ...]) -> npt.NDArray[np.float32]:
        """float32 [vocabulary]: 0, and a large negative number for control tokens that are not allowed."""
        if allowed not in self._control_bias:
            bias = np.zeros(self._config.vocab_size, np.float32)
            bias[self._config.control.forbidden(allowed)] = HIDDEN_FROM
            self._control_bias[allowed] = bias
        return self._control_bias[allowed]


def attention_bias(cached: int, new: int, causal: bool) -> npt.NDArray[np.float32]:
    """float32 [1, 1, new, cached + new]: 0 where a new position may look, a large negative number elsewhere."""
    bias = np.zeros((1, 1, new, cached + new), np.float32)
    if causal and new > 1:
        bias[0, 0, :, cached:] = np.triu(np.full((new, new), HIDDEN_FROM), 1)
    return bias


def available_cores(most: int = 8) -> int:
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), most)
    return min(os.cpu_count() or 1, most)


def products_saturate() -> bool:
    """Whether this processor's uint8 x int8 products overflow their 16-bit pair sums, as AVX2 without VNNI does.

    Asked of a one-node graph with the most extreme values.
    """
    depth, columns = 64, 16
    weights = onnx_protobuf.constant("b", np.full((depth, columns), 127, np.int8))
    graph = onnx_protobuf.graph(
        "probe",
        [onnx_protobuf.node("MatMulInteger", ["a", "b"], ["product"], "product")],
        [weights],
        [onnx_protobuf.value_info("a", np.uint8, ["rows", depth])],
        [onnx_protobuf.value_info("product", np.int32, ["rows", columns])],
    )
    model = onnx_protobuf.model(graph, {"": STANDARD_OPERATORS})
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (product,) = session.run(None, {"a": np.full((2, depth), 255, np.uint8)})
    return bool((np.asarray(product) != depth * 255 * 127).any())
