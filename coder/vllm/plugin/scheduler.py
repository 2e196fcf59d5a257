"""vLLM's schedulers for diffusion, told of the anchor.

A worker takes the last token of a sequence, the anchor, for not computed yet: every pass over a canvas computes it
again, bidirectionally, and only a commit leaves its keys and values as a causal pass would. The scheduler counts it as
computed, so that what it counts is one more than what the worker does. All that follows from it is here: a block of the
cache must not be shared while it holds an anchor.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

from functools import partial
from typing import Any

from vllm.config import VllmConfig
from vllm.logger import init_logger
from vllm.v1.core.sched.diffusion_scheduler import DiffusionAsyncScheduler, DiffusionScheduler
from vllm.v1.core.sched.scheduler import Scheduler
from vllm.v1.request import Request

from coder.vllm.plugin.decoding import CANVAS_ARGUMENT, parse_decoding

# vLLM shows what is logged below its own name.
logger = init_logger(f"vllm.{__name__}")

WIDTH_ARGUMENT = "diffusion_canvas_length"
"""The argument of a request by which vLLM learns that its canvas is smaller than the largest."""


class Anchored(Scheduler):
    def __init__(self, *arguments, **keywords) -> None:
        super().__init__(*arguments, **keywords)
        coordinator = self.kv_cache_manager.coordinator
        coordinator.cache_blocks = partial(_cache_settled_blocks, coordinator.cache_blocks)

    def add_request(self, request: Request) -> None:
        parameters = request.sampling_params
        if parameters is not None and parameters.extra_args and CANVAS_ARGUMENT in parameters.extra_args:
            slots = parse_decoding(parameters.extra_args, self.num_spec_tokens - 1).canvas_size
            parameters.extra_args[WIDTH_ARGUMENT] = slots + 1
        super().add_request(request)


def _cache_settled_blocks(cache_blocks, request: Request, num_computed_tokens: int) -> None:
    cache_blocks(request, max(0, num_computed_tokens - 1))


class AnchoredScheduler(Anchored, DiffusionScheduler):
    pass


class AnchoredAsyncScheduler(Anchored, DiffusionAsyncScheduler):
    pass


def anchored_scheduler(vllm_config: VllmConfig, **keywords: Any) -> Scheduler:
    """Make the scheduler for vLLM, which settles only now whether it schedules ahead."""
    chosen = AnchoredAsyncScheduler if vllm_config.scheduler_config.async_scheduling else AnchoredScheduler
    logger.info("scheduling by %s", chosen.__name__)
    return chosen(vllm_config=vllm_config, **keywords)
