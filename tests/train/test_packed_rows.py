"""Packed rows: what is written comes back, and a folder that is not what it says is refused with a reason."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.errors import InputError
from coder.train.packed_rows import (
    KindCount,
    PackedDocument,
    PackedRows,
    Role,
    RowsCard,
    documents_of,
    fill_rows,
    token_type,
    write_card,
    write_shard,
)

ROWS = [[PackedDocument([9, 8], [20, 21, 16]), PackedDocument([9, 30, 8], [16])], [PackedDocument([9, 8], [22, 23])]]
MORE_ROWS = [[PackedDocument([9, 31, 8], [40, 41, 42, 43, 16])]]


def write(folder: Path, vocabulary_size: int = 100) -> Path:
    shards = [write_shard(folder, name, rows, 12, vocabulary_size) for name, rows in (("a", ROWS), ("b", MORE_ROWS))]
    write_card(folder, RowsCard(12, "digest", vocabulary_size, 7, {"line": KindCount(4, 21)}, tuple(shards)))
    return folder


def test_rows_are_counted_over_all_shards(tmp_path: Path):
    rows = PackedRows(write(tmp_path))
    assert len(rows) == 3
    assert rows[0].tokens.tolist() == [9, 8, 20, 21, 16, 9, 30, 8, 16, 0, 0, 0]
    assert rows[0].roles.tolist() == [1, 1, 2, 2, 2, 1, 1, 1, 2, 0, 0, 0]
    assert rows[0].documents.tolist() == [0] * 5 + [1] * 4 + [-1] * 3
    assert rows[2].tokens.tolist() == [9, 31, 8, 40, 41, 42, 43, 16, 0, 0, 0, 0]
    with pytest.raises(IndexError):
        rows[3]


def test_the_card_says_what_is_there(tmp_path: Path):
    card = PackedRows(write(tmp_path)).card
    assert (card.row_length, card.vocabulary, card.seed, card.kinds) == (12, "digest", 7, {"line": KindCount(4, 21)})
    assert (card.rows, card.tokens, card.middle_tokens) == (3, 21, 11)
    assert card.fill == 21 / 36
    assert json.loads((tmp_path / "rows.json").read_text())["tokens"] == 21


@pytest.mark.parametrize(("vocabulary_size", "dtype"), [(100, np.uint16), (65_536, np.uint16), (65_537, np.uint32)])
def test_tokens_take_the_type_that_the_vocabulary_needs(tmp_path: Path, vocabulary_size: int, dtype: type):
    assert token_type(vocabulary_size) == dtype
    row = PackedRows(write(tmp_path, vocabulary_size))[1]
    assert (row.tokens.dtype, row.roles.dtype, row.documents.dtype) == (dtype, np.uint8, np.int32)


def test_another_process_maps_the_files_itself(tmp_path: Path):
    rows = PackedRows(write(tmp_path))
    assert isinstance(rows[0].tokens, np.memmap)
    pickled = pickle.dumps(rows)
    assert len(pickled) < 500
    assert pickle.loads(pickled)[2].tokens.tolist() == rows[2].tokens.tolist()


ids = st.lists(st.integers(0, 99), min_size=1, max_size=5)
documents = st.builds(PackedDocument, ids, ids)


@given(st.lists(st.lists(documents, max_size=4), min_size=1, max_size=4))
def test_documents_come_back_as_they_were(rows: list[list[PackedDocument]]):
    filled = fill_rows(rows, 40, token_type(100))
    for number, expected in enumerate(rows):
        row = type(filled)(filled.tokens[number], filled.roles[number], filled.documents[number])
        found = [(list(document.context), list(document.middle)) for document in documents_of(row)]
        assert found == [(document.context, document.middle) for document in expected]
        assert (row.roles == Role.PADDING).sum() == 40 - sum(map(len, expected))


@pytest.mark.parametrize(
    "documents",
    [
        [PackedDocument([1] * 7, [2] * 6)],
        [PackedDocument([], [2])],
        [PackedDocument([1], [])],
        [PackedDocument([1], [2] * 6)] * 2,
    ],
)
def test_what_fits_no_row_is_refused(documents: list[PackedDocument]):
    with pytest.raises(ValueError, match="document"):
        fill_rows([documents], 12, token_type(100))


def card_with(folder: Path, **changes: object) -> None:
    content = json.loads((folder / "rows.json").read_text())
    (folder / "rows.json").write_text(json.dumps(content | changes))


DAMAGE = {
    "no card": (lambda folder: (folder / "rows.json").unlink(), "no packed rows"),
    "half a card": (lambda folder: (folder / "rows.json").write_text("{"), "cannot be read"),
    "a card that lacks something": (lambda folder: (folder / "rows.json").write_text('{"format": 2}'), "shards"),
    "another format": (lambda folder: card_with(folder, format=1), "format 1, not 2"),
    "a shard outside": (lambda folder: card_with(folder, shards=[SHARD | {"name": "../a"}]), "leads out of the folder"),
    "a shard too few": (lambda folder: (folder / "b.roles.npy").unlink(), "b.roles.npy is missing"),
}
SHARD = {"name": "a", "rows": 2, "tokens": 11, "middle_tokens": 6}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_folder_is_refused(tmp_path: Path, damage: str):
    do, message = DAMAGE[damage]
    do(write(tmp_path))
    with pytest.raises(InputError, match=message):
        PackedRows(tmp_path)


@pytest.mark.parametrize("content", ["cut", "other shape", "objects"])
def test_a_damaged_shard_is_refused_when_it_is_read(tmp_path: Path, content: str):
    file = write(tmp_path) / "a.tokens.npy"
    if content == "cut":
        file.write_bytes(file.read_bytes()[:-7])
    elif content == "other shape":
        np.save(file, np.zeros((2, 11), np.uint16))
    else:
        np.save(file, np.array([[object()] * 12] * 2), allow_pickle=True)
    with pytest.raises(InputError, match=r"a\.tokens\.npy"):
        PackedRows(tmp_path)[0]


def test_nothing_unfinished_is_left(tmp_path: Path):
    names = {file.name for file in write(tmp_path).iterdir()}
    assert names == {
        "rows.json",
        *(f"{shard}.{array}.npy" for shard in "ab" for array in ("tokens", "roles", "documents")),
    }
