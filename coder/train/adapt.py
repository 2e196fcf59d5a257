"""Adapting a checkpoint to some code: a second low-rank change, trained on packed rows, and what it is worth there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import torch

from coder.engine.engine import Engine
from coder.train.adapter_file import LORA, adapter_tensors, write_adapter
from coder.train.base_model import open_base
from coder.train.infilling import METHODS, Hole, figures_of, fill_with
from coder.train.pace import rate_factor, share_done
from coder.train.packed_rows import PackedRows
from coder.train.row_stream import RowStream
from coder.train.run import precision, prepared
from coder.train.settings import BudgetSettings, DataSettings, ModelSettings, OptimizerSettings, TrainSettings
from coder.train.streams import Batch, collate
from coder.train.trainer import make_optimizer

HOLE_TOKENS = 48
"""Most tokens of an answer to a single line."""

OPTIMIZER = OptimizerSettings(rows=4, learning_rate=4e-4, warmup_steps=10, steady=0.5)


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
class AdaptingProgress:
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
    """The figures of a model on held-out holes of a single line.

    Attributes:
        exact: by decoding method, the share of holes that it fills exactly.
        loss: nats a token of what stood there, its end included, by the autoregressive pass.
    """

    exact: dict[str, float]
    loss: float


def adapt(model: str, rows: PackedRows, out: Path, settings: AdaptSettings) -> Iterator[AdaptingProgress]:
    """Train changes to a checkpoint's matrices, step by step, and write them to `out` in the end.

    The checkpoint's own adapter is a part of its weights; the changes come on top. On a GPU where there is one. Ctrl+C
    ends the training as the end of its time does; left early, the iterator writes nothing. Raises CheckpointError and
    InputError.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    steps = max(1, settings.epochs * len(rows) // OPTIMIZER.rows)
    budget = BudgetSettings(max_steps=steps, max_seconds=settings.max_seconds)
    run = TrainSettings(
        DataSettings(rows.folder),
        ModelSettings(init=model, rank=settings.rank, scale=settings.scale, local_width=0),
        optimizer=OPTIMIZER,
        budget=budget,
    )
    base = open_base(model, precision(run), adapted=True)
    run = replace(run, objective=replace(run.objective, canvas_sizes=base.canvas_sizes or run.objective.canvas_sizes))
    network = prepared(base, run).to(device)
    network.mask_embedding.requires_grad_(False)  # it is the model's, and serves every project
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    stream = RowStream(rows, base.tokens.ends, base.tokens.mask, run.objective, settings.seed, steps * OPTIMIZER.rows)
    optimizer = make_optimizer(network, run)
    # Several rows at once would take more memory than many a laptop has.
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
            loss = _accumulated(network, list(islice(batches, OPTIMIZER.rows // together)), device)
            torch.nn.utils.clip_grad_norm_(trained, OPTIMIZER.clip)
            optimizer.step()
            yield AdaptingProgress(step + 1, steps, done, loss)
    except KeyboardInterrupt:
        pass  # Somebody has waited long enough; what was learned is theirs.
    learned = {name: value for name, value in adapter_tensors(network.state_dict()).items() if LORA in name}
    write_adapter(out, learned, settings.rank, settings.scale, base.fingerprint, torch.float16)


def _accumulated(network: torch.nn.Module, batches: Sequence[Batch], device: torch.device) -> float:
    """Add the gradient of the batches' mean loss to the parameters; return that loss."""
    total = 0.0
    for batch in batches:
        loss = network(**{name: values.to(device) for name, values in batch.items()})["loss"] / len(batches)
        loss.backward()
        total += float(loss.detach())
    return total


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
