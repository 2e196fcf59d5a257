"""The plugins as their editors install them: a .vsix, a Neovim plugin, an Emacs package."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from release.project import PLUGINS, ROOT, Release, run

EXTENSION = PLUGINS / "vscode"


def build_extension(release: Release) -> Iterator[Path]:
    """Check, test and package the extension of VS Code; list the packages in it (CycloneDX)."""
    extension = release.out / f"quickfill-{release.version}.vsix"
    bill = release.out / f"quickfill-vscode-{release.version}.cdx.json"
    with tempfile.TemporaryDirectory() as folder:
        advice = Path(folder) / "installation.json"
        advice.write_text(json.dumps(release.advice), encoding="utf-8")
        environment = os.environ | {"QUICKFILL_INSTALLATION": str(advice)}
        copy = Path(folder) / "editor-plugins" / "vscode"
        shutil.copytree(EXTENSION, copy, ignore=shutil.ignore_patterns("node_modules", "dist", "*.vsix"))
        shutil.copy(ROOT / "LICENSE", folder)
        run(["npm", "ci", "--no-fund", "--no-audit"], copy)
        run(["npm", "run", "package"], copy, environment)
        shutil.copy(copy / "quickfill.vsix", extension)
        bill.write_text(run(["npm", "sbom", "--omit=dev", "--sbom-format=cyclonedx"], copy), encoding="utf-8")
    yield extension
    yield bill


def build_neovim_plugin(release: Release) -> Iterator[Path]:
    """Pack the Neovim plugin as the top folder of a repository of its own, as plugin managers want it."""
    files = files_below(PLUGINS / "nvim") | {
        "LICENSE": (ROOT / "LICENSE").read_bytes(),
        "installation.json": json.dumps(release.advice).encode(),
    }
    yield pack(release.out / f"quickfill.nvim-{release.version}.tar.gz", "quickfill.nvim", files)


def build_emacs_package(release: Release) -> Iterator[Path]:
    """Pack the Emacs package as `package-install-file` takes it, and write the recipe that MELPA builds it from."""
    main = (PLUGINS / "emacs" / "quickfill.el").read_text(encoding="utf-8")
    files = {name: text for name, text in files_below(PLUGINS / "emacs").items() if name.endswith(".el")}
    definition = emacs_definition(main, release.version)
    name = f"quickfill-{release.version}"
    yield pack(release.out / f"{name}.tar", name, files | {"quickfill-pkg.el": definition.encode()})
    recipe = release.out / "melpa-recipe.el"
    recipe.write_text(
        f'(quickfill :fetcher git :url "{release.repository}" :files ("editor-plugins/emacs/*.el"))\n', encoding="utf-8"
    )
    yield recipe


def emacs_definition(main: str, version: str) -> str:
    """Return the `define-package` form of a package, from the headers of its main file."""
    summary = re.search(r"^;;; quickfill\.el --- (.*?)\s+-\*-", main, re.MULTILINE)
    needs = re.search(r"^;; Package-Requires: (.*)$", main, re.MULTILINE)
    assert summary
    assert needs
    header = ";; -*- lexical-binding: t; no-byte-compile: t -*-"
    return f'{header}\n(define-package "quickfill" "{version}" "{summary.group(1)}" \'{needs.group(1)})\n'


def files_below(folder: Path) -> dict[str, bytes]:
    """Return the contents of the files of a folder, by their paths in it; generated tags are left out."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "tags")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def pack(archive: Path, top: str, files: Mapping[str, bytes]) -> Path:
    """Write files under one folder into an archive, the same bytes for the same files."""
    with tarfile.open(archive, "w:gz" if archive.suffix == ".gz" else "w", format=tarfile.USTAR_FORMAT) as packed:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.size, entry.mode = len(content), 0o644
            packed.addfile(entry, io.BytesIO(content))
    return archive
