"""The decoder on ONNX Runtime: int8 on any CPU, without PyTorch."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import onnxruntime

from coder.errors import CheckpointError
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.config import ModelConfig
from coder.model.freed_memory import give_back_freed_memory
from coder.model.onnx import protobuf as onnx_protobuf
from coder.model.onnx.decoder_graph import DecoderGraph
from coder.model.onnx.graph import STANDARD_OPERATORS, BuiltGraph
from coder.model.onnx.layers import HeadGraph
from coder.model.onnx.local import LocalGraph
from coder.model.onnx.passes import (
    HIDDEN_FROM,
    Array,
    OnnxCache,
    head_inputs,
    joint_inputs,
    local_inputs,
    prediction_results,
    sequence_inputs,
    split_results,
    token_bias,
)
from coder.model.onnx.preparing import Progress, weights_of
from coder.model.onnx.weights import DecoderWeights
from coder.model.runtime import Cache, LocalStep, Pass, Predictions, Runtime

Floats = npt.NDArray[np.float32]

UNUSED = Pass([0])
"""The pass of a sequence that takes no part: none of its rows leave the attention."""


EXTERNAL_FOLDER = "session.model_external_initializers_file_folder_path"
SPINNING_STOP = "session.force_spinning_stop"
SHRINKAGE = "memory.enable_memory_arena_shrinkage"


class Session:
    """A graph in ONNX Runtime. Its large constants are read where they are: those in memory live as long as it does."""

    def __init__(self, weights: DecoderWeights, graph: BuiltGraph, threads: int) -> None:
        self._in_memory = graph.in_memory
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Threads of one session that still wait for work would take the processor from the next one.
        options.add_session_config_entry(SPINNING_STOP, "1")
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in graph.in_memory.values()]
        options.add_external_initializers(list(graph.in_memory), values)
        if graph.folder is not None:
            options.add_session_config_entry(EXTERNAL_FOLDER, str(graph.folder))
        self._session = onnxruntime.InferenceSession(graph.model, options, providers=["CPUExecutionProvider"])
        give_back_freed_memory()
        self._config = weights.config
        self._quantized = weights.quantized
        # What a wide pass took is free for other uses behind it. Without the arena the pages of each large product
        # would be had from the system anew, which makes reading a text a quarter slower.
        self._run_options = onnxruntime.RunOptions()
        self._run_options.add_run_config_entry(SHRINKAGE, "cpu:0")

    def _run(self, binding: onnxruntime.IOBinding, inputs: Mapping[str, Array], results: Mapping[str, Array]) -> None:
        """Run the graph on inputs, besides those that are bound already; results are what it writes into."""
        for name, value in inputs.items():
            binding.bind_cpu_input(name, value)
        for name, value in results.items():
            binding.bind_ortvalue_output(name, onnxruntime.OrtValue.ortvalue_from_numpy(value))
        self._session.run_with_iobinding(binding, self._run_options)


class HeadSession(Session):
    """The head: predictions from what the other sessions come to."""

    def __init__(self, weights: DecoderWeights, threads: int) -> None:
        super().__init__(weights, HeadGraph(weights).build(), threads)
        self._control_bias: dict[tuple[int, ...], Floats] = {}

    def run(
        self, outputs: Floats, requests: Sequence[Pass] | Sequence[LocalStep], states: Floats | None = None
    ) -> list[Predictions]:
        """The predictions of each request from the outputs [1, W, hidden] of all; states go along."""
        allowed = tuple(sorted({token for request in requests for token in request.control_tokens}))
        inputs = head_inputs(outputs, requests, self._quantized) | token_bias(requests, self._config.control, allowed)
        inputs["control_bias"] = self._control_bias_for(allowed)
        results = prediction_results(outputs.shape[1])
        self._run(self._session.io_binding(), inputs, results)
        return split_results(results, requests, states)

    def _control_bias_for(self, allowed: tuple[int, ...]) -> Floats:
        """float32 [vocabulary]: 0, and a large negative number for control tokens that are not allowed."""
        if allowed not in self._control_bias:
            bias = np.zeros(self._config.vocab_size, np.float32)
            bias[self._config.control.forbidden(allowed)] = HIDDEN_FROM
            self._control_bias[allowed] = bias
        return self._control_bias[allowed]


class LocalSession(Session):
    """Runs steps of the local autoregression, up to the head."""

    def __init__(self, weights: DecoderWeights, threads: int) -> None:
        super().__init__(weights, LocalGraph(weights).build(), threads)

    def run(self, step: LocalStep) -> Floats:
        outputs = np.empty((1, step.count, self._config.hidden_size), np.float32)
        self._run(self._session.io_binding(), local_inputs(step, self._quantized), {"outputs": outputs})
        return outputs


class DecoderSession(Session):
    """Runs up to `sequences` passes at once, up to the head. Several sessions of the same weights share these, but for
    the copies in another layout that ONNX Runtime makes for its products."""

    def __init__(self, weights: DecoderWeights, sequences: int, threads: int) -> None:
        super().__init__(weights, DecoderGraph(weights, sequences).build(), threads)
        self._unused = [OnnxCache(weights.config, capacity=3) for _ in range(sequences)]

    def run(self, caches: Sequence[OnnxCache], passes: Sequence[Pass]) -> tuple[Floats, Floats]:
        """The outputs and the states [1, W, hidden] of one pass for each cache; the committed tokens join the caches.

        Raises InputError when a sequence would be longer than the model's positions.
        """
        for cache, request in zip(caches, passes, strict=True):
            cache.reserve(len(cache.tokens) + len(request.tokens))
        binding = self._session.io_binding()
        inputs = joint_inputs(passes, self._quantized)
        first = 0
        for sequence, (cache, request) in enumerate(zip(caches, passes, strict=True)):
            cache.bind(binding, sequence)
            inputs |= sequence_inputs(sequence, first, len(cache.tokens), request, self._config.attention.window)
            first += len(request.tokens)
        for sequence in range(len(passes), len(self._unused)):
            self._unused[sequence].bind(binding, sequence)
            inputs |= sequence_inputs(sequence, 0, 0, UNUSED)
        shape = 1, len(inputs["wanted"]), self._config.hidden_size
        outputs, states = np.empty(shape, np.float32), np.empty(shape, np.float32)
        self._run(binding, inputs, {"outputs": outputs, "states": states})
        for cache, request in zip(caches, passes, strict=True):
            cache.tokens.extend(request.tokens[: request.commit])
        return outputs, states


SEQUENCES = 8
"""The number of sequences that the graph for several is built for. Those that take no part cost little."""

WIDE = 64
"""Passes over more positions than this gain nothing from company, and take memory; they run alone."""

WEIGHT_LEVELS: dict[int, int | None] = {8: 127, 7: 63, 32: None}
"""Largest magnitude of a weight by its bits; None leaves weights in float32."""

PRECISIONS = {
    8: "int8, 8-bit weights: this processor's products of them are exact",
    7: "int8, 7-bit weights: this processor's products of wider ones saturate",
    32: "float32",
}


class OnnxRuntime:
    """A decoder in ONNX Runtime on the CPU. See `Runtime` for what it answers."""

    def __init__(
        self, weights: DecoderWeights, threads: int, description: dict[str, str], beside: Runtime | None = None
    ) -> None:
        self._weights = weights
        self._threads = threads
        self._description = description
        if isinstance(beside, OnnxRuntime) and _predict_alike(weights, beside._weights):
            self._head = beside._head
        else:
            self._head = HeadSession(weights, threads)
        self._decoders = {1: DecoderSession(weights, 1, threads)}

    def _decoder(self, sequences: int) -> DecoderSession:
        """The session for so many sequences or for more. There is one at a time, since each has a copy of the weights:
        that for several takes the place of that for one, and is some 5 % slower where one comes alone."""
        if not any(count >= sequences for count in self._decoders):
            self._decoders.clear()
            self._decoders[sequences] = DecoderSession(self._weights, sequences, self._threads)
        return next(iter(self._decoders.values()))

    @cached_property
    def _local(self) -> LocalSession:
        return LocalSession(self._weights, self._threads)

    @staticmethod
    def load(
        checkpoint: Checkpoint,
        threads: int | None = None,
        weight_bits: int | None = None,
        progress: Progress = lambda share: None,
        beside: Runtime | None = None,
    ) -> OnnxRuntime:
        """Build the graph from a checkpoint.

        Args:
            threads: of the matrix products; None uses every core this process may run on, at most 8.
            weight_bits: 8 or 7 for int8 products, 32 for float32; None chooses 8 where this processor's int8 products
                are exact with 8 bits, else 7.
            progress: told what share of the weights is ready, the first time that this takes long.
            beside: one that is loaded already; where the heads are the same, its one serves both.

        Raises CheckpointError for a head size that ONNX Runtime's attention cannot run.
        """
        if checkpoint.config.head_dim % 16:
            raise CheckpointError(
                f"config.json: head_dim is {checkpoint.config.head_dim}; ONNX Runtime's attention needs a multiple of "
                "16, so run this checkpoint with --runtime torch"
            )
        bits = weight_bits or (7 if products_saturate() else 8)
        threads = threads or available_cores()
        description = {
            "runtime": f"ONNX Runtime {onnxruntime.__version__}, CPU",
            "precision": PRECISIONS[bits],
            "threads": str(threads),
        }
        weights = weights_of(checkpoint, WEIGHT_LEVELS[bits], progress, threads)
        return OnnxRuntime(weights, threads, description, beside)

    @property
    def config(self) -> ModelConfig:
        return self._weights.config

    @property
    def description(self) -> dict[str, str]:
        return self._description

    def new_cache(self) -> OnnxCache:
        return OnnxCache(self.config)

    def forward(self, cache: Cache, request: Pass) -> Predictions:
        assert isinstance(cache, OnnxCache)
        (predictions,) = self._predictions(self._decoder(1), [cache], [request])
        return predictions

    def forward_batch(self, caches: Sequence[Cache], requests: Sequence[Pass]) -> list[Predictions]:
        answers: dict[int, Predictions] = {}
        narrow = [index for index, request in enumerate(requests) if len(request.tokens) <= WIDE]
        for first in range(0, len(narrow), SEQUENCES):
            if len(chosen := narrow[first : first + SEQUENCES]) > 1:
                ours = [cache for index in chosen if isinstance(cache := caches[index], OnnxCache)]
                found = self._predictions(self._decoder(SEQUENCES), ours, [requests[index] for index in chosen])
                answers |= zip(chosen, found, strict=True)
        alone = (index for index in range(len(requests)) if index not in answers)
        answers |= {index: self.forward(caches[index], requests[index]) for index in alone}
        return [answers[index] for index in range(len(requests))]

    def forward_local(self, step: LocalStep) -> Predictions:
        (predictions,) = self._head.run(self._local.run(step), [step])
        return predictions

    def _predictions(
        self, decoder: DecoderSession, caches: Sequence[OnnxCache], passes: Sequence[Pass]
    ) -> list[Predictions]:
        outputs, states = decoder.run(caches, passes)
        return self._head.run(outputs, passes, states)


def _predict_alike(first: DecoderWeights, second: DecoderWeights) -> bool:
    """Return whether the heads of two decoders are the same in int8, but for the mask, which is never predicted.

    The scales of all words tell, so that the matrices need not be read.
    """
    scales, others = first.head.scale, second.head.scale
    if scales is None or others is None or first.config.control != second.config.control:
        return False
    mask = first.config.control.mask
    return np.array_equal(np.delete(scales, mask), np.delete(others, mask))


def available_cores(most: int = 8) -> int:
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), most)
    return min(os.cpu_count() or 1, most)


def products_saturate() -> bool:
    """Return whether this processor's uint8 x int8 products overflow their 16-bit pair sums, as AVX2 without VNNI does.

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
