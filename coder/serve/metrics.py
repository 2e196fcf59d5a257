"""Metrics of the server, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from coder.diffusion.events import Statistics

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


class Metrics:
    """Counters of one server, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "quickfill_requests", "Requests by path and status.", ["path", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "quickfill_request_seconds",
            "From a request to the end of its answer.",
            ["path"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self.waited = Histogram(
            "quickfill_queue_seconds", "Until a request is begun.", buckets=SECONDS, registry=self._registry
        )
        self.waiting = Gauge("quickfill_waiting", "Requests that wait for their turn.", registry=self._registry)
        self.running = Gauge("quickfill_running", "Requests that are worked on.", registry=self._registry)
        self.tokens = Counter(
            "quickfill_tokens", "Tokens read, reused from the cache, written.", ["kind"], registry=self._registry
        )
        self.passes = Counter("quickfill_passes", "Forward passes by kind.", ["kind"], registry=self._registry)

    def count(self, statistics: Statistics) -> None:
        """Add what a finished run has cost."""
        self.tokens.labels("prefilled").inc(statistics.prefill_tokens)
        self.tokens.labels("reused").inc(statistics.reused_tokens)
        self.tokens.labels("written").inc(statistics.tokens)
        self.passes.labels("prefill").inc(statistics.prefill_passes)
        self.passes.labels("canvas").inc(statistics.canvas_passes)
        self.passes.labels("commit").inc(statistics.commit_passes)

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)
