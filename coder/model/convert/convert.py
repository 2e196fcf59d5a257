"""Checkpoints from one format into another: our own, stock Hugging Face Llama folders, and GGUF files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from coder.errors import CheckpointError, InputError
from coder.installation import missing_extra
from coder.model.checkpoint.adapter import merged_settings, with_adapter, with_named_adapter
from coder.model.checkpoint.checkpoint import Checkpoint, assemble, weight_tensors
from coder.model.checkpoint.config import ControlTokens, require_decoder
from coder.model.checkpoint.files import read_json
from coder.model.checkpoint.opening import WITH_ADAPTER, find_model
from coder.model.checkpoint.stored_tensors import StoredTensor
from coder.model.checkpoint.tokens import Tokenizer
from coder.model.convert.checkpoint_writer import Precision, write_checkpoint
from coder.model.convert.control_tokens import with_control_tokens
from coder.model.convert.smoothing import SMOOTHING_FILE
from coder.model.convert.vllm_settings import end_generation_with_the_middle, vllm_settings

Format = Literal["quickfill", "transformers", "gguf", "vllm"]

USUAL_PRECISION: dict[Format, Precision] = {
    "quickfill": "int8",
    "transformers": "f32",
    "gguf": "int8",
    "vllm": "bf16",
}

BLOCK_SIZES = [8, 16, 32]
"""Canvas sizes in the settings of a checkpoint that was never adapted: those that training will use."""

Settings = dict[str, Any]


def convert(
    source: str,
    destination: Path,
    to: Format = "quickfill",
    precision: Precision | None = None,
    tokenizer: Path | None = None,
    force: bool = False,
) -> Checkpoint:
    """Write `source` into `destination` in another format. All of it appears there at once, or nothing.

    Args:
        source: a checkpoint's name, its folder, a stock folder of transformers, or a GGUF file. `+` and the file of an
            adapter may follow; adapters become part of the weights.
        destination: a folder; a file for GGUF.
        precision: of the matrices; None is int8 for `quickfill` and `gguf`, float32 for `transformers`, which loses
            nothing, and bfloat16 for `vllm`.
        tokenizer: a `tokenizer.json` to use instead of the source's.
        force: replace what is there.

    Returns: the source, as it was understood.

    Raises:
        CheckpointError: the source is no decoder that can be read.
        InputError: the destination exists, or the precision does not exist in the format.
        MissingDependencyError: GGUF without the package for it.
    """
    if to in ("transformers", "vllm") and precision == "int8":
        raise InputError(f"{to} cannot load the int8 format; choose --precision bf16 or f32")
    precision = precision or USUAL_PRECISION[to]
    with tempfile.TemporaryDirectory(prefix="quickfill-") as scratch:
        checkpoint, settings = open_source(source, tokenizer, Path(scratch))
        with replaced(destination, force, checkpoint.folder) as unfinished:
            if to == "gguf":
                _require_gguf()
                from coder.model.convert.gguf_writer import write_gguf

                write_gguf(checkpoint, unfinished, precision, settings["quickfill"])
            else:
                unfinished.mkdir()
                written = checkpoint
                if to == "vllm":
                    settings = vllm_settings(settings, checkpoint.config)
                    # The plugin refuses tensors that it does not know.
                    written = replace(checkpoint, config=replace(checkpoint.config, local_width=0))
                write_checkpoint(written, settings, unfinished, precision)
                if to == "vllm":
                    # vLLM takes every such file for weights; and it does not quantise, so it needs none of it.
                    (unfinished / SMOOTHING_FILE).unlink(missing_ok=True)
                    end_generation_with_the_middle(unfinished, checkpoint.tokenizer)
    return checkpoint


def open_source(source: str, tokenizer_file: Path | None, scratch: Path) -> tuple[Checkpoint, Settings]:
    """A checkpoint of any format, and its `config.json`. One without our settings gets them, and the control tokens.

    Args:
        scratch: a folder for the tokenizer, which the checkpoint then reads.
    """
    plain, plus, adapter = source.partition(WITH_ADAPTER)
    if not plus or Path(source).expanduser().exists():
        plain, adapter = source, ""
    path, settings, tokenizer, stored = _read_source(plain, tokenizer_file)
    require_decoder(settings)
    target = scratch / "tokenizer.json"
    if "quickfill" in settings:
        target.write_text(json.dumps(tokenizer), encoding="utf-8")
    else:
        vocab_size = settings.get("vocab_size")
        if not isinstance(vocab_size, int):
            raise CheckpointError(f"config.json: vocab_size must be a whole number, not {vocab_size!r}")
        prepared = with_control_tokens(tokenizer, vocab_size, _kept_ids(settings))
        target.write_text(json.dumps(prepared), encoding="utf-8")
        settings = {**settings, "quickfill": unadapted_settings(Tokenizer(target).control)}
    checkpoint = with_named_adapter(assemble(path, settings, target, stored), settings)
    if adapter:
        checkpoint = with_adapter(checkpoint, Path(adapter).expanduser())
    return checkpoint, merged_settings(settings, checkpoint)


def unadapted_settings(control: ControlTokens) -> Settings:
    """The `quickfill` settings of a checkpoint that has never seen a canvas."""
    return {
        "version": "unadapted",
        "adapted": False,
        "mask_token_id": control.mask,
        "fim_prefix_id": control.fim_prefix,
        "fim_suffix_id": control.fim_suffix,
        "fim_end_id": control.fim_end,
        "hole_id": control.hole,
        "shift": True,
        "block_sizes": BLOCK_SIZES,
        "abilities": {"holes": False, "edits": False, "correction": False},
    }


@contextmanager
def replaced(destination: Path, force: bool, source: Path | None = None) -> Iterator[Path]:
    """A path beside `destination` to write to, a file or a folder, which takes its place when all went well.

    Raises InputError when something is there that may not be replaced.
    """
    destination = destination.absolute()
    _require_free(destination, force, source)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{destination.name}-", dir=destination.parent) as folder:
        unfinished = Path(folder) / "new"
        yield unfinished
        old = Path(folder) / "old"
        if destination.exists():
            destination.rename(old)
        try:
            unfinished.rename(destination)
        except OSError:
            if old.exists():
                old.rename(destination)
            raise


def _require_free(destination: Path, force: bool, source: Path | None) -> None:
    if not destination.exists():
        return
    if source is not None and source.exists() and destination.samefile(source):
        raise InputError(f"{destination} is what is to be converted; choose another destination")
    if not force:
        raise InputError(f"{destination} exists already; choose another destination, or replace it with --force")
    if destination.is_dir() and any(destination.iterdir()) and not (destination / "config.json").is_file():
        raise InputError(f"{destination} is a folder but no checkpoint, so it is not replaced; choose another one")


def _read_source(
    source: str, tokenizer_file: Path | None
) -> tuple[Path, Settings, Settings, Mapping[str, StoredTensor]]:
    """Return its place, its `config.json`, its `tokenizer.json` and its tensors."""
    if not (folder := find_model(source)).is_dir():
        from coder.model.convert.gguf_reader import GgufDecoder

        file = GgufDecoder(folder)
        tokenizer = read_json(tokenizer_file) if tokenizer_file else file.tokenizer()
        return folder, file.settings, tokenizer, file.tensors
    settings = read_json(folder / "config.json")
    require_decoder(settings)
    stored = weight_tensors(folder)
    return folder, settings, read_json(tokenizer_file or folder / "tokenizer.json"), stored


def _kept_ids(settings: Mapping[str, Any]) -> list[int]:
    """The special ids that have a meaning to the model already; what ends a text comes first."""
    named = (settings.get(f"{name}_token_id") for name in ("eos", "bos", "pad"))
    ids = (entry for value in named for entry in (value if isinstance(value, list) else [value]))
    return [entry for entry in ids if isinstance(entry, int)]


def _require_gguf() -> None:
    try:
        import gguf  # noqa: F401
    except ImportError as error:
        raise missing_extra("writing GGUF files needs the package gguf", "convert") from error
