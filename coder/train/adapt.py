"""Adapting a checkpoint to some code: low-rank changes trained on packed rows, and what they are worth there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from coder.diffusion.schedules import LinearSchedule
from coder.engine.engine import Engine
from coder.model.checkpoint.adapter import write_adapter
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.torch.decoder import Decoder
from coder.train.batches import Batch, RowStream, collate
from coder.train.infilling import METHODS, Hole, figures_of, fill_with
from coder.train.learning_rate import rate_factor, share_done
from coder.train.low_rank import add_low_rank, changes_of
from coder.train.masking import Independent
from coder.train.noising import WrongTokens
from coder.train.noisy_rows import Noising
from coder.train.objective import BlockDiffusionModel
from coder.train.packed_rows import PackedRows
from coder.train.settings import BudgetSettings, OptimizerSettings

HOLE_TOKENS = 48
"""Most tokens of an answer to a single line."""

NEXT_TOKEN_WEIGHT = 0.5
"""What the next-token loss counts beside the denoising loss (λ)."""

OPTIMIZER = OptimizerSettings(rows=4, learning_rate=1e-3, warmup_steps=10, steady=0.5)


@dataclass(frozen=True)
class AdaptSettings:
    """Attributes:
    rank: of the changes; each costs rank x (in + out) numbers. scale: what the changes are multiplied by.
    epochs: how often every row is seen. max_seconds: of training; whichever ends first.
    """

    rank: int = 8
    scale: float = 2.0
    epochs: int = 3
    max_seconds: float = 600.0
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """A step that was made.

    Attributes:
        step: its number, from 1. steps: how many there are where time allows them all.
        done: share of the budget that is spent. loss: in nats.
    """

    step: int
    steps: int
    done: float
    loss: float


@dataclass(frozen=True)
class Worth:
    """What a model does with held-out holes of a single line.

    Attributes:
        exact: by decoding method, the share of holes that it fills exactly.
        loss: nats a token of what stood there, its end included, by the autoregressive pass.
    """

    exact: dict[str, float]
    loss: float


def adapt(model: str, rows: PackedRows, out: Path, settings: AdaptSettings) -> Iterator[Progress]:
    """Train changes to a checkpoint's matrices, step by step, and write them to `out` in the end.

    On a GPU where there is one. Ctrl+C ends the training as the end of its time does; left early, the iterator writes
    nothing. Raises CheckpointError and InputError.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    checkpoint = open_checkpoint(model)
    decoder = Decoder.from_checkpoint(checkpoint, device, torch.float32)
    trained = add_low_rank(decoder, settings.rank, settings.scale, settings.seed)
    steps = max(1, settings.epochs * len(rows) // OPTIMIZER.rows)
    budget = BudgetSettings(max_steps=steps, max_seconds=settings.max_seconds)
    objective = BlockDiffusionModel(decoder, NEXT_TOKEN_WEIGHT, frozen_embedding=False)
    sizes, length = checkpoint.config.block_sizes, rows.card.row_length
    stream = RowStream(rows, sizes, length, _noising(checkpoint), settings.seed, steps * OPTIMIZER.rows)
    optimizer = torch.optim.AdamW(trained, betas=(OPTIMIZER.beta1, OPTIMIZER.beta2), weight_decay=0.0)
    # Several rows at once would take more memory than many a laptop has: each is some three gigabytes.
    together = OPTIMIZER.rows if device.type == "cuda" else 1
    batches = iter(torch.utils.data.DataLoader(stream, together, collate_fn=collate))
    started = time.monotonic()
    try:
        for step in range(steps):
            done = share_done(step, time.monotonic() - started, budget)
            if done >= 1.0:
                break
            for group in optimizer.param_groups:
                group["lr"] = OPTIMIZER.learning_rate * rate_factor(step, done, OPTIMIZER)
            optimizer.zero_grad()
            loss = _accumulated(objective, list(islice(batches, OPTIMIZER.rows // together)), device)
            torch.nn.utils.clip_grad_norm_(trained, OPTIMIZER.clip)
            optimizer.step()
            yield Progress(step + 1, steps, done, loss)
    except KeyboardInterrupt:
        pass  # Somebody has waited long enough; what was learned is theirs.
    write_adapter(out, checkpoint, changes_of(decoder), settings.scale)


def _accumulated(objective: BlockDiffusionModel, batches: Sequence[Batch], device: torch.device) -> float:
    """Add the gradient of the batches' mean loss to the parameters; that loss."""
    total = 0.0
    for batch in batches:
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            loss = objective(**{name: values.to(device) for name, values in batch.items()})["loss"] / len(batches)
        loss.backward()
        total += float(loss.detach())
    return total


def _noising(checkpoint: Checkpoint) -> Noising:
    """Every slot by itself, on the linear schedule; wrong tokens where the checkpoint has learned to mend them: what it
    has not is not learned from a few files either."""
    config = checkpoint.config
    ordinary = np.setdiff1d(np.arange(config.vocab_size), config.control.all)
    wrong_tokens = WrongTokens(ordinary) if config.abilities.correction else None
    line_breaks = np.zeros(config.vocab_size, np.bool_)
    return Noising(config.control, LinearSchedule(), Independent(), line_breaks, wrong_tokens)


def worth(model: str, holes: Sequence[Hole]) -> Worth:
    """Fill holes with a model through the engine, as a user asks, and score what stood there."""
    engine = Engine.load(model)
    try:
        figures = figures_of(fill_with(engine, holes, HOLE_TOKENS, METHODS))
        scores = [engine.score(hole.prefix, hole.suffix, hole.middle) for hole in holes]
    finally:
        engine.close()
    nats = -sum(score.log_probability + score.end_log_probability for score in scores)
    exact = {method.name: figures[f"{method.name}_exact"] for method in METHODS}
    return Worth(exact, nats / sum(score.tokens + 1 for score in scores))
