"""`python -m release`: the command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coder.errors import QuickfillError
from release.editor_plugins import build_emacs_package, build_extension, build_neovim_plugin
from release.project import ROOT, Release, project_version
from release.python_package import build_package, write_bill_of_materials
from release.recipes import write_checksums, write_dockerfile, write_formula

STEPS = (
    build_package,
    build_extension,
    build_neovim_plugin,
    build_emacs_package,
    write_formula,
    write_dockerfile,
    write_bill_of_materials,
)
"""In their order: later ones read the files of earlier ones."""

CHECKSUMS = "SHA256SUMS"


def build(
    out: Annotated[Path, typer.Option(help="The folder that the files go to; it must be empty.")] = Path("dist"),
    url: Annotated[str, typer.Option(help="The address of the folder that users will download from.")] = "",
    repository: Annotated[str, typer.Option(help="The address of the repository.")] = "",
) -> None:
    """Build every file of a release. Without addresses the recipes name the files of this machine, to try them."""
    out = out.resolve()
    if out.exists() and any(out.iterdir()):
        raise QuickfillError(f"{out} is not empty; name another folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    release = Release(out, url.rstrip("/") or out.as_uri(), repository or ROOT.as_uri(), project_version())
    files: list[Path] = []
    for step in STEPS:
        for file in step(release):
            typer.echo(f"{file.stat().st_size / 2**20:8.1f} MB  {file.name}")
            files.append(file)
    write_checksums(files, out / CHECKSUMS)
    typer.echo(f"{CHECKSUMS} is to be signed; docs/releasing.md goes on from here")


def main() -> None:
    try:
        typer.run(build)
    except QuickfillError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(error.exit_code) from error


if __name__ == "__main__":
    main()
