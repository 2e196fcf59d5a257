"""Opening a checkpoint by its name: embedded, a folder, a GGUF file, a hub id; adapter and options may follow."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import tokenizers

from coder.errors import CheckpointError, InputError
from coder.model.checkpoint.adapter import with_adapter, with_named_adapter
from coder.model.checkpoint.checkpoint import Checkpoint, assemble, weight_tensors
from coder.model.checkpoint.config import require_adapted
from coder.model.checkpoint.files import embedded_folder, read_json
from coder.model.checkpoint.gguf_file import part_files
from coder.model.checkpoint.hub import HubName, download, download_gguf
from coder.model.checkpoint.options import ModelOptions, split_name
from coder.model.checkpoint.tokenizer_file import with_control_tokens_marked
from coder.model.convert.gguf_reader import GgufDecoder
from coder.model.families.autoregressive import open_autoregressive
from coder.model.families.loading import open_family

EMBEDDED = "embedded"
"""The name of the checkpoint that is installed with the package."""

WITH_ADAPTER = "+"


def find_checkpoint(name: str) -> Path:
    """The folder of the checkpoint called `name`: `embedded`, an existing folder, or a hub id `organisation/name`.

    A hub id is downloaded on first use, JSON and safetensors files only.

    Raises:
        CheckpointError: there is no such checkpoint, or it cannot be reached.
        MissingDependencyError: a hub id was given and huggingface_hub is not installed.
    """
    if name == EMBEDDED:
        return embedded_folder()
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    if path.exists():
        raise CheckpointError(
            f"{name} is a file; a checkpoint is a folder with config.json and weights, or a GGUF file"
        )
    if (on_hub := HubName.parse(name)) is None or on_hub.names_gguf:
        raise CheckpointError(
            f"there is no folder {name}; name the embedded model ('{EMBEDDED}'), a folder, or a hub id "
            "('organisation/name')"
        )
    return download(name)


def find_model(name: str) -> Path:
    """The folder of a checkpoint as `find_checkpoint` finds it, or the file of a model in GGUF: an existing one, the
    only one in a folder without a `config.json`, or one on the hub, which is downloaded.

    Raises as `find_checkpoint` does.
    """
    path = Path(name).expanduser()
    if path.is_file() and path.suffix == ".gguf":
        return path
    on_hub = None if name == EMBEDDED or path.exists() else HubName.parse(name)
    if on_hub is not None and on_hub.names_gguf:
        return download_gguf(on_hub)
    folder = find_checkpoint(name)
    if on_hub is not None and not any(folder.glob("*.safetensors")):
        return download_gguf(on_hub)
    return folder if (folder / "config.json").exists() else _only_model(folder) or folder


def open_checkpoint(name: str) -> Checkpoint:
    """Find a checkpoint, ours or a published model's, and validate all of it but the weights' values.

    Args:
        name: as `find_model` takes it; of a file in parts any part. `+` and the file of an adapter may follow, which is
            then in the weights, and options, see `coder.model.checkpoint.options`.

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
    if not (folder := find_model(plain)).is_dir():
        return _open_gguf(folder, options)
    settings = read_json(folder / "config.json")
    if "quickfill" not in settings and settings.get("model_type") is not None:
        return open_family(folder, plain, settings, options)
    require_adapted(settings)
    if options.for_denoisers:
        raise InputError(f"{plain} is no published diffusion model: it has no {', '.join(options.for_denoisers)}")
    ours = assemble(folder, settings, folder / "tokenizer.json", weight_tensors(folder))
    return replace(with_named_adapter(ours, settings), options=options)


def _only_model(folder: Path) -> Path | None:
    """The model in GGUF in a folder, the first of its parts. Raises CheckpointError where there are several."""
    models = sorted({part_files(file)[0] for file in folder.glob("*.gguf")})
    if len(models) > 1:
        raise CheckpointError(f"{folder} holds {len(models)} models; name one of them, such as {models[0]}")
    return models[0] if models else None


def _open_gguf(file: Path, options: ModelOptions) -> Checkpoint:
    """A model whose settings and tokenizer are in its file."""
    decoder = GgufDecoder(file)
    backend = with_control_tokens_marked(tokenizers.Tokenizer.from_str(json.dumps(decoder.tokenizer())))
    if "quickfill" not in decoder.settings:
        return open_autoregressive(file, decoder.settings, file, backend, decoder.tensors, options)
    if options.for_denoisers:
        raise InputError(f"{file} is no published diffusion model: it has no {', '.join(options.for_denoisers)}")
    return replace(assemble(file, decoder.settings, file, decoder.tensors, backend), options=options)
