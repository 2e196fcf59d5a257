"""The waiting line: bounded, first come first served for each client, and fair between them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coder.serve.fair_line import FairLine

ARRIVALS = st.lists(st.sampled_from("abc"), max_size=30)


def drained(line: FairLine[int]) -> list[int]:
    items = []
    while (item := line.pop()) is not None:
        items.append(item)
    return items


@given(ARRIVALS)
def test_everybody_is_served_once_and_a_client_in_its_order(arrivals: list[str]):
    line: FairLine[int] = FairLine(len(arrivals))
    for number, client in enumerate(arrivals):
        assert line.push(client, number) is None
    served = drained(line)
    assert sorted(served) == list(range(len(arrivals)))
    for client in "abc":
        own = [number for number in served if arrivals[number] == client]
        assert own == sorted(own)


@given(ARRIVALS)
def test_nobody_waits_for_two_of_another_client(arrivals: list[str]):
    """As long as a client waits, it is served at least every third time where there are three."""
    line: FairLine[int] = FairLine(len(arrivals))
    for number, client in enumerate(arrivals):
        line.push(client, number)
    served = [arrivals[number] for number in drained(line)]
    for client in "abc":
        places = [place for place, name in enumerate(served) if name == client]
        assert all(later - earlier <= 3 for earlier, later in zip([-1, *places], places, strict=False))


@given(ARRIVALS, st.integers(0, 5))
def test_a_full_line_holds_no_more_and_the_longest_lane_gives_way(arrivals: list[str], most: int):
    line: FairLine[int] = FairLine(most)
    waiting: list[int] = []
    for number, client in enumerate(arrivals):
        displaced = line.push(client, number)
        waiting.append(number)
        lanes = {name: [item for item in waiting if arrivals[item] == name] for name in "abc"}
        if displaced is not None:
            lane = lanes[arrivals[displaced]]
            assert displaced == lane[-1]
            assert len(lane) == max(map(len, lanes.values()))
            waiting.remove(displaced)
        assert len(line) == len(waiting) <= most
    assert sorted(drained(line)) == waiting


def test_a_seldom_client_finds_a_place_in_a_line_that_another_one_has_filled():
    line: FairLine[int] = FairLine(3)
    for number in range(3):
        line.push("busy", number)
    assert line.push("busy", 3) == 3
    assert line.push("seldom", 4) == 2
    assert drained(line) == [0, 4, 1]


def test_who_leaves_is_not_served():
    line: FairLine[int] = FairLine(3)
    for number in range(3):
        line.push("a", number)
    assert line.remove("a", 1)
    assert not line.remove("a", 1)
    assert not line.remove("b", 2)
    assert drained(line) == [0, 2]
