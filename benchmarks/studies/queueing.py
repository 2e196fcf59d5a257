"""A server that works on several requests at a time, by discrete events: how long requests take at a load.

With n of them in work each goes on at the speed 1 / (fixed + each n): a pass over a batch costs what it costs to read
the weights, and something for each sequence in it. What has no place waits in the order of its coming.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from statistics import mean, quantiles
from typing import Any

import simpy


@dataclass(frozen=True)
class Station:
    """A server.

    Attributes:
        fixed, each: seconds that an average request takes among n is fixed + each n.
        together: most requests in work.
    """

    fixed: float
    each: float
    together: int

    @staticmethod
    def fitted(alone: float, throughput: float, together: int) -> Station:
        """The one that takes `alone` seconds for a request by itself, and answers `throughput` a second when full."""
        full = together / throughput
        each = max(0.0, (full - alone) / (together - 1))
        return Station(alone - each, each, together)

    def seconds(self, running: int) -> float:
        return self.fixed + self.each * running

    @property
    def capacity(self) -> float:
        """Requests a second when it is full."""
        return self.together / self.seconds(self.together)


@dataclass(frozen=True)
class Stay:
    """Seconds until requests were begun, and until they were answered."""

    waited: list[float]
    took: list[float]

    def figures(self) -> dict[str, float]:
        return {
            "mean_wait": mean(self.waited),
            "mean_seconds": mean(self.took),
            "p95_seconds": quantiles(self.took, n=20)[-1],
        }


def simulate(station: Station, rate: float, work: Sequence[float], requests: int, seed: int = 0) -> Stay:
    """Requests that come at random, `rate` a second (Poisson), each with one of `work`, whose mean is 1."""
    environment, stay = simpy.Environment(), Stay([], [])
    worker = _Worker(environment, station, stay)
    environment.process(worker.run())
    environment.process(_arrivals(environment, worker, rate, work, requests, random.Random(seed)))
    environment.run(until=environment.process(worker.until(requests)))
    return stay


def _arrivals(
    environment: simpy.Environment,
    worker: _Worker,
    rate: float,
    work: Sequence[float],
    requests: int,
    chance: random.Random,
) -> Generator[Any, Any, None]:
    for _ in range(requests):
        yield environment.timeout(chance.expovariate(rate))
        worker.enter(chance.choice(work))


class _Worker:
    """Requests in work, with what is left of each, and requests that wait."""

    def __init__(self, environment: simpy.Environment, station: Station, stay: Stay) -> None:
        self._environment, self._station, self._stay = environment, station, stay
        self._waiting: deque[tuple[float, float]] = deque()
        self._running: list[list[float]] = []
        """The work that is left of a request, and when it came."""
        self._changed = environment.event()
        self._answered = environment.event()

    def enter(self, work: float) -> None:
        self._waiting.append((self._environment.now, work))
        if not self._changed.triggered:
            self._changed.succeed()

    def run(self) -> Generator[Any, Any, None]:
        while True:
            self._begin()
            since, speed = self._environment.now, 1.0 / self._station.seconds(max(1, len(self._running)))
            self._changed = self._environment.event()
            if self._running:
                first = min(left for left, _ in self._running) / speed
                yield self._changed | self._environment.timeout(first)
            else:
                yield self._changed
            done = (self._environment.now - since) * speed
            for one in self._running:
                one[0] -= done
            self._stay.took.extend(self._environment.now - came for left, came in self._running if left <= 1e-9)
            self._running = [one for one in self._running if one[0] > 1e-9]
            self._answered.succeed()
            self._answered = self._environment.event()

    def until(self, requests: int) -> Generator[Any, Any, None]:
        while len(self._stay.took) < requests:
            yield self._answered

    def _begin(self) -> None:
        while self._waiting and len(self._running) < self._station.together:
            came, work = self._waiting.popleft()
            self._stay.waited.append(self._environment.now - came)
            self._running.append([work, came])
