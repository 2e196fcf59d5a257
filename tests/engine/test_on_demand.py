"""What is loaded on demand: once for all who use it, kept while it is used, let go of some time after."""

from __future__ import annotations

import threading
import weakref

import pytest

from coder.engine.on_demand import OnDemand

FOR_EVER = 3600.0


class Large:
    """What is loaded, and tells when it is gone."""

    def __init__(self) -> None:
        self.gone = threading.Event()
        weakref.finalize(self, self.gone.set)


def test_it_is_loaded_when_it_is_first_used_and_once():
    large = OnDemand(Large, seconds=FOR_EVER)
    assert not large.is_loaded
    with large.using() as first, large.using() as second:
        assert first is second
    with large.using() as third:
        assert third is first
    large.close()


def test_it_is_let_go_of_after_its_last_use():
    large = OnDemand(Large, seconds=0.01)
    with large.using() as one:
        gone = one.gone
        del one
        large.let_go()
        assert large.is_loaded, "it is in use"
    assert gone.wait(10)
    assert not large.is_loaded


def test_closed_it_is_gone_at_once():
    large = OnDemand(Large, seconds=FOR_EVER)
    with large.using() as one:
        gone = one.gone
        del one
    large.close()
    assert gone.is_set()


def test_whoever_comes_while_it_is_loaded_waits_for_it():
    begun, go_on = threading.Event(), threading.Event()
    loads: list[Large] = []

    def load() -> Large:
        begun.set()
        go_on.wait(10)
        loads.append(Large())
        return loads[-1]

    large, seen = OnDemand(load, seconds=FOR_EVER), list[Large]()

    def use() -> None:
        with large.using() as one:
            seen.append(one)

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(loads) == 1
    assert seen == loads * 3
    large.close()


def test_after_a_failure_the_next_one_tries_again():
    outcomes = iter([ValueError("no memory"), Large()])

    def load() -> Large:
        outcome = next(outcomes)
        if isinstance(outcome, ValueError):
            raise outcome
        return outcome

    large = OnDemand(load, seconds=FOR_EVER)
    with pytest.raises(ValueError, match="no memory"), large.using():
        pass
    with large.using() as one:
        assert isinstance(one, Large)
    large.close()
