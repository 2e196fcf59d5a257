"""Checkpoints on the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path

from coder.errors import CheckpointError
from coder.installation import missing_extra

FILES = ["*.json", "*.safetensors", "merges.txt", "*.jinja"]
"""The files of a checkpoint: no code and no pickle among them."""


def download(hub_id: str) -> Path:
    """The folder that holds `hub_id` (`organisation/name`), downloaded or updated first where the network allows.

    Raises:
        CheckpointError: there is no such model, or it is neither reachable nor here from an earlier download.
        MissingDependencyError: huggingface_hub is not installed.
    """
    try:
        import huggingface_hub
        from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError
    except ImportError as error:
        raise missing_extra(
            f"there is no folder {hub_id}, and downloading it from the hub needs huggingface_hub", "hub"
        ) from error
    try:
        # Patterns match across slashes: without the second, the files of other formats' subfolders would come along.
        folder = huggingface_hub.snapshot_download(hub_id, allow_patterns=FILES, ignore_patterns=["*/*"])
    except RepositoryNotFoundError as error:
        raise CheckpointError(
            f"there is no folder {hub_id} and no such model on the hub; check the spelling, and log in with "
            "`hf auth login` if it is private"
        ) from error
    except LocalEntryNotFoundError as error:
        raise CheckpointError(
            f"there is no folder {hub_id}, it was not downloaded before, and the hub cannot be reached; connect to the "
            "network, or use the embedded model or a folder"
        ) from error
    except Exception as error:  # a wrong name, no network, a full disk: the hub's client documents no common class
        raise CheckpointError(
            f"there is no folder {hub_id}, and it could not be downloaded ({type(error).__name__}); connect to the "
            "network, or use the embedded model or a folder"
        ) from error
    return Path(folder)
