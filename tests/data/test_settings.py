"""The settings file, and the lists and configs that come with the package."""

from __future__ import annotations

from pathlib import Path

import pytest

import data
from benchmarks.held_out_packages import HELD_OUT_PACKAGES
from coder.errors import InputError
from data.settings import FolderSettings, PinnedSettings, read_settings, settings_for
from data.sources.pinned import read_pins
from data.sources.source import normalised_name
from data.steps.decontaminate import BENCHMARK_PACKAGES

CONFIG = Path(data.__path__[0]) / "configs" / "python.toml"


def write(folder: Path, text: str) -> Path:
    (folder / "corpus.toml").write_text(text, encoding="utf-8")
    return folder / "corpus.toml"


def test_paths_are_relative_to_the_file(tmp_path: Path):
    (source,) = read_settings(write(tmp_path, '[[sources]]\nkind = "folder"\npath = "mine"\n')).sources
    assert isinstance(source, FolderSettings)
    assert source.path == tmp_path.resolve() / "mine"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[sources]]\nkind = "folder"\n', "path: Field required"),
        ('[[sources]]\nkind = "cloud"\n', "sources.0"),
        ('languages = ["klingon"]\n', "klingon"),
        ('[licence]\nallowed = ["MIT", "Anything"]\n', "Anything"),
        ("[quality]\nspeed = 1\n", "quality.speed"),
        ("[split]\nvalidation = 2.0\n", "split.validation"),
        ("sources = [\n", "cannot read"),
    ],
)
def test_every_fault_is_named(tmp_path: Path, text: str, says: str):
    with pytest.raises(InputError, match=says):
        read_settings(write(tmp_path, text))


def test_a_missing_file_is_an_error(tmp_path: Path):
    with pytest.raises(InputError, match="cannot read"):
        read_settings(tmp_path / "none.toml")


def test_one_s_own_sources_need_no_file(tmp_path: Path):
    settings = settings_for([tmp_path / "mine", tmp_path / "a-1-py3-none-any.whl"], "ISC")
    assert [source.kind for source in settings.sources] == ["folder", "archives"]
    assert settings.licence.allow_unstated
    with pytest.raises(InputError, match="SPDX"):
        settings_for([tmp_path], "what we like")


def test_the_config_that_comes_along_names_pinned_packages():
    settings = read_settings(CONFIG)
    (pinned,) = [source for source in settings.sources if isinstance(source, PinnedSettings)]
    pins = read_pins(pinned.file)
    names = [normalised_name(pin.name) for pin in pins]
    assert 240 <= len(names) == len(set(names)) <= 300
    assert not settings.licence.allow_unstated
    assert not set(names) & BENCHMARK_PACKAGES


def test_what_is_measured_with_is_held_out():
    settings = read_settings(CONFIG)
    assert set(settings.split.held_out) >= set(HELD_OUT_PACKAGES)
    assert set(settings_for([]).split.held_out) >= set(HELD_OUT_PACKAGES)
