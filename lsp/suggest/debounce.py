"""How long to wait for the next keystroke before the model is asked."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_WAIT = 0.03
"""Seconds. Longer than that a suggestion feels late, and a request that comes too early costs one pass at most."""

SHARE_OF_INTERVAL = 0.4
"""Of the usual time between two keystrokes is waited. One that comes sooner than that is part of a burst, in which
nobody reads."""

PAUSE = 1.0
"""Seconds without a keystroke after which what comes next says nothing about the speed of typing."""

SMOOTHING = 0.25
"""Weight of the latest interval in the running mean."""


@dataclass
class TypingSpeed:
    """A running mean of the seconds between keystrokes. Times are seconds on any steady clock."""

    interval: float = LONGEST_WAIT
    last: float = float("-inf")

    def keystroke(self, now: float) -> None:
        elapsed, self.last = now - self.last, now
        if elapsed < PAUSE:
            self.interval += SMOOTHING * (elapsed - self.interval)

    def wait(self, now: float) -> float:
        """Seconds to wait from now on, before the text as it is may be taken for what the user wanted to type."""
        return max(0.0, min(LONGEST_WAIT, SHARE_OF_INTERVAL * self.interval) - (now - self.last))
