"""`transformers.Trainer` with this project's data, clock, optimizer and checkpoints.

What that class brings is left to it: devices, several processes (DDP, FSDP), mixed precision, accumulation, clipping,
resuming, logging.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainingArguments

from coder.model.torch.decoder import Decoder
from coder.train.batches import Batch, RowStream, collate
from coder.train.control_embedding import ControlEmbedding
from coder.train.learning_rate import rate_factor, share_done
from coder.train.loss_table import LossTable
from coder.train.objective import BlockDiffusionModel
from coder.train.pace import Pace
from coder.train.run_folder import Start, load_weights, save_weights
from coder.train.settings import TrainSettings

Tensor = torch.Tensor

Figures = dict[str, float]

ENDLESS = 10_000_000
"""Steps, where time alone is the budget."""


class BlockDiffusionTrainer(Trainer):
    """Trains a `BlockDiffusionModel` on a `RowStream`.

    Args:
        evaluation: the figures of a decoder as it is, on held-out data; called in every process.
    """

    def __init__(
        self,
        model: BlockDiffusionModel,
        rows: RowStream,
        arguments: TrainingArguments,
        settings: TrainSettings,
        start: Start,
        pace: Pace,
        evaluation: Callable[[BlockDiffusionTrainer], Figures],
    ) -> None:
        super().__init__(model, arguments, collate, rows, callbacks=[pace])
        self.rows = rows
        self.settings = settings
        self.start = start
        self.pace = pace
        self._evaluation = evaluation
        self._table = LossTable(settings.objective.block_sizes, arguments.device)

    @property
    def decoder(self) -> Decoder:
        """The decoder in training, its embedding settled."""
        model = self.accelerator.unwrap_model(self.model)
        assert isinstance(model, BlockDiffusionModel)
        model.settle()
        return model.decoder

    def compute_loss(
        self, model: torch.nn.Module, inputs: Batch, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        outputs = model(**inputs)
        self._table.add(inputs, outputs["losses"])
        return (outputs["loss"], outputs) if return_outputs else outputs["loss"]

    def log(self, logs: Figures, start_time: float | None = None) -> None:
        """Add the losses by level and size to what is logged of training."""
        training = "loss" in logs
        super().log({**logs, **self._table.read(), "seconds": self.pace.seconds} if training else logs, start_time)

    def evaluate(self, *_: Any, **__: Any) -> Figures:
        figures = {f"eval_{name}": value for name, value in self._evaluation(self).items()}
        if figures:
            self.log(dict(figures))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, figures)
        return figures

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            model = model or self.model
            assert model is not None
            self.optimizer = make_optimizer(model, self.settings)
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> torch.optim.lr_scheduler.LRScheduler:
        settings = self.settings

        def factor(step: int) -> float:
            return rate_factor(step, share_done(step, self.pace.seconds, settings.budget), settings.optimizer)

        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer or self.optimizer, factor)
        return self.lr_scheduler

    def _get_train_sampler(self, train_dataset: Any = None) -> torch.utils.data.Sampler[int]:
        """The stream has its own order."""
        return torch.utils.data.SequentialSampler(self.rows)

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Tensor] | None = None) -> None:
        """Write the weights as a checkpoint of this project. With a `state_dict` the model is in pieces (FSDP)."""
        if not self.args.should_save:
            return
        folder = Path(output_dir or self.settings.run.out)
        folder.mkdir(parents=True, exist_ok=True)
        if state_dict is None:
            save_weights(self.decoder, self.start, folder)
        else:
            save_weights(_decoder_of(state_dict, self.start), self.start, folder)

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        folder = self.settings.run.out / f"checkpoint-{self.state.global_step}"
        if self.args.should_save:
            shutil.rmtree(folder, ignore_errors=True)  # what a killed process left unfinished
        super()._save_checkpoint(model, trial)
        if self.args.should_save:
            self.pace.save(folder)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: torch.nn.Module | None = None) -> None:
        if self.is_fsdp_enabled:
            super()._load_from_checkpoint(resume_from_checkpoint, model)
            return
        target = self.accelerator.unwrap_model(model or self.model)
        assert isinstance(target, BlockDiffusionModel)
        load_weights(target.decoder, Path(resume_from_checkpoint))
        target.unsettle()


def make_optimizer(model: torch.nn.Module, settings: TrainSettings) -> torch.optim.AdamW:
    """Fused AdamW over what is trained: matrices with weight decay, the rest without, control tokens at their rate."""
    ours = settings.optimizer
    control = [module.rows for module in model.modules() if isinstance(module, ControlEmbedding)]
    embeddings = [module.weight for module in model.modules() if isinstance(module, torch.nn.Embedding)]
    apart = {id(parameter) for parameter in (*control, *embeddings)}
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    plain = [parameter for parameter in trained if id(parameter) not in apart]
    rate = ours.learning_rate
    groups = [
        {"params": [parameter for parameter in plain if parameter.dim() > 1], "weight_decay": ours.weight_decay},
        {"params": [parameter for parameter in plain if parameter.dim() <= 1]},
        {"params": [parameter for parameter in embeddings if parameter.requires_grad]},
        {"params": control, "lr": rate * ours.control_token_rate},
    ]
    kept = [group for group in groups if group["params"]]
    return torch.optim.AdamW(kept, lr=rate, betas=(ours.beta1, ours.beta2), weight_decay=0.0, fused=True)


def training_arguments(
    settings: TrainSettings, precision: str, workers: int, report_to: list[str]
) -> TrainingArguments:
    """What `transformers` is told."""
    run, optimizer = settings.run, settings.optimizer
    return TrainingArguments(
        output_dir=str(run.out),
        max_steps=settings.budget.max_steps or ENDLESS,
        per_device_train_batch_size=optimizer.rows,
        gradient_accumulation_steps=optimizer.accumulate,
        max_grad_norm=optimizer.clip,
        bf16=precision == "bfloat16",
        # Said outright, since several processes on processors would not know of each other otherwise.
        use_cpu=not torch.cuda.is_available(),
        logging_steps=run.log_every,
        # It would wait for the GPU after every pass.
        logging_nan_inf_filter=False,
        eval_strategy="steps" if run.evaluate_every else "no",
        eval_steps=run.evaluate_every or None,
        save_strategy="steps",
        save_steps=run.save_every,
        save_total_limit=run.keep,
        seed=run.seed,
        dataloader_num_workers=workers,
        dataloader_persistent_workers=workers > 0,
        dataloader_pin_memory=torch.cuda.is_available(),
        remove_unused_columns=False,
        ddp_find_unused_parameters=False,
        ddp_broadcast_buffers=False,
        disable_tqdm=True,
        report_to=report_to,
    )


def _decoder_of(state: dict[str, Tensor], start: Start) -> Decoder:
    """A decoder around the parameters of a gathered `BlockDiffusionModel`."""
    config = start.checkpoint.config
    with torch.device("meta"):
        model = BlockDiffusionModel(Decoder(config), 0.0, "decoder.embedding.rows" in state)
    model.load_state_dict(state, assign=True)
    model.settle()
    return model.decoder
