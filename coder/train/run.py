"""A training run from its settings: opens what it needs, trains until its budget is spent, evaluates."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from coder.diffusion.schedules import CosineSchedule, LinearSchedule
from coder.errors import InputError, MissingDependencyError
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.torch.decoder import Decoder
from coder.train.batches import RowStream
from coder.train.held_out import HeldOut
from coder.train.infilling import Hole, figures_of, fill_holes, read_holes, samples_page
from coder.train.masking import BlockSuffix, Independent, Lines, Masking, Mixture, Spans, SyntaxNodes
from coder.train.noising import WrongTokens
from coder.train.noisy_rows import Noising
from coder.train.objective import BlockDiffusionModel, compile_layers, named_control_tokens
from coder.train.pace import Pace
from coder.train.packed_rows import PackedRows
from coder.train.run_folder import FIGURES_FILE, SETTINGS_FILE, newest_checkpoint, open_start
from coder.train.settings import MaskingShares, TrainSettings
from coder.train.settings_file import write_settings
from coder.train.trainer import ENDLESS, BlockDiffusionTrainer, Figures, training_arguments

if TYPE_CHECKING:
    from coder.train.syntax_nodes import NodeFinder

logger = logging.getLogger("quickfill.train")

SAMPLES = "samples"
FLEX_TILE = 128
MOST_WORKERS = 8
NEW_EMBEDDING_SPREAD = 0.02


def train(settings: TrainSettings) -> Figures:
    """Train as the settings say, going on where the run's folder has a checkpoint; the figures of its evaluation, none
    where it was interrupted.

    Raises InputError and CheckpointError for what cannot be used.
    """
    rows = PackedRows(settings.data.rows)
    arguments = training_arguments(settings, _precision(settings), _workers(settings), _reporters())
    pace = Pace(settings.budget, arguments.device)
    start = open_start(settings)
    _require_same_vocabulary(rows, start.checkpoint)
    decoder = Decoder.from_checkpoint(start.checkpoint, torch.device("cpu"), torch.float32)
    if not start.checkpoint.config.adapted:
        _renew_control_embeddings(decoder, settings.run.seed)
    model = BlockDiffusionModel(decoder, settings.objective.next_token_weight, settings.optimizer.frozen_embedding)
    if settings.run.compile if settings.run.compile is not None else arguments.device.type == "cuda":
        compile_layers(decoder, one_length=arguments.device.type == "cuda")
    length = noisy_length(rows, settings)
    noising = noising_of(settings, start.checkpoint)
    batch_rows = arguments.train_batch_size * arguments.world_size * arguments.gradient_accumulation_steps
    stream = RowStream(
        rows,
        settings.objective.block_sizes,
        length,
        noising,
        settings.run.seed,
        batch_rows * (settings.budget.max_steps or ENDLESS),
    )
    evaluation = Evaluation(settings, start.checkpoint, noising, length)
    trainer = BlockDiffusionTrainer(model, stream, arguments, settings, start, pace, evaluation)
    if trainer.is_world_process_zero():
        write_settings(settings, settings.run.out / SETTINGS_FILE)
    checkpoint = newest_checkpoint(settings.run.out)
    if checkpoint is not None:
        logger.info("going on from %s", checkpoint)
        pace.resume(checkpoint)
    with pace:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if pace.interrupted:
        logger.info("stopped after %.0f s in all; the same command goes on from there", pace.seconds)
        return {}
    figures = trainer.evaluate()
    if trainer.is_world_process_zero():
        (settings.run.out / FIGURES_FILE).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return figures


class Evaluation:
    """What is measured of a checkpoint in training: the held-out loss, and holes filled through the engine."""

    def __init__(self, settings: TrainSettings, checkpoint: Checkpoint, noising: Noising, length: int) -> None:
        self._settings = settings
        self._checkpoint = checkpoint
        data, run = settings.data, settings.run
        self._holes: list[Hole] = read_holes(data.holes, run.holes_to_fill) if data.holes else []
        self._held_out: HeldOut | None = None
        if data.held_out:
            rows = PackedRows(data.held_out)
            _require_same_vocabulary(rows, checkpoint)
            plain = replace(noising, masking=Independent(), nodes=None)
            sizes = settings.objective.block_sizes
            self._held_out = HeldOut(rows, sizes, length, plain, data.held_out_rows, settings.optimizer.rows)

    def __call__(self, trainer: BlockDiffusionTrainer) -> Figures:
        figures: Figures = {}
        if self._held_out is not None:
            assert trainer.model is not None
            figures |= self._held_out.figures(trainer.model, trainer.args.device, trainer.accelerator.autocast())
        if self._holes and not trainer.is_fsdp_enabled and trainer.is_world_process_zero():
            figures |= self._fill(trainer)
        return figures

    def _fill(self, trainer: BlockDiffusionTrainer) -> Figures:
        run, step = self._settings.run, trainer.state.global_step
        checkpoint = replace(self._checkpoint, config=replace(self._checkpoint.config, adapted=True))
        try:
            answers = fill_holes(trainer.decoder, checkpoint, self._holes, run.hole_tokens)
        except ImportError as error:
            logger.warning("no holes are filled: the engine needs a package that is not installed (%s)", error)
            self._holes = []
            return {}
        page = run.out / SAMPLES / f"step-{step:06}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(samples_page(answers, f"Holes filled after {step} steps"), encoding="utf-8")
        return figures_of(answers)


def noisy_length(rows: PackedRows, settings: TrainSettings) -> int:
    """Tokens for canvases in a row, such that the whole is a multiple of FlexAttention's tile. Raises InputError."""
    wanted = settings.objective.noisy_length or rows.card.row_length
    length = wanted + -(rows.card.row_length + wanted) % FLEX_TILE
    if length < max(settings.objective.block_sizes) + 1:
        raise InputError(
            f"objective.noisy_length: {wanted} tokens hold no canvas of {max(settings.objective.block_sizes)}"
        )
    return length


