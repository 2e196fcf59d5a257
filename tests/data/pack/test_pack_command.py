"""`quickfill data pack` and `quickfill data show`, as somebody runs them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coder.train.packed_rows import PackedRows
from data.pack.text import SourceText
from tests.data.pack.test_packing import write_shard
from tests.tiny import write_tiny_tokenizer
from tests.train.infilling_models import family, special_tokens


def quickfill(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = shutil.which("quickfill", path=str(Path(sys.executable).parent))
    assert command, "the tests need the command; CONTRIBUTING.md says how to install it"
    return subprocess.run([command, "data", *map(str, arguments)], capture_output=True, encoding="utf-8", timeout=300)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, sources: list[SourceText]) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_shard(folder / "train-00000.parquet", sources, groups=3, splits=("train",))
    write_shard(folder / "validation-00000.parquet", sources[:4], splits=("validation",))
    return folder


@pytest.mark.slow
def test_the_rows_do_not_depend_on_the_number_of_processes(tmp_path: Path, corpus: Path, model: Path):
    for processes in (1, 2):
        out = tmp_path / str(processes)
        done = quickfill("pack", corpus, "--out", out, "--processes", processes, "--model", model, "--seed", 3)
        assert done.returncode == 0, done.stderr
        assert "function" in done.stdout
    alone, shared = ({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in "12")
    assert alone == shared
    assert len(alone) == 3 * 3 + 1
    assert json.loads(alone["rows.json"])["seed"] == 3


@pytest.mark.slow
def test_a_folder_is_packed_and_shown(tmp_path: Path, model: Path):
    folder, out, config = tmp_path / "project", tmp_path / "rows", tmp_path / "pack.toml"
    folder.mkdir()
    text = 'def f(x):\n    """Give it back\N{RIGHT-TO-LEFT OVERRIDE}."""\n    return x  # <|fim_pad|>\n'
    (folder / "evil.py").write_text(text, encoding="utf-8")
    config.write_text("[kinds]\nfunction = 1\n[function_holes]\nbody = 1\n")
    done = quickfill("pack", folder, "--out", out, "--config", config, "--row-length", 256, "--model", model)
    assert done.returncode == 0, done.stderr
    assert (len(PackedRows(out)), PackedRows(out).card.row_length) == (1, 256)
    shown = quickfill("show", out, "--model", model)
    assert shown.returncode == 0, shown.stderr
    assert "<|fim_prefix|>def f(x):" in shown.stdout
    assert shown.stdout.index("<|fim_suffix|>") < shown.stdout.index("<|fim_middle|>")
    assert shown.stdout.rstrip().endswith("return x  # <|fim_pad|>\n<|endoftext|>")
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in shown.stdout
    assert quickfill("show", out, "--row", 1, "--model", model).returncode == 2


@pytest.mark.slow
def test_rows_that_are_there_are_not_replaced_unasked(tmp_path: Path, corpus: Path, model: Path):
    out = tmp_path / "rows"
    options = ("pack", corpus, "--out", out, "--model", model)
    assert quickfill(*options, "--split", "validation").returncode == 0
    before = PackedRows(out).card
    again = quickfill(*options)
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert quickfill(*options, "--force").returncode == 0
    assert PackedRows(out).card.tokens > before.tokens
    special = [*special_tokens(family("StarCoder2"))]
    size = write_tiny_tokenizer(tmp_path / "tokenizer.json", special)
    (tmp_path / "config.json").write_text(json.dumps({"vocab_size": size}), encoding="utf-8")
    other = quickfill("show", out, "--model", tmp_path)
    assert other.returncode == 2
    assert "--model" in other.stderr
