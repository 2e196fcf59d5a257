"""The policy `auto`: the fastest of the decoding methods that are equally good for a checkpoint, on this machine."""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from coder.diffusion.policies import AUTOREGRESSIVE
from coder.model.checkpoint.config import DecodingProfile, ModelConfig
from coder.model.runtime import Pass, Runtime

WIDTHS = (1, 3, 5, 9, 17, 33)
"""Positions of the passes that are measured: the anchor alone, and with 2 to 32 slots."""

REPEATS = 3

CONTEXT_TOKENS = 192
"""Cached tokens while measuring: attention's share of a pass grows with them, for all widths alike."""


@dataclass(frozen=True)
class PassCosts:
    """Milliseconds of a forward pass by its positions, on the machine it was measured on."""

    milliseconds: dict[int, float]

    def of_width(self, positions: int) -> float:
        """Return the cost of a pass over `positions`, interpolated between the measured ones."""
        known = sorted(self.milliseconds)
        above = next((width for width in known if width >= positions), known[-1])
        below = max((width for width in known if width <= positions), default=known[0])
        low, high = self.milliseconds[below], self.milliseconds[above]
        if above == below:
            return low * max(1.0, positions / known[-1])
        return low + (high - low) * (positions - below) / (above - below)

    @staticmethod
    def of(runtime: Runtime) -> PassCosts:
        """Return the costs, measured once for a runtime on a machine and kept in the user's cache folder."""
        file = Path(platformdirs.user_cache_dir("quickfill")) / "pass-costs.json"
        key = json.dumps([runtime.description, runtime.config.hidden_size, runtime.config.num_layers], sort_keys=True)
        remembered = _read(file)
        if key not in remembered:
            remembered[key] = {str(width): cost for width, cost in measure(runtime).items()}
            _write(file, remembered)
        return PassCosts({int(width): cost for width, cost in remembered[key].items()})


def measure(runtime: Runtime) -> dict[int, float]:
    """Measure the milliseconds of a canvas pass by its positions, in a fraction of a second."""
    config = runtime.config
    token, cache = config.control.fim_prefix, runtime.new_cache()
    context = min(CONTEXT_TOKENS, config.max_positions - max(WIDTHS) - 1)
    runtime.forward(cache, Pass([token] * context, commit=context))
    costs = {}
    for width in WIDTHS:
        request = Pass([token] * width, wanted=range(width), causal=width == 1)
        times = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            runtime.forward(cache, request)
            times.append(time.perf_counter() - start)
        costs[width] = 1000.0 * statistics.median(times)
    return costs


def choose_policy(config: ModelConfig, costs: PassCosts, canvas_size: int | None = None) -> tuple[str, int]:
    """Return name and canvas size of the cheapest method on the checkpoint's card, never slower than one token a pass.

    Args:
        canvas_size: admits only methods of this size, and autoregressive decoding.
    """
    profiles = [profile for profile in config.decoding if canvas_size in (None, profile.canvas_size)]
    one_token = DecodingProfile(AUTOREGRESSIVE.name, canvas_size or min(config.block_sizes), 0.0, 1.0)
    best = min([one_token, *profiles], key=lambda profile: milliseconds_per_token(profile, costs))
    return best.policy, best.canvas_size


def milliseconds_per_token(profile: DecodingProfile, costs: PassCosts) -> float:
    """Return the expected cost of a token: the passes it takes, each as wide as the method makes it."""
    wide = costs.of_width(profile.canvas_size + 1)
    commit = costs.of_width(1) if profile.policy == AUTOREGRESSIVE.name else wide
    return profile.canvas_passes_per_token * wide + profile.commit_passes_per_token * commit


def _read(file: Path) -> dict[str, dict[str, float]]:
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write(file: Path, content: dict[str, dict[str, float]]) -> None:
    """A cache folder that cannot be written costs a new measurement next time, nothing else."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_suffix(f".{time.monotonic_ns()}")
        temporary.write_text(json.dumps(content))
        temporary.replace(file)
    except OSError:
        return
