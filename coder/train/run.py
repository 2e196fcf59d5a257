"""A training run from its settings: opens what it needs, trains until its budget is spent, evaluates."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import torch

from coder.errors import InputError
from coder.train.adapter_file import load_adapter
from coder.train.base_model import Base, open_base
from coder.train.held_out import HeldOut
from coder.train.infilling import figures_of, fill_holes, read_holes
from coder.train.local_autoregression import TrainedLocalAutoregression
from coder.train.low_rank import add_low_rank
from coder.train.objective import TwoStreamModel
from coder.train.pace import Pace
from coder.train.packed_rows import PackedRows
from coder.train.row_stream import RowStream
from coder.train.run_folder import (
    FIGURES_FILE,
    SETTINGS_FILE,
    RunFolder,
    disk_error,
    last_checkpoint,
    newest_checkpoint,
)
from coder.train.settings import TrainSettings
from coder.train.settings_file import write_settings
from coder.train.trainer import ENDLESS, Figures, TwoStreamTrainer, training_arguments

logger = logging.getLogger("quickfill.train")

MOST_WORKERS = 8

COMPILERS = {"darwin": "clang++", "win32": "cl"}
"""That TorchInductor asks for by system; elsewhere g++."""


def train(settings: TrainSettings) -> Figures:
    """Train as the settings say, going on where the run's folder has a checkpoint.

    Returns the figures of its evaluation, none where it was interrupted. Raises InputError and CheckpointError for what
    cannot be used.
    """
    if settings.run.threads:
        torch.set_num_threads(settings.run.threads)
    rows = PackedRows(settings.data.rows)
    dtype = precision(settings)
    full = settings.model.method == "full"
    # All weights are kept in float32, or small steps would be lost; frozen ones need no more than the products.
    base = open_base(settings.model.init, torch.float32 if full else dtype)
    _require_same_vocabulary(rows, base)
    if settings.data.holes and base.checkpoint is None:
        raise InputError("data.holes: only a checkpoint of this project fills holes; `quickfill convert` makes one")
    model = prepared(base, settings)
    arguments = training_arguments(settings, full and dtype == torch.bfloat16, _workers(settings), _reporters())
    pace = Pace(settings.budget, arguments.device)
    batch_rows = arguments.train_batch_size * arguments.world_size * arguments.gradient_accumulation_steps
    steps = settings.budget.max_steps or ENDLESS
    objective = settings.objective
    stream = RowStream(rows, base.tokens.ends, base.tokens.mask, objective, settings.run.seed, batch_rows * steps)
    folder = RunFolder(base, settings)
    held_out = _held_out(settings, base)

    def evaluation(trainer: TwoStreamTrainer) -> Figures:
        if held_out is None:
            return {}
        assert trainer.model is not None
        return held_out.figures(trainer.model, trainer.args.device, trainer.accelerator.autocast())

    trainer = TwoStreamTrainer(model, stream, arguments, settings, folder, pace, evaluation)
    if trainer.is_world_process_zero():
        write_settings(settings, settings.run.out / SETTINGS_FILE)
    checkpoint = newest_checkpoint(settings.run.out)
    if checkpoint is not None:
        logger.info("going on from %s", checkpoint)
        pace.resume(checkpoint)
    try:
        with pace:
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except OSError as error:  # of the log's files
        raise disk_error(settings.run.out, error) from error
    if pace.interrupted:
        logger.info("stopped after %.0f s in all; the same command goes on from there", pace.seconds)
        return {}
    figures = trainer.evaluate()
    if trainer.is_world_process_zero():
        figures |= _filled(settings, last_checkpoint(settings.run.out))
        (settings.run.out / FIGURES_FILE).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return figures


def prepared(base: Base, settings: TrainSettings) -> TwoStreamModel:
    """Return the base as it is trained: what is learned is added, the rest frozen."""
    ours, network = settings.model, base.model
    if ours.method == "low-rank":
        add_low_rank(network, ours.rank, ours.scale, settings.run.seed)
    else:
        network.requires_grad_(True)
    hidden = network.get_input_embeddings().weight.shape[1]
    local = TrainedLocalAutoregression(hidden, ours.local_width, settings.run.seed) if ours.local_width else None
    model = TwoStreamModel(network, base.tokens.mask, local, settings.objective)
    model.flexible = settings.run.attention == "auto"
    if ours.adapter is not None:
        load_adapter(model, ours.adapter, ours.scale)
    if ours.frozen_layers:
        for layer in network.get_decoder().layers[: ours.frozen_layers]:
            layer.requires_grad_(False)
        network.get_input_embeddings().requires_grad_(False)
        model.mask_embedding.requires_grad_(False)
    if settings.run.compile:
        _compile(network)
    return model


def _compile(network: Any) -> None:
    """Let TorchInductor fuse norms and feed-forward networks, whatever a batch's length; attention stays as it is.

    Raises InputError where there is no compiler for it.
    """
    compiler = os.environ.get("CXX", COMPILERS.get(sys.platform, "g++"))
    if not torch.cuda.is_available() and shutil.which(compiler) is None:
        raise InputError(f"run.compile needs a C++ compiler: install {compiler}, or leave it false")
    for layer in network.get_decoder().layers:
        for name, part in layer.named_children():
            if not name.endswith("attn"):
                part.compile(dynamic=True)


def precision(settings: TrainSettings) -> torch.dtype:
    """Return what products are computed in."""
    if settings.run.precision != "auto":
        return torch.bfloat16 if settings.run.precision == "bfloat16" else torch.float32
    if torch.cuda.is_available():
        fast = torch.cuda.is_bf16_supported()
    else:
        # Without such instructions a product in bfloat16 takes several times as long as one in float32.
        fast = any(name in CPU_BFLOAT16 and has for name, has in torch.cpu.get_capabilities().items())
    return torch.bfloat16 if fast else torch.float32


CPU_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")


def _held_out(settings: TrainSettings, base: Base) -> HeldOut | None:
    if settings.data.held_out is None:
        return None
    rows = PackedRows(settings.data.held_out)
    _require_same_vocabulary(rows, base)
    return HeldOut(rows, base.tokens, settings.objective, settings.data.held_out_rows)


def _filled(settings: TrainSettings, checkpoint: Path) -> Figures:
    """Fill the held-out holes as a user would have them filled, with the checkpoint that a run made."""
    if settings.data.holes is None:
        return {}
    holes = read_holes(settings.data.holes, settings.run.holes_to_fill)
    answers = fill_holes(str(checkpoint), holes, settings.run.hole_tokens)
    return {f"eval_{name}": value for name, value in figures_of(answers).items()}


def _require_same_vocabulary(rows: PackedRows, base: Base) -> None:
    if rows.card.vocabulary != base.tokenizer.digest:
        raise InputError(
            f"the rows in {rows.folder} are in another tokenizer's ids than {base.folder}'s; pack them with the "
            "tokenizer of the checkpoint that is trained"
        )


def _workers(settings: TrainSettings) -> int:
    if settings.run.workers is not None:
        return settings.run.workers
    return min(MOST_WORKERS, torch.multiprocessing.cpu_count() - 1) if torch.cuda.is_available() else 0


def _reporters() -> list[str]:
    """TensorBoard, where it is installed."""
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        return []
    return ["tensorboard"]
