"""`quickfill data` as a user runs it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from data.document import CorpusDocument
from data.shards import read_shard
from data.steps.licence import UNSTATED
from tests.data.conftest import Quickfill
from tests.data.sources.test_installed import install
from tests.data.trees import MIT, code, write_files, write_repository, write_sdist, write_wheel

CONFIG = """
shard_megabytes = 0.004

[[sources]]
kind = "archives"
paths = ["wheels", "packed-2.0.tar.gz"]

[[sources]]
kind = "git"
path = "repository"

[[sources]]
kind = "folder"
path = "mine"
license = "ISC"

[[sources]]
kind = "environment"
paths = ["site"]

[[sources]]
kind = "pinned"
file = "packages.txt"

[split]
held_out = ["wheel-b"]
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """One of every kind of source, and a config that names them."""
    for name in ("wheel-a", "wheel-b"):
        write_wheel(tmp_path / "wheels", name, "1.0", {f"{name[-1]}/m{n}.py": code(f"{name[-1]}{n}") for n in range(4)})
    write_sdist(tmp_path, "packed", "2.0", {"LICENSE": MIT, "packed/a.py": code("packed")})
    write_repository(tmp_path / "repository", {"LICENSE": MIT, "tracked.py": code("tracked")})
    write_files(tmp_path / "repository", {"untracked.py": code("untracked")})
    write_files(tmp_path / "mine", {"mine.py": code("mine")})
    install(tmp_path / "site", "installed", "3.0", {"installed/a.py": code("installed")})
    pinned = write_wheel(tmp_path / "index", "pinned", "1.0", {"pinned.py": code("pinned")})
    digest = hashlib.sha256(pinned.read_bytes()).hexdigest()
    (tmp_path / "packages.txt").write_text(f"pinned==1.0 --hash=sha256:{digest}\n")
    (tmp_path / "corpus.toml").write_text(CONFIG)
    return tmp_path


def documents(folder: Path) -> list[CorpusDocument]:
    return [document for shard in sorted(folder.glob("*.parquet")) for document in read_shard(shard, CorpusDocument)]


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.slow
def test_a_corpus_is_built_from_every_kind_of_source_the_same_on_any_number_of_processors(
    quickfill: Quickfill, tree: Path
):
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tree / "index")}
    for processes in (1, 3):
        done = quickfill(
            "build", "corpus.toml", "--out", f"out{processes}", "--cache", "cache", "--processes", processes, **pip
        )
        assert done.returncode == 0, done.stderr
    found = documents(tree / "out1")
    assert {(document.package, document.license) for document in found} == {
        ("wheel-a", "MIT"),
        ("wheel-b", "MIT"),
        ("packed", "MIT"),
        ("repository", "MIT"),
        ("mine", "ISC"),
        ("installed", "ISC"),
        ("pinned", "MIT"),
    }
    assert "untracked.py" not in {document.path for document in found}
    assert {document.package for document in found if document.split == "held_out"} == {"wheel-b"}
    assert contents(tree / "out1") == contents(tree / "out3")
    assert "held_out" in done.stdout


@pytest.mark.slow
def test_one_s_own_folder_needs_no_config(quickfill: Quickfill, tmp_path: Path):
    write_files(tmp_path / "mine", {"a.py": code("work")})
    done = quickfill("build", "--source", "mine", "--out", "out", "--processes", 1)
    assert done.returncode == 0, done.stderr
    (found,) = documents(tmp_path / "out")
    assert (found.package, found.license, found.split) == ("mine", UNSTATED, "train")
    assert "nothing states the licence of 1 document" in done.stderr
    shown = quickfill("card", "out")
    assert "decontaminate" in shown.stdout
    assert "a corpus" in quickfill("build", "--source", "mine", "--out", "out").stderr


def test_a_licence_can_be_stated(quickfill: Quickfill, tmp_path: Path):
    write_files(tmp_path / "mine", {"a.py": code("work")})
    done = quickfill("build", "--source", "mine", "--license", "mit", "--out", "out", "--processes", 1)
    assert done.returncode == 0, done.stderr
    assert [document.license for document in documents(tmp_path / "out")] == ["MIT"]


@pytest.mark.slow
def test_steps_can_be_taken_one_by_one(quickfill: Quickfill, tree: Path):
    folder = "0"
    assert quickfill("collect", folder, "--source", "mine", "--source", "wheels/wheel_a-1.0-py3-none-any.whl",
                     "--license", "MIT").returncode == 0  # fmt: skip
    for step in ("decode", "licence", "quality", "secrets", "deduplicate", "decontaminate", "split"):
        done = quickfill(step, folder, step, "--processes", 1)
        assert done.returncode == 0, done.stderr
        folder = step
    quickfill("build", "--source", "mine", "--source", "wheels/wheel_a-1.0-py3-none-any.whl", "--license", "MIT",
              "--out", "out", "--processes", 1)  # fmt: skip
    assert documents(tree / "split") == documents(tree / "out")
    assert "holds shards already" in quickfill("decode", "0", "decode").stderr


@pytest.mark.slow
def test_a_list_is_pinned_and_what_is_not_permissive_is_left_out(quickfill: Quickfill, tmp_path: Path):
    write_wheel(tmp_path / "index", "good", "1.0", {"a.py": "x = 1\n"})
    newest = write_wheel(tmp_path / "index", "good", "2.0", {"a.py": "x = 2\n"})
    write_wheel(tmp_path / "index", "bad", "1.0", {"a.py": "x = 1\n"}, "License-Expression: GPL-3.0-only")
    (tmp_path / "list.txt").write_text("# mine\ngood\nbad\n")
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "index")}
    done = quickfill("pin", "list.txt", "--cache", "cache", **pip)
    assert done.returncode == 0, done.stderr
    digest = hashlib.sha256(newest.read_bytes()).hexdigest()
    pinned = f"# mine\ngood==2.0 --hash=sha256:{digest}\n# bad 1.0: GPL-3.0-only\n"
    assert (tmp_path / "list.txt").read_text() == pinned
    assert quickfill("pin", "list.txt", "--cache", "cache", PIP_NO_INDEX="1").returncode == 0
    assert (tmp_path / "list.txt").read_text() == pinned


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("build", "--out", "out"), "name sources"),
        (("build", "none.toml", "--out", "out"), "cannot read"),
        (("build", "--source", "none", "--out", "out"), "not a folder"),
        (("decode", "none", "out"), "no Parquet shards"),
        (("card", "none"), "cannot read the data card"),
    ],
)
def test_errors_say_what_is_wrong(quickfill: Quickfill, arguments: tuple[str, ...], says: str):
    done = quickfill(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_the_card_is_also_json(quickfill: Quickfill, tmp_path: Path):
    write_files(tmp_path / "mine", {"LICENSE": MIT, "a.py": code("work")})
    quickfill("build", "--source", "mine", "--out", "out", "--processes", 1)
    card = json.loads((tmp_path / "out" / "card.json").read_bytes())
    assert list(card["stages"]) == [
        "collect",
        "decode",
        "licence",
        "quality",
        "secrets",
        "deduplicate",
        "decontaminate",
        "split",
    ]
    assert card["splits"]["train"]["documents"] == 1
