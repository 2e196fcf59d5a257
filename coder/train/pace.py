"""The clock of a run: its learning rate, and when it saves and stops: budget spent, slice over, or asked to."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from coder.train.settings import BudgetSettings, OptimizerSettings

SIGNALS = (signal.SIGTERM, signal.SIGINT)

CLOCK_FILE = "clock.json"
"""In every checkpoint, written last: a checkpoint without it is unfinished."""


class Pace(TrainerCallback):
    """The clock of a run, which goes on over its slices, and the signals that end one.

    While it is entered, SIGTERM and SIGINT end training after the step under way, with a checkpoint; a second one ends
    it at once.

    Attributes:
        seconds: of training in all, as of the last step; the same in every process.
        interrupted: whether it was a signal or the slice's end, not the budget's, that ended training.
    """

    def __init__(self, budget: BudgetSettings, device: torch.device) -> None:
        self._budget = budget
        self._device = device
        self._begun = time.monotonic()
        self._before = 0.0
        self._asked = False
        self._handlers: dict[signal.Signals, Any] = {}
        self.seconds = 0.0
        self.interrupted = False

    def __enter__(self) -> Pace:
        self._handlers = {number: signal.signal(number, self._ask) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _ask(self, number: int, _: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    def resume(self, checkpoint: Path) -> None:
        """Go on from the time that a checkpoint was made at."""
        self._before = float(json.loads((checkpoint / CLOCK_FILE).read_text(encoding="utf-8"))["seconds"])
        self.seconds = self._before

    def save(self, checkpoint: Path) -> None:
        """Mark a checkpoint as finished, by a file that is there whole or not at all."""
        unfinished = checkpoint / f".{CLOCK_FILE}"
        unfinished.write_text(json.dumps({"seconds": self.seconds}) + "\n", encoding="utf-8")
        unfinished.replace(checkpoint / CLOCK_FILE)

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Read the clock. Processes agree on the slowest one's, since the learning rate depends on it."""
        here = time.monotonic() - self._begun
        agreed = torch.tensor([self._before + here, here, float(self._asked)], dtype=torch.float64)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            shared = agreed.float().to(self._device)
            torch.distributed.all_reduce(shared, torch.distributed.ReduceOp.MAX)
            agreed = shared.double().cpu()
        self.seconds, slice_seconds, asked = agreed.tolist()
        slice_over = self._budget.slice_seconds is not None and slice_seconds >= self._budget.slice_seconds
        self.interrupted = bool(asked) or slice_over

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        done = share_done(state.global_step, self.seconds, self._budget) >= 1.0
        if done:
            self.interrupted = False
        if done or self.interrupted:
            control.should_save = True
            control.should_training_stop = True
        # The evaluation of a finished run is made when it is over, by who started it.
        control.should_evaluate = control.should_evaluate and not (done or self.interrupted)


def share_done(step: int, seconds: float, budget: BudgetSettings) -> float:
    """Return the share of the budget that is spent, from 0 to 1, in steps or in time, whichever is more."""
    steps = step / budget.max_steps if budget.max_steps else 0.0
    return min(1.0, max(steps, seconds / budget.max_seconds if budget.max_seconds else 0.0))


def rate_factor(step: int, done: float, optimizer: OptimizerSettings) -> float:
    """Return the factor of the highest learning rate in step `step`, from 0, a share `done` of the budget spent."""
    warmup = min(1.0, (step + 1) / max(1, optimizer.warmup_steps))
    falling = max(0.0, done - optimizer.steady) / max(1e-9, 1.0 - optimizer.steady)
    return warmup * (1.0 - (1.0 - optimizer.lowest) * min(1.0, falling))
