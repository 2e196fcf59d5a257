"""Source code in every shape that a corpus is made from: folders, repositories, wheels, source distributions."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.document import CorpusDocument, sha256_of

MIT = """MIT License

Copyright (c) 2024 Somebody

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND.
"""

Files = Mapping[str, str | bytes]


def code(name: str, lines: int = 12) -> str:
    """A function like nobody else's: what it does depends on its name."""
    steps = "".join(f"    {name}_{step} = {name}_{step - 1} * {step} + len('{name}')\n" for step in range(1, lines))
    return f'def {name}({name}_0):\n    """Work on {name} in some steps."""\n{steps}    return {name}_{lines - 1}\n'


def document(text: str, path: str = "package/module.py", package: str = "package", **fields: Any) -> CorpusDocument:
    values: dict[str, Any] = {
        "language": "python",
        "version": "1.0",
        "license": "MIT",
        "sha256": sha256_of(text),
    } | fields
    return CorpusDocument(text=text, path=path, package=package, **values)


def write_files(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(as_bytes(content))
    return folder


def write_wheel(folder: Path, name: str, version: str, files: Files, metadata: str = "License-Expression: MIT") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    told = {
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{metadata}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in {**files, **told}.items():
            archive.writestr(path, as_bytes(content))
        archive.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in (*files, *told)))
    return file


def write_sdist(folder: Path, name: str, version: str, files: Files) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}-{version}.tar.gz"
    with gzip.open(file, "wb") as compressed, tarfile.open(fileobj=compressed, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(as_bytes(content))
            archive.addfile(member, io.BytesIO(as_bytes(content)))
    return file


def write_repository(folder: Path, files: Files) -> Path:
    """A git repository with the files committed."""
    write_files(folder, files)
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


def commit(folder: Path) -> str:
    """Commit everything; the commit's hash."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "change")
    return git(folder, "rev-parse", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Somebody", "-c", "user.email=name@example.com", "-c", "core.autocrlf=false")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.strip()


def as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
