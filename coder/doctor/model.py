"""The model and what runs it: that it loads, that it writes, and how fast this processor is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from coder.api.completion import CompletionRequest, Decoding, Where
from coder.doctor.findings import Finding
from coder.engine.memory import machine_memory, peak_memory

if TYPE_CHECKING:
    from coder.engine.engine import Engine

PREFIX = '''def mean(values):
    """The arithmetic mean of a list of numbers."""
'''
TOKENS = 48
SLOW_TOKENS = 10.0
"""A second; from there on the rest of a line comes too late for typing."""

SPARE_MEMORY = 2.0
"""The machine should have so many times the memory that the model takes."""


def check_model(load: Callable[[], Engine]) -> Iterator[Finding]:
    """Load the model, let it write the rest of a line, and say what that took. Raises as `load` does."""
    begin = time.perf_counter()
    engine = load()
    seconds = time.perf_counter() - begin
    said = f"{engine.model_name}, version {engine.config.version or 'not named'}, loaded in {seconds:.1f} s"
    yield Finding("model", "model", "works", said)
    facts = engine.description
    threads = f", {facts['threads']} threads" if "threads" in facts else ""
    said = "; ".join(value for name, value in facts.items() if name != "threads")
    yield Finding("model", "runtime", "works", said + threads)
    yield _speed(engine)
    yield _memory()


def _speed(engine: Engine) -> Finding:
    request = CompletionRequest(
        prefix=PREFIX, suffix="", where=Where(path="mean.py"), decoding=Decoding(max_tokens=TOKENS)
    )
    engine.complete(request)  # the first answer also measures the passes, and fills the cache
    begin = time.perf_counter()
    statistics = engine.complete(request).statistics
    seconds = time.perf_counter() - begin
    rate = statistics.tokens / seconds
    said = f"{statistics.tokens} tokens in {1000 * seconds:.0f} ms, by `{statistics.policy}`"
    if rate >= SLOW_TOKENS:
        return Finding("model", "speed", "works", said)
    remedy = "let a faster machine run the model: `quickfill serve` there, the setting `serverUrl` here"
    return Finding("model", "speed", "fails", f"{said}: too slow for typing", remedy)


def _memory() -> Finding:
    taken, there = peak_memory(), machine_memory()
    said = f"{taken / 2**20:.0f} MB at the peak, of {there / 2**30:.1f} GiB in this machine"
    if there > SPARE_MEMORY * taken:
        return Finding("model", "memory", "works", said)
    return Finding("model", "memory", "fails", said, "close other programs, or let another machine run the model")
