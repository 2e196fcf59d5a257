"""An interrupt ends a piece of work, wherever it comes."""

from __future__ import annotations

import signal
import threading

import pytest

from coder.commands.shared import interruptible


def interrupted_in_a_callback(cancelled: threading.Event) -> bool:
    """Lose an interrupt's exception as Python does in a finalizer, and go on until the work is cancelled."""

    class Freed:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    freed = Freed()
    del freed
    return cancelled.wait(timeout=10)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_is_lost_in_a_callback_ends_the_work():
    with pytest.raises(KeyboardInterrupt):
        interruptible(interrupted_in_a_callback)


def test_the_handler_of_before_is_there_again():
    before = signal.getsignal(signal.SIGINT)
    assert interruptible(lambda cancelled: 3) == 3
    assert signal.getsignal(signal.SIGINT) is before
