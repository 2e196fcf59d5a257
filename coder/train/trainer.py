"""`transformers.Trainer` with this project's data, clock, optimizer and checkpoints.

Devices, several processes (DDP, FSDP), accumulation, clipping, resuming and logging are left to that class.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors
import torch
from transformers import Trainer, TrainingArguments

from coder.train.adapter_file import MASK
from coder.train.held_out import LossTable
from coder.train.local_autoregression import PREFIX
from coder.train.objective import TwoStreamModel
from coder.train.pace import Pace, rate_factor, share_done
from coder.train.row_stream import RowStream
from coder.train.run_folder import RunFolder, disk_error, remove_old_checkpoints
from coder.train.settings import TrainSettings
from coder.train.streams import Batch, collate

Tensor = torch.Tensor

Figures = dict[str, float]

ENDLESS = 10_000_000
"""Steps, where time alone is the budget."""


class TwoStreamTrainer(Trainer):
    """Trains a `TwoStreamModel` on a `RowStream`.

    Args:
        evaluation: the figures of the model as it is, on held-out data; called in every process.
    """

    def __init__(
        self,
        model: TwoStreamModel,
        rows: RowStream,
        arguments: TrainingArguments,
        settings: TrainSettings,
        folder: RunFolder,
        pace: Pace,
        evaluation: Callable[[TwoStreamTrainer], Figures],
    ) -> None:
        super().__init__(model, arguments, collate, rows, callbacks=[pace])
        self.rows = rows
        self.settings = settings
        self.folder = folder
        self.pace = pace
        self._evaluation = evaluation
        self._table = LossTable()

    def compute_loss(
        self, model: torch.nn.Module, inputs: Batch, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        outputs = model(**inputs)
        self._table.add(inputs, outputs)
        return (outputs["loss"], outputs) if return_outputs else outputs["loss"]

    def log(self, logs: Figures, start_time: float | None = None) -> None:
        """Add the losses by kind and the clock to what is logged of training."""
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
        """Write what was trained, in float32. `state_dict` is a model gathered from its pieces (FSDP)."""
        if self.args.should_save:
            whole = self.accelerator.unwrap_model(self.model)
            folder = Path(output_dir or self.settings.run.out)
            self.folder.save(state_dict or whole.state_dict(), folder)

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        run = self.settings.run
        folder = run.out / f"checkpoint-{self.state.global_step}"
        if self.args.should_save:
            shutil.rmtree(folder, ignore_errors=True)  # what a killed process left unfinished
        try:
            super()._save_checkpoint(model, trial)
            if self.args.should_save:
                self.pace.save(folder)
        except (OSError, RuntimeError, safetensors.SafetensorError) as error:  # torch and safetensors have their own
            shutil.rmtree(folder, ignore_errors=True)
            raise disk_error(run.out, error) from error
        if self.args.should_save:
            # Not before the new one is finished, as `transformers` would: killed in between, a run would lose all.
            remove_old_checkpoints(run.out, run.keep)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: torch.nn.Module | None = None) -> None:
        if self.is_fsdp_enabled:
            super()._load_from_checkpoint(resume_from_checkpoint, model)
            return
        target = self.accelerator.unwrap_model(model or self.model)
        assert isinstance(target, TwoStreamModel)
        self.folder.load(target, Path(resume_from_checkpoint))


def make_optimizer(model: torch.nn.Module, settings: TrainSettings) -> torch.optim.AdamW:
    """Fused AdamW over what is trained: matrices with weight decay, the rest without; the mask and the local
    autoregression at rates of their own."""
    ours, rate = settings.optimizer, settings.optimizer.learning_rate
    trained = [(name.removeprefix("module."), one) for name, one in model.named_parameters() if one.requires_grad]
    apart = {MASK: rate * ours.mask_rate, PREFIX: rate * ours.local_rate}
    plain = [one for name, one in trained if not name.startswith(tuple(apart))]
    groups: list[dict[str, Any]] = [
        {"params": [one for one in plain if one.dim() > 1], "weight_decay": ours.weight_decay},
        {"params": [one for one in plain if one.dim() <= 1]},
    ]
    groups += [
        {"params": [one for name, one in trained if name.startswith(start)], "lr": own} for start, own in apart.items()
    ]
    kept = [group for group in groups if group["params"]]
    return torch.optim.AdamW(kept, lr=rate, betas=(ours.beta1, ours.beta2), weight_decay=0.0, fused=True)


def training_arguments(settings: TrainSettings, mixed: bool, workers: int, report_to: list[str]) -> TrainingArguments:
    """Return the settings as `transformers` takes them.

    Args:
        mixed: products of float32 weights in bfloat16.
    """
    run, optimizer = settings.run, settings.optimizer
    return TrainingArguments(
        output_dir=str(run.out),
        max_steps=settings.budget.max_steps or ENDLESS,
        per_device_train_batch_size=optimizer.rows,
        gradient_accumulation_steps=optimizer.accumulate,
        max_grad_norm=optimizer.clip,
        bf16=mixed,
        # Said outright, since several processes on processors would not know of each other otherwise.
        use_cpu=not torch.cuda.is_available(),
        logging_steps=run.log_every,
        # It would wait for the GPU after every pass.
        logging_nan_inf_filter=False,
        eval_strategy="steps" if run.evaluate_every else "no",
        eval_steps=run.evaluate_every or None,
        save_strategy="steps",
        save_steps=run.save_every,
        seed=run.seed,
        dataloader_num_workers=workers,
        dataloader_persistent_workers=workers > 0,
        dataloader_pin_memory=torch.cuda.is_available(),
        remove_unused_columns=False,
        # A batch without canvases has nothing for the local autoregression.
        ddp_find_unused_parameters=True,
        ddp_broadcast_buffers=False,
        disable_tqdm=True,
        report_to=report_to,
    )
