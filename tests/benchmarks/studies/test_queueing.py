"""The simulated server is the one of queueing theory, where that has a formula."""

from __future__ import annotations

from random import Random
from statistics import mean

import pytest

from benchmarks.studies.queueing import Station, simulate

REQUESTS = 30_000


@pytest.fixture(scope="module")
def work() -> list[float]:
    chance = Random(1)
    drawn = [chance.expovariate(1.0) for _ in range(5000)]
    average = mean(drawn)
    return [one / average for one in drawn]


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_one_at_a_time_is_the_m_m_1_queue(work: list[float], load: float):
    stay = simulate(Station(fixed=0.1, each=0.0, together=1), load / 0.1, work, REQUESTS)
    assert mean(stay.waited) == pytest.approx(0.1 * load / (1 - load), rel=0.1)
    assert mean(stay.took) == pytest.approx(0.1 / (1 - load), rel=0.1)


def test_sharing_among_all_takes_as_long_whatever_the_requests_are_like(work: list[float]):
    """Processor sharing: 1 / (1 - load) times as long as alone, for any distribution of the same mean."""
    shared = Station(fixed=0.0, each=0.1, together=10_000)
    for lengths in (work, [1.0], [0.2, 1.8]):
        assert mean(simulate(shared, 6.0, lengths, REQUESTS).took) == pytest.approx(0.25, rel=0.1)


def test_a_station_is_fitted_to_a_request_alone_and_to_a_full_server():
    station = Station.fitted(alone=0.05, throughput=64.0, together=8)
    assert station.seconds(1) == pytest.approx(0.05)
    assert station.capacity == pytest.approx(64.0)


def test_a_server_that_many_do_not_slow_down_answers_at_once(work: list[float]):
    stay = simulate(Station(fixed=0.1, each=0.0, together=1000), 50.0, [1.0], 2000)
    assert max(stay.waited) == 0.0
    assert max(stay.took) == pytest.approx(0.1)
