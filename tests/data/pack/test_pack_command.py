"""`quickfill data pack` and `quickfill data show`, as somebody runs them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coder.model.checkpoint.checkpoint import Checkpoint
from coder.train.packed_rows import PackedRows
from data.pack.text import SourceText
from tests.data.pack.test_packing import write_shard


def quickfill(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = shutil.which("quickfill", path=str(Path(sys.executable).parent))
    assert command, 'the tests need the command: pip install -e ".[test]"'
    return subprocess.run([command, "data", *map(str, arguments)], capture_output=True, encoding="utf-8", timeout=300)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, sources: list[SourceText]) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_shard(folder / "train-00000.parquet", sources, groups=3, splits=("train",))
    write_shard(folder / "validation-00000.parquet", sources[:4], splits=("validation",))
    return folder


@pytest.mark.slow
def test_the_rows_do_not_depend_on_the_number_of_processes(tmp_path: Path, corpus: Path, tiny: Checkpoint):
    for processes in (1, 2):
        out = tmp_path / str(processes)
        done = quickfill("pack", corpus, "--out", out, "--processes", processes, "--model", tiny.folder, "--seed", 3)
        assert done.returncode == 0, done.stderr
        assert "function" in done.stdout
    alone, shared = ({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in "12")
    assert alone == shared
    assert len(alone) == 3 * 3 + 1
    assert json.loads(alone["rows.json"])["seed"] == 3


@pytest.mark.slow
def test_a_folder_is_packed_and_shown(tmp_path: Path):
    folder, out, config = tmp_path / "project", tmp_path / "rows", tmp_path / "pack.toml"
    folder.mkdir()
    text = 'def f(x):\n    """Give it back\N{RIGHT-TO-LEFT OVERRIDE}."""\n    return x\n' + "# <|mask|>\n" * 9
    (folder / "evil.py").write_text(text, encoding="utf-8")
    config.write_text("[kinds]\nleft_to_right = 1\n")
    done = quickfill("pack", folder, "--out", out, "--config", config, "--row-length", 256)
    assert done.returncode == 0, done.stderr
    assert (len(PackedRows(out)), PackedRows(out).card.row_length) == (1, 256)
    shown = quickfill("show", out)
    assert shown.returncode == 0, shown.stderr
    assert "def f(x):" in shown.stdout
    assert "<|fim_suffix|><|fim_prefix|>" in shown.stdout
    assert shown.stdout.rstrip().endswith("<|fim_end|>")
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in shown.stdout
    assert quickfill("show", out, "--row", 1).returncode == 2


@pytest.mark.slow
def test_rows_that_are_there_are_not_replaced_unasked(tmp_path: Path, corpus: Path, tiny: Checkpoint):
    out = tmp_path / "rows"
    options = ("pack", corpus, "--out", out, "--model", tiny.folder)
    assert quickfill(*options, "--split", "validation").returncode == 0
    before = PackedRows(out).card
    again = quickfill(*options)
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert quickfill(*options, "--force").returncode == 0
    assert PackedRows(out).card.tokens > before.tokens
    other = quickfill("show", out)
    assert other.returncode == 2
    assert "--model" in other.stderr
