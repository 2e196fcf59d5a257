"""What single forward passes cost, by kind and width, on top of a cached context."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
