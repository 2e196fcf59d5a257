"""The decoder's graph for a number of sequences, and that of the local autoregression, loaded into ONNX Runtime."""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import onnxruntime

from coder.model.onnx.decoder_graph import DecoderGraph
from coder.model.onnx.graph import Array
from coder.model.onnx.local import LocalGraph
from coder.model.onnx.passes import (
    HIDDEN_FROM,
    OnnxCache,
    bind_results,
    joint_inputs,
    local_inputs,
    sequence_inputs,
    split_results,
    token_bias,
)
from coder.model.onnx.weights import DecoderWeights
from coder.model.runtime import LocalStep, Pass, Predictions

UNUSED = Pass([0])
"""What a sequence that takes no part is given: none of its rows leave the attention."""


class Session:
    """A graph in ONNX Runtime, whose large constants are read where they are: they live as long as it does."""

    def __init__(self, weights: DecoderWeights, graph: tuple[bytes, dict[str, Array]], threads: int) -> None:
        serialized, self._constants = graph
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in self._constants.values()]
        options.add_external_initializers(list(self._constants), values)
        self._session = onnxruntime.InferenceSession(serialized, options, providers=["CPUExecutionProvider"])
        give_back_memory(self._constants.values())
        self._config = weights.config
        self._quantized = weights.quantized
        self._control_bias: dict[tuple[int, ...], npt.NDArray[np.float32]] = {}

    def _control_bias_for(self, allowed: tuple[int, ...]) -> npt.NDArray[np.float32]:
        """float32 [vocabulary]: 0, and a large negative number for control tokens that are not allowed."""
        if allowed not in self._control_bias:
            bias = np.zeros(self._config.vocab_size, np.float32)
            bias[self._config.control.forbidden(allowed)] = HIDDEN_FROM
            self._control_bias[allowed] = bias
        return self._control_bias[allowed]


def give_back_memory(constants: Iterable[Array]) -> None:
    """Return to the system what a new session leaves behind: 760 MB of 1,400 for the embedded model.

    Its matrices were copied into a layout of ONNX Runtime's own, so the pages of a mapped file are read no more but for
    a few rows of the embedding, and come back from the file where they are. The C library keeps what was freed on the
    way, unless it is told.
    """
    if hasattr(mmap.mmap, "madvise"):
        for constant in constants:
            owner: object = constant
            while isinstance(owner, np.ndarray):
                owner = owner.base
            if isinstance(owner, mmap.mmap):
                owner.madvise(mmap.MADV_DONTNEED)
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)


class LocalSession(Session):
    """Runs steps of the local autoregression."""

    def __init__(self, weights: DecoderWeights, threads: int) -> None:
        super().__init__(weights, LocalGraph(weights).build(), threads)

    def run(self, step: LocalStep) -> Predictions:
        binding = self._session.io_binding()
        allowed = tuple(sorted(step.control_tokens))
        inputs = local_inputs(step, self._quantized) | token_bias([step], self._config.control, allowed)
        for name, value in inputs.items():
            binding.bind_cpu_input(name, value)
        binding.bind_cpu_input("control_bias", self._control_bias_for(allowed))
        results = bind_results(binding, step.count)
        self._session.run_with_iobinding(binding)
        return split_results(results, [step])[0]


class DecoderSession(Session):
    """Runs up to `sequences` passes at once. Several sessions of the same weights share these, but for the copies in
    another layout that ONNX Runtime makes for its products."""

    def __init__(self, weights: DecoderWeights, sequences: int, threads: int) -> None:
        super().__init__(weights, DecoderGraph(weights, sequences).build(), threads)
        self._unused = [OnnxCache(weights.config, capacity=3) for _ in range(sequences)]

    def run(self, caches: Sequence[OnnxCache], passes: Sequence[Pass]) -> list[Predictions]:
        """The predictions of one pass for each cache; the committed tokens join the caches.

        Raises InputError when a sequence would be longer than the model's positions.
        """
        for cache, request in zip(caches, passes, strict=True):
            cache.reserve(len(cache.tokens) + len(request.tokens))
        binding = self._session.io_binding()
        allowed = tuple(sorted({token for request in passes for token in request.control_tokens}))
        inputs = joint_inputs(passes, self._quantized) | token_bias(passes, self._config.control, allowed)
        first = 0
        for sequence, (cache, request) in enumerate(zip(caches, passes, strict=True)):
            cache.bind(binding, sequence)
            inputs |= sequence_inputs(sequence, first, len(cache.tokens), request)
            first += len(request.tokens)
        for sequence in range(len(passes), len(self._unused)):
            self._unused[sequence].bind(binding, sequence)
            inputs |= sequence_inputs(sequence, 0, 0, UNUSED)
        for name, value in inputs.items():
            binding.bind_cpu_input(name, value)
        binding.bind_cpu_input("control_bias", self._control_bias_for(allowed))
        results = bind_results(binding, len(inputs["wanted"]), self._config.hidden_size)
        self._session.run_with_iobinding(binding)
        for cache, request in zip(caches, passes, strict=True):
            cache.tokens.extend(request.tokens[: request.commit])
        return split_results(results, passes)
