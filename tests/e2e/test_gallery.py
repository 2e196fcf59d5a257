"""The gallery of `examples`: every case does, with the embedded model and the installed command, what it claims."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from coder.syntax.languages import language_of
from coder.syntax.tree import has_errors

ROOT = Path(__file__).parents[2]
GALLERY = ROOT / "examples" / "gallery"
CASES: list[dict[str, Any]] = tomllib.loads((GALLERY / "gallery.toml").read_text(encoding="utf-8"))["case"]


def file_of(case: dict[str, Any], folder: Path) -> Path:
    (name,) = {file.name for file in GALLERY.glob(f"{case['name']}.*")}
    return folder / name


def test_every_file_belongs_to_a_case_and_the_overview_has_every_command():
    names = [case["name"] for case in CASES]
    assert sorted(names) == sorted(
        file.stem for file in GALLERY.iterdir() if file.name not in ("gallery.toml", "README.md")
    )
    overview = (GALLERY / "README.md").read_text(encoding="utf-8")
    assert [case["command"] for case in CASES if f"`{case['command']}`" not in overview] == []


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_case_does_what_it_claims(case: dict[str, Any], tmp_path: Path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    command = shutil.which("quickfill", path=str(Path(sys.executable).parent))
    assert command
    _, *arguments = shlex.split(case["command"])
    done = subprocess.run(
        [command, *arguments, "--apply"], capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    file = file_of(case, tmp_path / "examples" / "gallery")
    text = file.read_text(encoding="utf-8")
    assert text != file_of(case, GALLERY).read_text(encoding="utf-8")
    assert [part for part in case.get("contains", []) if part not in text] == [], text
    assert [part for part in case.get("lacks", []) if part in text] == [], text
    language = language_of(file.name)
    assert language is not None
    assert not case.get("parses", True) or has_errors(text, language.name) is False, text
