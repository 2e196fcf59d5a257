"""The folder of a training run: its checkpoints, how far it is.

A checkpoint is a folder like any other, with the trainer's own files in it: the base's weights, or those that were
trained, and `adapter.safetensors` in float32. `quickfill complete --model RUN/checkpoint-100` reads it, where the base
is a checkpoint of this project.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from coder.errors import InputError
from coder.model.checkpoint.adapter import fingerprint_of
from coder.model.checkpoint.checkpoint import weight_tensors
from coder.train.adapter_file import MODEL, adapter_tensors, load_adapter, write_adapter
from coder.train.base_model import Base
from coder.train.objective import TwoStreamModel
from coder.train.pace import CLOCK_FILE
from coder.train.settings import TrainSettings

SETTINGS_FILE = "settings.json"
FIGURES_FILE = "figures.json"
"""Figures that were measured at the end of a run."""
ADAPTER_FILE = "adapter.safetensors"
WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
CHECKPOINT = re.compile(r"checkpoint-(\d+)")


@dataclass(frozen=True)
class RunFolder:
    """Writes and reads a run's checkpoints."""

    base: Base
    settings: TrainSettings

    def save(self, state: Mapping[str, torch.Tensor], folder: Path) -> None:
        """Write the state of a `TwoStreamModel` into a folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        model, of_weights = self.settings.model, self.base.fingerprint
        if model.method == "full":
            safetensors.torch.save_file(self._weights(state), folder / WEIGHTS_FILE, {"format": "pt"})
            if self.base.checkpoint is not None:
                of_weights = fingerprint_of(weight_tensors(folder))
        elif self.base.checkpoint is not None:
            for file in weight_files(self.base):
                link(file, folder / file.name)
        rank = model.rank if model.method == "low-rank" else 0
        write_adapter(folder / ADAPTER_FILE, adapter_tensors(state), rank, model.scale, of_weights)
        shutil.copyfile(self.base.folder / "tokenizer.json", folder / "tokenizer.json")
        config = new_config(self.base.settings, self.settings)
        (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    def load(self, model: TwoStreamModel, folder: Path) -> None:
        """Read back what `save` wrote."""
        if self.settings.model.method == "full":
            model.model.load_state_dict(safetensors.torch.load_file(folder / WEIGHTS_FILE), strict=False)
            model.model.tie_weights()
        load_adapter(model, folder / ADAPTER_FILE, self.settings.model.scale)

    def _weights(self, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        tied = f"{MODEL}lm_head.weight" if self.base.model.config.tie_word_embeddings else ""
        return {
            name.removeprefix(MODEL): value.detach().float().cpu().contiguous()
            for name, value in state.items()
            if name.startswith(MODEL) and name != tied
        }


def new_config(config: Mapping[str, Any], settings: TrainSettings, decoding: Sequence[Any] = ()) -> dict[str, Any]:
    """Return a base's `config.json` for what is trained on it; `decoding` lists what was measured of its methods."""
    if "quickfill" not in config:
        return dict(config)
    model = settings.model
    kept = {name: value for name, value in config["quickfill"].items() if name not in ("adapted", "decoding")}
    # What the base can do without the adapter, it is asked without.
    instructions = config["quickfill"].get("abilities", {}).get("instructions", False)
    abilities = {"holes": model.holes, "edits": model.edits, "correction": False, "context": model.context}
    # A hole at a line's end is packed with its line break, and a middle that was begun may look complete.
    ending = {"never_first": True, "line_break": True, **config["quickfill"].get("ending", {})}
    ours = {
        "version": model.version,
        "ending": ending,
        "adapter": ADAPTER_FILE,
        "block_sizes": sorted(set(settings.objective.canvas_sizes)),
        "abilities": {**abilities, "instructions": instructions},
    }
    return {**config, "quickfill": {**kept, **ours, **({"decoding": list(decoding)} if decoding else {})}}


def weight_files(base: Base) -> list[Path]:
    """The files of a base's weights, its own adapter left out."""
    own = base.settings.get("quickfill", {}).get("adapter")
    found = (file for file in sorted(base.folder.iterdir()) if {".safetensors", ".gguf"} & set(file.suffixes))
    return [file for file in found if file.name != own]


def link(file: str | Path, to: str | Path) -> None:
    """Let a file be in another place too: a base's weights, the same in every checkpoint, take their room once.

    Copied where the file system has no such links.
    """
    to = Path(to)
    to.unlink(missing_ok=True)
    try:
        os.link(Path(file).resolve(), to)
    except OSError:
        shutil.copyfile(file, to)


def finished_checkpoints(run: Path) -> list[Path]:
    """Return the finished checkpoints of a run, the newest last."""
    found = (path for path in run.glob("checkpoint-*") if CHECKPOINT.fullmatch(path.name))
    return sorted((path for path in found if (path / CLOCK_FILE).is_file()), key=_step)


def newest_checkpoint(run: Path) -> Path | None:
    """Return the last finished checkpoint of a run, if there is one."""
    return next(reversed(finished_checkpoints(run)), None)


def remove_old_checkpoints(run: Path, keep: int) -> None:
    """Remove all finished checkpoints but the newest, and what was left unfinished before these."""
    kept = finished_checkpoints(run)[-max(1, keep) :]
    for path in run.glob("checkpoint-*"):
        if CHECKPOINT.fullmatch(path.name) and kept and _step(path) < _step(kept[0]):
            shutil.rmtree(path, ignore_errors=True)


def disk_error(run: Path, error: Exception) -> InputError:
    """Return the error of a run whose folder cannot be written: the steps since its checkpoint are lost."""
    reason = str(error).partition("\n")[0]
    return InputError(
        f"{run} could not be written ({reason}). Is the disk full? Free some room; the same "
        "command goes on from the last checkpoint"
    )


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.split("-")[1])


def last_checkpoint(run: Path) -> Path:
    """Return the same, where one is needed. Raises InputError."""
    checkpoint = newest_checkpoint(run)
    if checkpoint is None:
        raise InputError(f"{run} holds no finished checkpoint; train first, or name the run's folder")
    return checkpoint
