"""Which decoding method answers a request."""

from __future__ import annotations

from coder.api.completion import CompletionRequest
from coder.diffusion.block_diffusion import parse_algorithm
from coder.diffusion.policies import AUTO, AUTOREGRESSIVE, POLICIES, policy_of
from coder.diffusion.run import DecodingAlgorithm
from coder.diffusion.whole_canvas import parse_published
from coder.errors import InputError
from coder.generation.auto_policy import PassCosts, choose_policy
from coder.model.checkpoint.config import ModelConfig
from coder.model.runtime import Runtime


class DecodingMethods:
    """The methods for one runtime. What its passes cost is measured when `auto` first needs to know, unless given."""

    def __init__(self, runtime: Runtime, costs: PassCosts | None = None) -> None:
        self._runtime = runtime
        self._costs = costs

    def of(self, request: CompletionRequest, temperature: float) -> DecodingAlgorithm:
        """Sampled, `auto` is autoregressive, and so are alternatives to what a greedy method wrote. A published model
        decodes in its own way.

        Raises InputError for a policy that the checkpoint cannot decode with.
        """
        if self._runtime.config.denoiser is not None:
            return parse_published(request.policy, self._runtime.config, request.canvas_size)
        return parse_algorithm(*self._policy(request, temperature))

    def _policy(self, request: CompletionRequest, temperature: float) -> tuple[str, int]:
        """Name and canvas size."""
        config, policy = self._runtime.config, policy_of(request.policy)
        size = default_canvas_size(config) if request.canvas_size is None else request.canvas_size
        if not config.adapted and policy.canvas:
            names = ", ".join(other.name for other in POLICIES if not other.canvas)
            raise InputError(
                f"the checkpoint has not been adapted to fill a canvas (its config.json says so), so it cannot decode "
                f"with {request.policy}; use {names}, or train it"
            )
        if temperature and (policy == AUTO or policy.greedy):
            return AUTOREGRESSIVE.name, size
        if policy != AUTO:
            return request.policy, size
        self._costs = self._costs or PassCosts.of(self._runtime)
        return choose_policy(config, self._costs, request.canvas_size)


def default_canvas_size(config: ModelConfig) -> int:
    """16 slots, or the largest size below that the checkpoint was trained with."""
    return max((size for size in config.block_sizes if size <= 16), default=min(config.block_sizes))
