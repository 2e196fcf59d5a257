"""The settings of a TOML file, and what is said of one that makes no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from coder.errors import InputError
from data.pack.settings import ExampleKind, PackSettings, read_settings, with_row_length


def test_a_file_replaces_what_it_names(tmp_path: Path):
    file = tmp_path / "pack.toml"
    file.write_text("row_length = 2048\nlittle_before = 0.5\n[kinds]\nfunction = 3\nchat = 1\n")
    settings = read_settings(file)
    assert (settings.row_length, settings.little_before) == (2048, 0.5)
    assert settings.kinds == {ExampleKind.FUNCTION: 3.0, ExampleKind.CHAT: 1.0}
    assert settings.holes == PackSettings().holes
    assert with_row_length(settings, 512).row_length == 512
    assert with_row_length(settings, None) is settings
    assert read_settings(None) == PackSettings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("row_length = 5", "row_length: Input should be greater"),
        ("rows = 5", "rows: Extra inputs"),
        ("[kinds]\npoem = 1", "kinds.poem"),
        ("[kinds]\nfunction = -1", r"kinds\.function: Input should be greater"),
        ("[holes]\nline = 0", "more than 0"),
        ("[holes]\nline = inf", "finite"),
        ("other_files = 2", "less than or equal to 1"),
        ("row_length =", "cannot be read as TOML"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str, message: str):
    file = tmp_path / "pack.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        read_settings(file)


def test_no_row_is_that_short():
    with pytest.raises(InputError, match="row_length"):
        with_row_length(PackSettings(), 3)
