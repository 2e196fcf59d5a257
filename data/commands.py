"""`quickfill data`: the training corpus from the command line."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coder.errors import InputError
from coder.installation import missing_extra
from data.pack.command import PACK_EPILOG, pack, show

if TYPE_CHECKING:
    from data.settings import CorpusSettings

app = typer.Typer(
    help="Make a training corpus: collect, filter, deduplicate, decontaminate, split.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Config = Annotated[
    Path | None, typer.Argument(metavar="[CONFIG]", help="A TOML file; docs/corpus.md says what is in it.")
]
Sources = Annotated[
    list[Path] | None,
    typer.Option("--source", metavar="PATH", help="A folder, a wheel or a source distribution, instead of CONFIG."),
]
License = Annotated[
    str | None,
    typer.Option(
        "--license", metavar="SPDX", help="The licence of the sources, unless a file of theirs states another."
    ),
]
Cache = Annotated[Path | None, typer.Option("--cache", metavar="FOLDER", help="Folder that keeps downloaded packages.")]
Processes = Annotated[
    int | None, typer.Option(min=1, help="Processors to use, by default all. The result is the same on any number.")
]

STEPS = {
    "decode": "Bytes to text: encodings, line ends, syntax.",
    "licence": "Keep what is under a permissive licence.",
    "quality": "Keep code that people wrote, and mark tests.",
    "secrets": "Replace secrets and addresses; drop private keys.",
    "deduplicate": "Keep one of what is equal or nearly so.",
    "decontaminate": "Drop what holds a benchmark's tasks.",
    "split": "Train, validation and held out, by package.",
}

REQUIRED = ("datasketch", "detect_secrets", "license_expression", "packaging", "pyarrow")


def require_extra() -> None:
    """Raises MissingDependencyError where the extra `data` is not installed."""
    absent = [name for name in REQUIRED if find_spec(name) is None]
    if absent:
        raise missing_extra(f"making a corpus needs {', '.join(absent)}", "data")


@app.command()
def build(
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder for the corpus.")],
    config: Config = None,
    source: Sources = None,
    license: License = None,
    cache: Cache = None,
    processes: Processes = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a finished corpus.")] = False,
    keep_stages: Annotated[bool, typer.Option("--keep-stages", help="Keep the output of every step.")] = False,
) -> None:
    """All steps: from sources to Parquet shards of each split and a data card. Stopped, it goes on where it was."""
    require_extra()
    from data.building import build as build_corpus
    from data.display import show_build, show_card

    settings = _settings(config, source, license, cache)
    show_build(build_corpus(settings, out, processes or _processors(), overwrite, keep_stages))
    show_card(out)


@app.command()
def collect(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A folder for the raw shards.")],
    config: Config = None,
    source: Sources = None,
    license: License = None,
    cache: Cache = None,
) -> None:
    """Read the files of all sources into raw shards."""
    _run_stage("collect", None, out, _settings(config, source, license, cache), None)


@app.command()
def card(folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A finished corpus.")]) -> None:
    """Show what a corpus holds and what became of the files that came in."""
    require_extra()
    from data.display import show_card

    show_card(folder)


@app.command()
def pin(
    file: Annotated[
        Path, typer.Argument(metavar="LIST", help="Packages, one a line: names, or pins of older versions.")
    ],
    cache: Cache = None,
    update: Annotated[bool, typer.Option("--update", help="Look for newer versions of pinned packages too.")] = False,
) -> None:
    """Pin a list of packages to versions and hashes, and say which of them are not under a permissive licence."""
    require_extra()
    from data.display import show_pinning
    from data.pinning import pin_list

    show_pinning(pin_list(file, cache or _default_cache(), update))


def _register(name: str, title: str) -> None:
    @app.command(name, help=title)
    def run(
        folder: Annotated[Path, typer.Argument(metavar="IN", help="A folder of shards, as the step before wrote it.")],
        out: Annotated[Path, typer.Argument(metavar="OUT", help="A folder for the shards that go on.")],
        config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="A TOML file.")] = None,
        processes: Processes = None,
    ) -> None:
        _run_stage(name, folder, out, _settings(config), processes)


app.command(epilog=PACK_EPILOG)(pack)
app.command()(show)

for step_name, step_title in STEPS.items():
    _register(step_name, step_title)


def _run_stage(name: str, folder: Path | None, out: Path, settings: CorpusSettings, processes: int | None) -> None:
    require_extra()
    from data.building import run_stage
    from data.display import show_build
    from data.shards import shards_in
    from data.stages import stages_of

    stage = next(stage for stage in stages_of(settings) if stage.name == name)
    shards = [] if folder is None else shards_in(folder)
    show_build(run_stage(stage, shards, out, processes or _processors()))


def _settings(
    config: Path | None, sources: list[Path] | None = None, license: str | None = None, cache: Path | None = None
) -> CorpusSettings:
    """The settings in the file, or settings for the sources alone. Raises InputError."""
    require_extra()
    from data.settings import read_settings, settings_for

    if config is not None and (sources or license):
        raise InputError("a config names its own sources and licences; leave --source and --license out, or the config")
    settings = read_settings(config) if config is not None else settings_for(sources or [], license)
    return settings if cache is None else settings.model_copy(update={"cache": cache})


def _default_cache() -> Path:
    from data.settings import CorpusSettings

    return CorpusSettings().cache


def _processors() -> int:
    return os.cpu_count() or 1
