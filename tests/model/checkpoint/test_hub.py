"""Models on the hub by every form of their name, on a hub that is a folder here."""

from __future__ import annotations

import shutil
from pathlib import Path

import huggingface_hub
import huggingface_hub.constants
import pytest
from huggingface_hub.utils import filter_repo_objects

from coder.errors import CheckpointError
from coder.model.checkpoint.hub import HubName
from coder.model.checkpoint.opening import find_model

OWNER = "some-one"
REVISION = "0123456789abcdef0123456789abcdef01234567"

FILES = {
    "many-GGUF": ["README.md", "many-q4_k_m.gguf", "many-q8_0.gguf", "many-fp16.gguf", "many.py"],
    "parts-GGUF": [f"Q4_K_M/big-Q4_K_M-0000{part}-of-00002.gguf" for part in (1, 2)] + ["big-Q5_0.gguf"],
    "single-GGUF": ["model.IQ4_XS.gguf", "config.json"],
    "twins-GGUF": ["base-Q4_0.gguf", "chat-Q4_0.gguf"],
    "ordinary": ["config.json", "model.safetensors", "also-Q8_0.gguf", "pytorch_model.bin"],
    "pickled": ["config.json", "pytorch_model.bin"],
}


class Hub:
    """A hub whose repositories are folders; it notes what is downloaded."""

    def __init__(self, here: Path) -> None:
        self.here = here
        self.downloaded: list[str] = []

    def list_repo_files(self, repo_id: str) -> list[str]:
        return FILES[self._name(repo_id)]

    def snapshot_download(
        self, repo_id: str, allow_patterns: list[str], ignore_patterns: list[str] | None = None
    ) -> str:
        folder = self.here / self._name(repo_id)
        folder.mkdir(exist_ok=True)
        for file in filter_repo_objects(
            FILES[folder.name], allow_patterns=allow_patterns, ignore_patterns=ignore_patterns
        ):
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).touch()
            self.downloaded.append(file)
        return str(folder)

    def _name(self, repo_id: str) -> str:
        owner, name = repo_id.split("/")
        assert owner == OWNER
        return name


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    fake = Hub(tmp_path)
    monkeypatch.setattr(huggingface_hub, "list_repo_files", fake.list_repo_files)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fake.snapshot_download)
    return fake


@pytest.mark.parametrize(
    ("name", "found", "downloaded"),
    [
        ("many-GGUF:Q4_K_M", "many-q4_k_m.gguf", ["many-q4_k_m.gguf"]),
        ("many-GGUF/many-fp16.gguf", "many-fp16.gguf", ["many-fp16.gguf"]),
        ("many-GGUF", "many-q8_0.gguf", ["many-q8_0.gguf"]),
        ("parts-GGUF:q4_k_m", FILES["parts-GGUF"][0], FILES["parts-GGUF"][:2]),
        ("parts-GGUF/Q4_K_M/big-Q4_K_M-00002-of-00002.gguf", FILES["parts-GGUF"][0], FILES["parts-GGUF"][:2]),
        ("single-GGUF", "model.IQ4_XS.gguf", ["config.json", "model.IQ4_XS.gguf"]),
        ("ordinary", "", ["config.json", "model.safetensors"]),
        ("ordinary:Q8_0", "also-Q8_0.gguf", ["also-Q8_0.gguf"]),
    ],
)
def test_the_file_that_is_meant_is_downloaded_with_all_its_parts_and_no_other(
    hub: Hub, name: str, found: str, downloaded: list[str]
):
    repository = name.split(":")[0].split("/")[0]
    assert find_model(f"{OWNER}/{name}") == hub.here / repository / found
    assert sorted(hub.downloaded) == sorted(downloaded)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("many-GGUF:Q3_K", "no such model.*many-q8_0.gguf.*many-GGUF:QUANTIZATION"),
        ("many-GGUF/other.gguf", "no such model.*many-q8_0.gguf"),
        ("many-GGUF:Q4_K", "no such model"),
        ("twins-GGUF:Q4_0", "2 models.*twins-GGUF/FILE.gguf"),
        ("twins-GGUF", "2 models"),
        ("pickled", r"neither \*.safetensors nor \*.gguf"),
    ],
)
def test_what_does_not_say_which_file_is_refused_with_those_that_there_are(hub: Hub, name: str, message: str):
    with pytest.raises(CheckpointError, match=message):
        find_model(f"{OWNER}/{name}")


def test_a_file_or_folder_of_that_name_goes_first(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    file = Path(OWNER) / "many-GGUF" / "many-q8_0.gguf"
    file.parent.mkdir(parents=True)
    file.touch()
    assert find_model(file.as_posix()) == file
    assert find_model(f"{OWNER}/many-GGUF") == file
    assert not hub.downloaded


@pytest.mark.parametrize("name", ["C:/models", "a/b/c", "./a/b.txt", "a/b:c:d", "a/b:", "model.gguf", "/a/b/c.gguf"])
def test_what_is_no_name_on_a_hub(name: str):
    assert HubName.parse(name) is None


def offline(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A snapshot of an earlier day, as huggingface_hub keeps one, without a network."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(home))
    repository = home / f"models--{OWNER}--many-GGUF"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(REVISION)
    return repository / "snapshots" / REVISION


@pytest.mark.parametrize("name", ["many-GGUF", "many-GGUF:Q4_K_M", "many-GGUF/many-q4_k_m.gguf"])
def test_offline_what_was_downloaded_before_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    snapshot = offline(tmp_path, monkeypatch)
    snapshot.mkdir(parents=True)
    (snapshot / "many-q4_k_m.gguf").touch()
    assert find_model(f"{OWNER}/{name}") == snapshot / "many-q4_k_m.gguf"
    with pytest.raises(CheckpointError, match="no such model"):
        find_model(f"{OWNER}/many-GGUF:Q8_0")
    shutil.rmtree(snapshot)
    with pytest.raises(CheckpointError, match=r"not downloaded before.*network"):
        find_model(f"{OWNER}/{name}")