def noising_of(settings: TrainSettings, checkpoint: Checkpoint) -> Noising:
    """How canvases are cut and noised, for a checkpoint's vocabulary."""
    objective, tokenizer = settings.objective, checkpoint.tokenizer
    control = checkpoint.config.control
    vocabulary = checkpoint.config.vocab_size
    line_breaks = np.array([b"\n" in tokenizer.token_bytes(token) for token in range(vocabulary)])
    wrong_tokens = None
    if objective.wrong_token_blocks > 0:
        ordinary = np.setdiff1d(np.arange(vocabulary), control.all)
        wrong_tokens = WrongTokens(ordinary, objective.wrong_token_blocks, objective.wrong_token_slots)
    return Noising(
        control,
        LinearSchedule() if objective.schedule == "linear" else CosineSchedule(),
        masking_of(objective.masking),
        line_breaks,
        wrong_tokens,
        objective.fully_masked,
        objective.middles_only,
        objective.complementary,
        objective.draws,
        _node_finder(checkpoint) if objective.masking.nodes > 0 else None,
    )


def _node_finder(checkpoint: Checkpoint) -> NodeFinder:
    """Raises MissingDependencyError without tree-sitter."""
    try:
        from coder.train.syntax_nodes import NodeFinder
    except ImportError as error:
        raise MissingDependencyError(
            "objective.masking.nodes needs tree-sitter: pip install tree-sitter tree-sitter-python"
        ) from error
    config = checkpoint.config
    return NodeFinder(config.control, [checkpoint.tokenizer.token_bytes(token) for token in range(config.vocab_size)])


def masking_of(shares: MaskingShares) -> Masking:
    """One rule, or several in their shares."""
    rules: list[tuple[Masking, float]] = [
        (Independent(), shares.slots),
        (Spans(), shares.spans),
        (Lines(), shares.lines),
        (BlockSuffix(), shares.suffix),
        (SyntaxNodes(), shares.nodes),
    ]
    used = [(rule, share) for rule, share in rules if share > 0]
    if len(used) == 1:
        return used[0][0]
    total = sum(share for _, share in used)
    return Mixture([rule for rule, _ in used], [share / total for _, share in used])


@torch.no_grad()
def _renew_control_embeddings(decoder: Decoder, seed: int) -> None:
    """Give the control tokens of a base that does not know them vectors near the mean, each its own."""
    control = decoder.config.control
    numbers = [token for token in named_control_tokens(control) if token != control.end_of_text]
    generator = torch.Generator().manual_seed(seed)
    for matrix in (decoder.embedding, decoder.head):
        if matrix is not None:
            weight = matrix.weight
            noise = torch.randn(len(numbers), weight.shape[1], generator=generator)
            weight[numbers] = weight.mean(dim=0) + NEW_EMBEDDING_SPREAD * noise


def _require_same_vocabulary(rows: PackedRows, checkpoint: Checkpoint) -> None:
    if rows.card.vocabulary != checkpoint.tokenizer.digest:
        raise InputError(
            f"the rows in {rows.folder} are in another tokenizer's ids than {checkpoint.folder}'s; pack them with the "
            "tokenizer of the checkpoint that is trained"
        )


def _precision(settings: TrainSettings) -> str:
    if settings.run.precision != "auto":
        return settings.run.precision
    return "bfloat16" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "float32"


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
