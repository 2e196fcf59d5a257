"""The folder of a training run: where it began, its checkpoints, how far it is.

A checkpoint is a folder like any other of ours, in float32, with the trainer's own files beside the weights: `quickfill
complete --model RUN/checkpoint-100` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from coder.errors import InputError
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.checkpoint.stored_tensors import StoredTensor
from coder.model.convert.checkpoint_writer import write_checkpoint
from coder.model.convert.convert import open_source
from coder.model.torch.decoder import Decoder
from coder.train.pace import CLOCK_FILE
from coder.train.settings import TrainSettings

SETTINGS_FILE = "settings.json"
FIGURES_FILE = "figures.json"
"""What was measured at the end of a run."""
CHECKPOINT = re.compile(r"checkpoint-(\d+)")


@dataclass(frozen=True)
class _LiveTensor(StoredTensor):
    """A parameter in memory, read like one in a file."""

    values: torch.Tensor

    def read(self, rows: slice = slice(None)) -> npt.NDArray[Any]:
        return self.values.detach()[rows].float().cpu().numpy()


@dataclass(frozen=True)
class Start:
    """What a run began with, and the `config.json` of what it makes."""

    checkpoint: Checkpoint
    settings: Mapping[str, Any]


def open_start(settings: TrainSettings) -> Start:
    """Read the weights that a run begins with; the tokenizer goes to the run's folder.

    Raises CheckpointError and the other errors of `coder.model.convert.convert.open_source`.
    """
    folder = settings.run.out / "start"
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, found = open_source(settings.model.init, settings.model.tokenizer, folder)
    return Start(checkpoint, {**found, "quickfill": _new_settings(found["quickfill"], settings)})


def save_weights(decoder: Decoder, start: Start, folder: Path) -> None:
    """Write a decoder as a float32 checkpoint into `folder`, which exists."""
    stored = {
        name: _LiveTensor(folder, "F32", tuple(tensor.shape), 0, tensor)
        for name, tensor in decoder.checkpoint_tensors().items()
    }
    write_checkpoint(replace(start.checkpoint, stored=stored), start.settings, folder, "f32")


@torch.no_grad()
def load_weights(decoder: Decoder, folder: Path) -> None:
    """Read the weights of a checkpoint into a decoder."""
    checkpoint = open_checkpoint(str(folder))
    for name, target in decoder.checkpoint_tensors().items():
        target.copy_(torch.tensor(np.asarray(checkpoint.float_tensor(name))))


def newest_checkpoint(run: Path) -> Path | None:
    """The last finished checkpoint of a run, if there is one."""
    found = [
        path for path in run.glob("checkpoint-*") if CHECKPOINT.fullmatch(path.name) if (path / CLOCK_FILE).is_file()
    ]
    return max(found, key=lambda path: int(path.name.split("-")[1]), default=None)


def last_checkpoint(run: Path) -> Path:
    """The same, where one is needed. Raises InputError."""
    checkpoint = newest_checkpoint(run)
    if checkpoint is None:
        raise InputError(f"{run} holds no finished checkpoint; train first, or name the run's folder")
    return checkpoint


def _new_settings(found: Mapping[str, Any], settings: TrainSettings) -> dict[str, Any]:
    """The `quickfill` settings of what is trained. How its decoding methods do is not known yet."""
    model = settings.model
    kept = {name: value for name, value in found.items() if name not in ("adapted", "decoding", "quantization")}
    return {
        **kept,
        "version": model.version,
        "block_sizes": sorted(set(settings.objective.block_sizes)),
        "abilities": {
            "holes": model.holes,
            "edits": model.edits,
            "correction": model.correction,
            "context": model.context,
        },
    }
