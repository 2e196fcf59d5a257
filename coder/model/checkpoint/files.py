"""Files of a checkpoint: the folder of the embedded one, the JSON of one, the digest of any."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any

from coder.errors import CheckpointError


def embedded_folder() -> Path:
    """Return the folder of the checkpoint that is installed with the package."""
    return Path(str(resources.files("coder") / "weights" / "base"))


def read_json(file: Path) -> dict[str, Any]:
    """Read a file of a checkpoint that holds a JSON object. Raises CheckpointError when it does not."""
    if not file.is_file():
        raise CheckpointError(f"{file} is missing: {file.parent} is not a checkpoint in Hugging Face layout")
    try:
        content = json.loads(file.read_bytes())
    except ValueError as error:
        raise CheckpointError(f"{file} is not valid JSON ({error}); download it again") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{file} must hold a JSON object; download it again")
    return content


def sha256_of_file(file: Path) -> str:
    """Return the SHA-256 of a file's contents, in hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
