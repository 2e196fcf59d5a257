"""Languages by file name."""

from __future__ import annotations

import pytest

from coder.syntax.languages import LANGUAGES, language_named, language_of


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("app.py", "python"),
        ("types.PYI", "python"),
        ("src/page.tsx", "typescriptreact"),
        (r"C:\work\main.go", "go"),
        ("Makefile", "makefile"),
        ("notes.txt", None),
        (".py", None),
        ("", None),
    ],
)
def test_language_of_a_path(path, name):
    language = language_of(path)
    assert (language and language.name) == name


def test_names_suffixes_and_file_names_are_unambiguous():
    for keys in (
        [language.name for language in LANGUAGES],
        [suffix for language in LANGUAGES for suffix in language.suffixes],
        [name for language in LANGUAGES for name in language.file_names],
    ):
        assert len(keys) == len(set(keys))
        assert keys == [key.lower() for key in keys]


def test_a_name_is_found_in_any_case():
    python = language_named("Python")
    assert python and python.comment == "#"
    assert language_named("klingon") is None
