"""vLLM's schedulers for diffusion, told of the anchor.

A worker takes the last token of a sequence, the anchor, for not computed yet: every pass over a canvas computes it
again, bidirectionally, and only a commit leaves its keys and values as a causal pass would. The scheduler counts it as
computed, so that what it counts is one more than what the worker does. All that follows from it is here: a block of the
cache must not be shared while it holds an anchor.
"""

from __future__ import annotations

from functools import partial

from vllm.v1.core.sched.diffusion_scheduler import DiffusionAsyncScheduler, DiffusionScheduler
from vllm.v1.core.sched.scheduler import Scheduler
from vllm.v1.request import Request

from coder.vllm_plugin.decoding import CANVAS_ARGUMENT

WIDTH_ARGUMENT = "diffusion_canvas_length"
"""How vLLM is told that a request's canvas is smaller than the largest."""


class Anchored(Scheduler):
    def __init__(self, *arguments, **keywords) -> None:
        super().__init__(*arguments, **keywords)
        coordinator = self.kv_cache_manager.coordinator
        coordinator.cache_blocks = partial(_cache_settled_blocks, coordinator.cache_blocks)

    def add_request(self, request: Request) -> None:
        parameters = request.sampling_params
        if parameters is not None and parameters.extra_args and (size := parameters.extra_args.get(CANVAS_ARGUMENT)):
            parameters.extra_args[WIDTH_ARGUMENT] = int(size) + 1
        super().add_request(request)


def _cache_settled_blocks(cache_blocks, request: Request, num_computed_tokens: int) -> None:
    cache_blocks(request, max(0, num_computed_tokens - 1))


class AnchoredScheduler(Anchored, DiffusionScheduler):
    pass


class AnchoredAsyncScheduler(Anchored, DiffusionAsyncScheduler):
    pass
