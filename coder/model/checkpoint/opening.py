"""Opening a checkpoint by its name: the embedded one, a folder, a hub id; an adapter and options may follow."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import resources
from pathlib import Path

from coder.errors import CheckpointError, InputError
from coder.model.checkpoint.adapter import with_adapter
from coder.model.checkpoint.checkpoint import Checkpoint, assemble, weight_tensors
from coder.model.checkpoint.config import require_adapted_llama
from coder.model.checkpoint.files import read_json
from coder.model.checkpoint.hub import download
from coder.model.checkpoint.options import ModelOptions, split_name
from coder.model.families.loading import open_family

EMBEDDED = "embedded"
"""The name of the checkpoint that is installed with the package."""

WITH_ADAPTER = "+"

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def find_checkpoint(name: str) -> Path:
    """The folder of the checkpoint called `name`: `embedded`, an existing folder, or a hub id `organisation/name`.

    A hub id is downloaded on first use, JSON and safetensors files only.

    Raises:
        CheckpointError: there is no such checkpoint, or it cannot be reached.
        MissingDependencyError: a hub id was given and huggingface_hub is not installed.
    """
    if name == EMBEDDED:
        return Path(str(resources.files("coder") / "weights"))
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    if path.exists():
        raise CheckpointError(f"{name} is a file; a checkpoint is a folder with config.json and *.safetensors in it")
    if not HUB_ID.fullmatch(name):
        raise CheckpointError(
            f"there is no folder {name}; name the embedded model ('{EMBEDDED}'), a folder, or a hub id "
            "('organisation/name')"
        )
    return download(name)


def open_checkpoint(name: str) -> Checkpoint:
    """Find a checkpoint, ours or a published diffusion model's, and validate all of it but the weights' values.

    Args:
        name: as `find_checkpoint` takes it. `+` and the file of an adapter may follow, which is then in the weights,
            and options, see `coder.model.checkpoint.options`.

    Raises:
        CheckpointError: naming the file, field or tensor and the remedy; otherwise as `find_checkpoint`.
        InputError: an option that does not exist or does not fit the checkpoint.
    """
    plain, options = split_name(name)
    base, plus, adapter = plain.partition(WITH_ADAPTER)
    if plus and not Path(plain).expanduser().exists():
        return with_adapter(_open(base, options), Path(adapter).expanduser())
    return _open(plain, options)


def _open(plain: str, options: ModelOptions) -> Checkpoint:
    """The checkpoint of a name alone."""
    folder = find_checkpoint(plain)
    settings = read_json(folder / "config.json")
    if "quickfill" not in settings and settings.get("model_type") not in (None, "llama"):
        return open_family(folder, plain, settings, options)
    require_adapted_llama(settings)
    if options.for_denoisers:
        raise InputError(f"{plain} is no published diffusion model: it has no {', '.join(options.for_denoisers)}")
    ours = assemble(folder, settings, folder / "tokenizer.json", weight_tensors(folder))
    if (adapter := settings["quickfill"].get("adapter")) is not None:
        ours = with_adapter(ours, _inside(folder, adapter))
    return replace(ours, options=options)


def _inside(folder: Path, name: object) -> Path:
    """The file of a checkpoint that its `config.json` names. Raises CheckpointError for one elsewhere."""
    if not isinstance(name, str) or Path(name).name != name:
        raise CheckpointError(f"config.json: quickfill.adapter must name a file beside it, not {name!r}")
    return folder / name
