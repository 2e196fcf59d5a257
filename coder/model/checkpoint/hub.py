"""Checkpoints on the Hugging Face hub: `organisation/name`, and of those in GGUF `organisation/name:QUANTIZATION` or
`organisation/name/FILE.gguf`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from coder.errors import CheckpointError
from coder.installation import missing_extra
from coder.model.checkpoint.gguf_file import PART, part_files

FILES = ["*.json", "*.safetensors", "merges.txt", "*.jinja"]
"""The files of a checkpoint: no code and no pickle among them."""

NAME = re.compile(r"(?P<hub_id>[\w.-]+/[\w.-]+?)(?:/(?P<file>[\w./-]+\.gguf)|:(?P<quantization>\w+))?")

PREFERRED = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M")
"""Quantisations, the first that there is where none is named: all of them take int8's memory once they are loaded, so
the least rounded one that is no larger to download."""

MOST_NAMED = 6
"""Files in a message."""


@dataclass(frozen=True)
class HubName:
    """A model on the hub.

    Attributes:
        hub_id: `organisation/name`, a repository.
        file, quantization: which of its models in GGUF is meant: the name of a file, or the end of one.
    """

    hub_id: str
    file: str | None = None
    quantization: str | None = None

    @staticmethod
    def parse(name: str) -> HubName | None:
        """Read a name; None where it cannot be one."""
        match = NAME.fullmatch(name)
        return HubName(**match.groupdict()) if match else None

    @property
    def names_gguf(self) -> bool:
        """Return whether it says which model in GGUF is meant."""
        return self.file is not None or self.quantization is not None

    def __str__(self) -> str:
        file = "" if self.file is None else f"/{self.file}"
        return self.hub_id + file if self.quantization is None else f"{self.hub_id}:{self.quantization}"


def download(hub_id: str) -> Path:
    """The folder that holds `hub_id` (`organisation/name`), downloaded or updated first where the network allows.

    Raises:
        CheckpointError: there is no such model, or it is neither reachable nor here from an earlier download.
        MissingDependencyError: huggingface_hub is not installed.
    """
    # Patterns match across slashes: without the second, the files of other formats' subfolders would come along.
    return _snapshot(hub_id, hub_id, FILES, ["*/*"])


def download_gguf(name: HubName) -> Path:
    """The file of a model in GGUF, the first of several parts, downloaded in the same way.

    Raises as `download` does, and CheckpointError where no file fits, or several do.
    """
    parts = _chosen(name, _gguf_files(name))
    folder = _snapshot(str(name), name.hub_id, parts)
    return folder / parts[0]


def _gguf_files(name: HubName) -> list[str]:
    """The GGUF files of a repository: those on the hub, or else those that are here."""
    _require_client(str(name))
    import huggingface_hub

    try:
        found: Iterable[str] = huggingface_hub.list_repo_files(name.hub_id)
    except Exception:  # no class in common, as below; asked for no file at all, the next call says what is wrong
        folder = _snapshot(str(name), name.hub_id, [])
        found = [file.relative_to(folder).as_posix() for file in folder.rglob("*.gguf")]
    return sorted(file for file in found if file.endswith(".gguf"))


def _chosen(name: HubName, files: Sequence[str]) -> list[str]:
    """The files of the model that is meant, all its parts. Raises CheckpointError."""
    models = {_model_name(file): [part.as_posix() for part in part_files(Path(file))] for file in files}

    def of(quantization: str) -> list[str]:
        end = re.compile(rf"(?:.*[-._/])?{re.escape(quantization)}", re.IGNORECASE)
        return [model for model in models if end.fullmatch(model)]

    if name.file is not None:
        fitting = [_model_name(name.file)] if name.file in files else []
    elif name.quantization is not None:
        fitting = of(name.quantization)
    else:
        fitting = next(filter(None, map(of, PREFERRED)), list(models))
    if len(fitting) == 1:
        return models[fitting[0]]
    if not files:
        raise CheckpointError(
            f"{name.hub_id} holds neither *.safetensors nor *.gguf; choose a model that has one of them"
        )
    wanted = f"{len(fitting)} models" if fitting else "no such model"
    raise CheckpointError(
        f"{name}: {name.hub_id} has {wanted} among its GGUF files ({_listed(files)}); name one of them as "
        f"{name.hub_id}:QUANTIZATION or {name.hub_id}/FILE.gguf"
    )


def _model_name(file: str) -> str:
    """A file's name without its ending and the number of the part."""
    match = PART.fullmatch(file)
    return match["model"] if match else file.removesuffix(".gguf")


def _listed(files: Sequence[str]) -> str:
    more = f" and {len(files) - MOST_NAMED} more" if len(files) > MOST_NAMED else ""
    return ", ".join(files[:MOST_NAMED]) + more


def _require_client(name: str) -> None:
    """Raise MissingDependencyError where the hub's client is not installed."""
    try:
        import huggingface_hub  # noqa: F401
    except ImportError as error:
        raise missing_extra(
            f"there is no folder {name}, and downloading it from the hub needs huggingface_hub", "hub"
        ) from error


def _snapshot(name: str, hub_id: str, files: list[str], without: list[str] | None = None) -> Path:
    """The folder with some files of a repository, downloaded where they are not here. Raises CheckpointError."""
    _require_client(name)
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        folder = huggingface_hub.snapshot_download(hub_id, allow_patterns=files, ignore_patterns=without)
    except RepositoryNotFoundError as error:
        raise CheckpointError(
            f"there is no folder {name} and no such model on the hub; check the spelling, and log in with "
            "`hf auth login` if it is private"
        ) from error
    except LocalEntryNotFoundError as error:
        raise CheckpointError(
            f"there is no folder {name}, it was not downloaded before, and the hub cannot be reached; connect to the "
            "network, or use the embedded model or a folder"
        ) from error
    except Exception as error:  # a wrong name, no network, a full disk: the hub's client documents no common class
        raise CheckpointError(
            f"there is no folder {name}, and it could not be downloaded ({type(error).__name__}); connect to the "
            "network, or use the embedded model or a folder"
        ) from error
    return Path(folder)
