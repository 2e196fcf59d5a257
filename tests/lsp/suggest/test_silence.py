"""Where nothing is suggested."""

from __future__ import annotations

import pytest

from lsp.documents import Document, TextChange
from lsp.settings import Settings
from lsp.suggest.gate import wants_suggestions, wants_unasked
from lsp.suggest.surroundings import cursor_in, is_excluded
from tests.lsp.places import cursor_at


def after(*changes: TextChange) -> Document:
    return Document("file:///a.py", "python", 1, "x = 1\n").changed(changes, 2)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ([TextChange("", ((0, 4), (0, 5)))], False),
        ([TextChange("", ((0, 4), (0, 5))), TextChange("", ((0, 0), (0, 1)))], False),
        ([TextChange("2", ((0, 4), (0, 5)))], True),
        ([TextChange("", ((0, 4), (0, 5))), TextChange("\n", ((0, 4), (0, 4)))], True),
        ([TextChange("")], True),
        ([], True),
    ],
)
def test_not_after_a_lone_deletion(changes, wanted):
    document = after(*changes)
    place = len(document.text)
    assert wants_unasked(cursor_in(document, place, place), Settings()) == wanted


def test_not_in_the_middle_of_a_word_nor_when_it_is_switched_off():
    assert not wants_unasked(cursor_at("na|me"), Settings())
    assert wants_unasked(cursor_at("name|"), Settings())
    assert not wants_unasked(cursor_at("name|"), Settings(automatic=False))


def test_not_in_languages_and_files_that_are_excluded():
    document = Document("file:///w/tests/a.py", "python", 1, "")
    assert wants_suggestions(document, Settings(), ["file:///w"])
    assert not wants_suggestions(document, Settings(languages=("go",)), ["file:///w"])
    assert not wants_suggestions(document, Settings(exclude=("/tests/",)), ["file:///w"])


@pytest.mark.parametrize("name", [".env", ".env.local", "id_rsa", "server.pem", "Secrets.yaml"])
def test_not_where_keys_and_passwords_are(name):
    assert not wants_suggestions(Document(f"file:///w/{name}", "plaintext", 1, ""), Settings(), [])


@pytest.mark.parametrize(
    ("uri", "glob", "folders", "excluded"),
    [
        ("file:///w/a/b.py", "*.py", ["file:///w"], True),
        ("file:///w/a/b.py", "/b.py", ["file:///w"], False),
        ("file:///w/a/b.py", "/b.py", ["file:///w", "file:///w/a"], True),
        ("file:///elsewhere/secret/b.py", "secret/", ["file:///w"], True),
        ("file:///w/with%20space.py", "with space.py", ["file:///w"], True),
        ("file:///c%3A/w/b.py", "/b.py", ["file:///c%3A/w"], True),
        ("file:///c%3A/proj/private/a.py", "/private/", ["file:///C:/proj"], True),
        ("file:///C:/Proj/private/a.py", "/private/", ["file:///c%3a/proj"], True),
        ("file:///D:/proj/private/a.py", "/private/", ["file:///C:/proj"], False),
        ("vscode-notebook-cell:/c%3A/proj/private/a.ipynb#W0", "/private/", ["file:///C:/proj"], True),
        ("file://server/share/private/a.py", "/private/", ["file://Server/share"], True),
        ("untitled:Untitled-1", "*.py", ["file:///w"], False),
        ("file:///w/a.py", "!a.py", ["file:///w"], False),
    ],
)
def test_globs_see_the_path_in_the_innermost_folder(uri, glob, folders, excluded):
    assert is_excluded(uri, [glob], folders) == excluded
