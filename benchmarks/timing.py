"""Timing that a busy machine disturbs least: what is compared takes turns, and medians are reported."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

SETTLE_SECONDS = 0.1
"""Between users of different thread pools: idle threads spin for tens of milliseconds before they free their core."""

CALLS_A_TURN = 3


def milliseconds(action: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    action()
    return 1000.0 * (time.perf_counter() - start)


def interleaved_medians(actions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median milliseconds of each action. In each round each has its turn: one call to warm up, then the timed ones."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            time.sleep(SETTLE_SECONDS)
            action()
            times[name] += [milliseconds(action) for _ in range(CALLS_A_TURN)]
    return {name: median(measured) for name, measured in times.items()}
