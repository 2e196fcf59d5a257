"""The checkpoint under test as a GGUF file with Q8_0 matrices, for llama.cpp."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs

from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.convert import gguf_writer


def cached_gguf(checkpoint: Checkpoint) -> Path:
    """The checkpoint's GGUF file in the user's cache folder, written when it is not there."""
    digest = hashlib.sha256(Path(gguf_writer.__file__).read_bytes())  # another way of writing makes another file
    for source in sorted({tensor.file for tensor in checkpoint.stored.values()}):
        digest.update(source.read_bytes())
    file = platformdirs.user_cache_path("quickfill") / "gguf" / f"{digest.hexdigest()[:16]}-q8_0.gguf"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(f".{os.getpid()}")
        gguf_writer.write_gguf(checkpoint, unfinished)
        unfinished.replace(file)
    return file
