"""Single forward passes, by kind and width, on top of a cached context, and the bare integer products below them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnxruntime

from coder.model.checkpoint.config import ModelConfig
from coder.model.onnx import protobuf as onnx_protobuf
from coder.model.onnx.graph import STANDARD_OPERATORS
from coder.model.onnx.layers import ACTIVATION_ZERO
from coder.model.runtime import Cache, Pass, Runtime

PREFILL_CHUNK = 128


def prefilled(runtime: Runtime, tokens: Sequence[int]) -> Cache:
    """A new cache that holds `tokens`."""
    cache = runtime.new_cache()
    for start in range(0, len(tokens), PREFILL_CHUNK):
        chunk = tokens[start : start + PREFILL_CHUNK]
        runtime.forward(cache, Pass(chunk, commit=len(chunk)))
    return cache


def pass_actions(
    runtime: Runtime, context: Sequence[int], canvas_sizes: Sequence[int]
) -> dict[str, Callable[[], None]]:
    """Calls that each make one pass on top of the cached `context`, by name.

    `keystroke` appends one token to the cache; `one token` also predicts the next; `canvas B` predicts all of B masked
    slots behind an anchor; `verify B` predicts what follows an anchor and each of B drafted tokens, and commits them.
    """
    anchor, mask = context[-1], runtime.config.control.mask
    cache = prefilled(runtime, context)

    def action(request: Pass) -> Callable[[], None]:
        def run() -> None:
            runtime.forward(cache, request)
            cache.truncate(len(context))

        return run

    actions = {
        "keystroke": action(Pass([anchor], commit=1)),
        "one token": action(Pass([anchor], wanted=[0], commit=1)),
    }
    for size in canvas_sizes:
        actions[f"canvas {size}"] = action(Pass([anchor] + [mask] * size, wanted=range(size), causal=False))
        draft = [anchor] * (size + 1)
        actions[f"verify {size}"] = action(Pass(draft, wanted=range(size + 1), commit=size + 1))
    return actions


def product_actions(config: ModelConfig, positions: Sequence[int], threads: int) -> dict[str, Callable[[], object]]:
    """Calls, by name, that multiply so many rows by every matrix of every layer: uint8 times int8, nothing else."""
    generator = np.random.default_rng(0)
    session = _session(config, threads, generator)
    depths = sorted({depth for depth, _ in layer_shapes(config)})

    def action(rows: int) -> Callable[[], object]:
        feeds = {f"rows_{depth}": generator.integers(0, 256, (rows, depth), np.uint8) for depth in depths}
        return lambda: session.run(None, feeds)

    return {f"products {rows}": action(rows) for rows in positions}


def layer_shapes(config: ModelConfig) -> list[tuple[int, int]]:
    """[in, out] of a layer's products: query-key-value, attention's output, gate-up, down."""
    heads = config.num_heads * config.head_dim
    key_value_heads = config.num_key_value_heads * config.head_dim
    return [
        (config.hidden_size, heads + 2 * key_value_heads),
        (heads, config.hidden_size),
        (config.hidden_size, 2 * config.intermediate_size),
        (config.intermediate_size, config.hidden_size),
    ]


def _session(config: ModelConfig, threads: int, generator: np.random.Generator) -> onnxruntime.InferenceSession:
    nodes, outputs = [], []
    constants = [onnx_protobuf.constant("zero", np.array(ACTIVATION_ZERO, np.uint8))]
    for layer in range(config.num_layers):
        for index, (depth, width) in enumerate(layer_shapes(config)):
            matrix, product = f"matrix_{layer}_{index}", f"product_{layer}_{index}"
            constants.append(onnx_protobuf.constant(matrix, generator.integers(-127, 128, (depth, width), np.int8)))
            nodes.append(onnx_protobuf.node("MatMulInteger", [f"rows_{depth}", matrix, "zero"], [product], product))
            outputs.append(onnx_protobuf.value_info(product, np.int32, ["M", width]))
    depths = sorted({depth for depth, _ in layer_shapes(config)})
    inputs = [onnx_protobuf.value_info(f"rows_{depth}", np.uint8, ["M", depth]) for depth in depths]
    graph = onnx_protobuf.graph("products", nodes, constants, inputs, outputs)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    model = onnx_protobuf.model(graph, {"": STANDARD_OPERATORS})
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
