"""The same weights decoded by llama.cpp, token by token, through its C interface."""

# The package `llama_cpp` comes with the extra `bench`, not with the checks.
# pyright: reportMissingImports=false

from __future__ import annotations

import ctypes
import hashlib
import os
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt
import platformdirs

from benchmarks.comparison import DecodingRun
from benchmarks.timing import SETTLE_SECONDS
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.config import ModelConfig
from coder.model.convert import gguf_writer

_SILENT = llama_cpp.llama_log_callback(lambda level, text, data: None)


class LlamaCpp:
    """A GGUF model with one sequence. Settings are llama.cpp's defaults but for threads and context length."""

    def __init__(self, file: Path, config: ModelConfig, threads: int, context_length: int) -> None:
        """Raises RuntimeError when llama.cpp does not accept the file."""
        llama_cpp.llama_log_set(_SILENT, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        self._config = config
        model = llama_cpp.llama_model_load_from_file(str(file).encode(), llama_cpp.llama_model_default_params())
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = context_length
        parameters.n_threads = parameters.n_threads_batch = threads
        context = llama_cpp.llama_init_from_model(model, parameters) if model else None
        if not model or not context:
            raise RuntimeError(f"llama.cpp does not load {file}")
        self._model, self._context = model, context
        self._memory: Any = llama_cpp.llama_get_memory(context)
        self._forbidden = np.zeros(config.vocab_size, np.float32)
        self._forbidden[[token for token in config.control.all if token != config.control.fim_end]] = -np.inf

    def decode(self, prompt: Sequence[int], max_tokens: int) -> DecodingRun:
        """Greedy decoding until the end token, counted like our own: the prompt but its last token is the prefill."""
        time.sleep(SETTLE_SECONDS)
        llama_cpp.llama_memory_clear(self._memory, True)
        start = time.perf_counter()
        self._evaluate(prompt[:-1])
        prefill_seconds = time.perf_counter() - start
        token, output, passes = prompt[-1], [], 0
        start = time.perf_counter()
        while len(output) < max_tokens:
            self._evaluate([token])
            passes += 1
            token = int(np.argmax(self._last_logits() + self._forbidden))
            if token == self._config.control.fim_end:
                break
            output.append(token)
        seconds = time.perf_counter() - start
        time.sleep(SETTLE_SECONDS)
        return DecodingRun(
            output=tuple(output),
            passes=passes,
            seconds=seconds,
            prefill_tokens=len(prompt) - 1,
            prefill_seconds=prefill_seconds,
            ended=len(output) < passes,
        )

    def next_token_loss(self, tokens: Sequence[int]) -> float:
        """Mean negative log-probability, nats, of each token after those before it, over the whole vocabulary."""
        llama_cpp.llama_memory_clear(self._memory, True)
        losses = []
        for token, following in pairwise(tokens):
            self._evaluate([token])
            logits = self._last_logits().astype(np.float64)
            largest = logits.max()
            losses.append(largest + np.log(np.exp(logits - largest).sum()) - logits[following])
        return float(np.mean(losses))

    def close(self) -> None:
        """Free the model."""
        llama_cpp.llama_free(self._context)
        llama_cpp.llama_model_free(self._model)

    def _evaluate(self, tokens: Sequence[int]) -> None:
        """Put `tokens` behind those that are there; logits are computed for the last one only."""
        ids = (llama_cpp.llama_token * len(tokens))(*tokens)  # the batch only points at them
        batch = llama_cpp.llama_batch_get_one(ids, len(ids))
        if (status := llama_cpp.llama_decode(self._context, batch)) != 0:
            raise RuntimeError(f"llama.cpp could not evaluate {len(tokens)} tokens (status {status})")

    def _last_logits(self) -> npt.NDArray[np.float32]:
        """float32 [vocabulary], until the next evaluation."""
        logits = llama_cpp.llama_get_logits_ith(self._context, -1)
        return np.ctypeslib.as_array(logits, shape=(self._config.vocab_size,))


def published_gguf(checkpoint: Checkpoint) -> Path | None:
    """The first part of the file that the checkpoint's base was published as; None where its weights are no GGUF."""
    files = sorted({tensor.file for tensor in checkpoint.stored.values() if tensor.file.suffix == ".gguf"})
    return files[0] if files else None


def cached_gguf(checkpoint: Checkpoint) -> Path:
    """The checkpoint's GGUF file in the user's cache folder, written when it is not there."""
    digest = hashlib.sha256(Path(gguf_writer.__file__).read_bytes())  # another way of writing makes another file
    for source in sorted({tensor.file for tensor in checkpoint.stored.values()}):
        digest.update(source.read_bytes())
    file = platformdirs.user_cache_path("quickfill") / "gguf" / f"{digest.hexdigest()[:16]}-q8_0.gguf"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(f".{os.getpid()}")
        gguf_writer.write_gguf(checkpoint, unfinished)
        unfinished.replace(file)
    return file
