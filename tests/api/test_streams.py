"""The mailbox between two threads, and the last event of a stream."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.api.streams import Mailbox, last


def taken(mailbox: Mailbox[int], cancelled: threading.Event) -> tuple[list[int], bool]:
    """What a reader gets, and whether it is all."""
    found: list[int] = []
    items = mailbox.items(cancelled)
    while True:
        try:
            found.append(next(items))
        except StopIteration as end:
            return found, end.value


@given(st.lists(st.integers()), st.booleans())
def test_whoever_reads_gets_all_that_is_put_in_order_even_cancelled_once_it_has_ended(put: list[int], late: bool):
    mailbox, cancelled = Mailbox[int](), threading.Event()
    for item in put:
        mailbox.put(item)
    mailbox.end()
    if late:
        cancelled.set()
    assert taken(mailbox, cancelled) == (put, True)


def test_a_cancelled_reader_waits_for_nothing():
    mailbox, cancelled = Mailbox[int](), threading.Event()
    mailbox.put(1)
    cancelled.set()
    assert taken(mailbox, cancelled) == ([], False)


def test_a_reader_that_waits_notices_soon_that_it_is_cancelled():
    mailbox, cancelled = Mailbox[int](), threading.Event()
    threading.Timer(0.05, cancelled.set).start()
    started = time.monotonic()
    assert taken(mailbox, cancelled) == ([], False)
    assert time.monotonic() - started < 2.0


def test_the_error_that_ends_it_comes_behind_the_items():
    mailbox = Mailbox[int]()
    mailbox.put(1)
    mailbox.end(ValueError("broken"))
    items = mailbox.items()
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)


@pytest.mark.parametrize("error", [None, ValueError("broken")])
def test_whoever_reads_again_behind_the_end_finds_the_end(error: ValueError | None):
    mailbox = Mailbox[int]()
    mailbox.put(1)
    mailbox.end(error)
    for expected in ([1], [], []):
        found: list[int] = []
        with pytest.raises(ValueError, match="broken") if error else nullcontext():
            found.extend(mailbox.items())
        assert found == expected


def test_the_last_of_a_stream_is_its_answer_and_the_stream_is_closed():
    closed: list[bool] = []

    def stream(answers: bool) -> Generator[int | str, None, None]:
        try:
            yield 1
            yield 2
            if answers:
                yield "answer"
                yield 3
        finally:
            closed.append(True)

    seen: list[int] = []
    assert last(stream(answers=True), str, seen.append) == "answer"
    assert seen == [1, 2]
    with pytest.raises(AssertionError, match="ends with its answer"):
        last(stream(answers=False), str)
    assert closed == [True, True]
