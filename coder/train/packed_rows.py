"""Packed rows: training documents in token ids, several to a row of fixed length, read by row without loading the rest.

A folder holds `rows.json`, which says what is there, and three arrays for each shard, all `[rows, row_length]`:

    NAME.tokens.npy      uint16, or uint32 where the vocabulary needs it
    NAME.roles.npy       uint8: a `Role` for each token
    NAME.documents.npy   int32: the number of the document within its row, from 0; -1 for padding

A document is a context of at least one token and, right behind it, one middle: all that is learned, what the user wrote
since the split and the answer. Documents that share a row never see each other. A middle ends with the token that ends
an answer, and holds `<|hole|>` between the answers of several holes. One that ends without is cut: nothing is known of
what follows. The anchor of its first canvas is the last token of the context, `<|fim_middle|>` for a hole. In an
*instructed* document the middle answers an instruction, and the base's own predictions are what is learned there.

Numpy alone, so that every process that feeds a trainer starts at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.errors import InputError

FORMAT = 2
CARD = "rows.json"
ARRAYS = ("tokens", "roles", "documents")

OPEN_SHARDS = 64
"""So many shards are mapped at a time, each with three files."""

NO_DOCUMENT = -1

Ids = Sequence[int] | npt.NDArray[np.integer]
TokenType = np.dtype[np.uint16] | np.dtype[np.uint32]


class Role(IntEnum):
    """The purpose of a token."""

    PADDING = 0
    CONTEXT = 1
    """Attended to; the layout's control tokens before the middle, prefix, suffix, other files."""
    MIDDLE = 2
    """Canvases are cut from these."""
    INSTRUCTED = 3
    """The same, where an instruction is answered."""


@dataclass(frozen=True)
class PackedDocument:
    """One training document: what the model is shown, and what it has to write."""

    context: Ids
    middle: Ids
    instructed: bool = False

    def __len__(self) -> int:
        return len(self.context) + len(self.middle)


@dataclass(frozen=True)
class Row:
    """One row, or several: each array is `[row_length]` or `[rows, row_length]`, with the types of the files."""

    tokens: npt.NDArray[np.uint16 | np.uint32]
    roles: npt.NDArray[np.uint8]
    documents: npt.NDArray[np.int32]


@dataclass(frozen=True)
class Shard:
    """Some of the rows. `tokens` counts what is no padding, `middle_tokens` what canvases are cut from."""

    name: str
    rows: int
    tokens: int
    middle_tokens: int


@dataclass(frozen=True)
class KindCount:
    """The part of the rows that is of one kind of example."""

    documents: int
    tokens: int


@dataclass(frozen=True)
class RowsCard:
    """The content of `rows.json`.

    Attributes:
        row_length: tokens in a row, padding included.
        vocabulary: `Tokenizer.digest` of the tokenizer that the ids are from.
        vocabulary_size: every token is less than this.
        seed: of all that was drawn at random.
        kinds: how much there is of each kind of example, by its name.
        shards: in the order in which their rows are counted.
    """

    row_length: int
    vocabulary: str
    vocabulary_size: int
    seed: int
    kinds: Mapping[str, KindCount]
    shards: tuple[Shard, ...]

    @property
    def rows(self) -> int:
        return sum(shard.rows for shard in self.shards)

    @property
    def tokens(self) -> int:
        """Without padding."""
        return sum(shard.tokens for shard in self.shards)

    @property
    def middle_tokens(self) -> int:
        return sum(shard.middle_tokens for shard in self.shards)

    @property
    def fill(self) -> float:
        """The share of the rows that is no padding."""
        return self.tokens / max(1, self.rows * self.row_length)


class PackedRows:
    """The rows of a folder by number. Pickled it is its path alone, so worker processes map the files themselves."""

    def __init__(self, folder: Path) -> None:
        """Raises InputError where the folder holds no packed rows, or not those that its `rows.json` lists."""
        self.folder = Path(folder)
        self.card = read_card(self.folder)
        self._ends = np.cumsum([shard.rows for shard in self.card.shards])
        self._opened = lru_cache(OPEN_SHARDS)(self._open)
        for shard in self.card.shards:
            for name in ARRAYS:
                if not (file := _file(self.folder, shard.name, name)).is_file():
                    raise InputError(f"{file} is missing, which {CARD} lists; pack the rows again")

    def __reduce__(self) -> tuple[type[PackedRows], tuple[Path]]:
        return PackedRows, (self.folder,)

    def __len__(self) -> int:
        return self.card.rows

    def __getitem__(self, index: int) -> Row:
        """Row `index`, read-only views of the files. Raises IndexError and, for a damaged file, InputError."""
        if not 0 <= index < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        number = int(np.searchsorted(self._ends, index, side="right"))
        within = index - int(self._ends[number]) + self.card.shards[number].rows
        shard = self._opened(number)
        return Row(shard.tokens[within], shard.roles[within], shard.documents[within])

    def _open(self, number: int) -> Row:
        shard = self.card.shards[number]
        expected = (token_type(self.card.vocabulary_size), np.uint8, np.int32)
        arrays = []
        for name, dtype in zip(ARRAYS, expected, strict=True):
            file = _file(self.folder, shard.name, name)
            try:
                array = np.load(file, mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError) as error:
                raise InputError(f"{file} cannot be read ({error}); pack the rows again") from error
            if array.shape != (shard.rows, self.card.row_length) or array.dtype != dtype:
                raise InputError(
                    f"{file} holds {array.dtype} {list(array.shape)}, not {np.dtype(dtype)} "
                    f"[{shard.rows}, {self.card.row_length}] as {CARD} says; pack the rows again"
                )
            arrays.append(array)
        return Row(*arrays)


def token_type(vocabulary_size: int) -> TokenType:
    """The smallest type that holds every id of a vocabulary."""
    return np.dtype(np.uint16) if vocabulary_size <= 1 << 16 else np.dtype(np.uint32)


def fill_rows(rows: Sequence[Sequence[PackedDocument]], row_length: int, dtype: TokenType) -> Row:
    """The arrays `[rows, row_length]` of documents that are laid one behind the other, row by row.

    Raises ValueError where a row's documents do not fit into it, or one of them lacks a context or a middle.
    """
    shape = len(rows), row_length
    filled = Row(np.zeros(shape, dtype), np.zeros(shape, np.uint8), np.full(shape, NO_DOCUMENT, np.int32))
    for row, documents in enumerate(rows):
        start = 0
        for number, document in enumerate(documents):
            middle, end = start + len(document.context), start + len(document)
            if not start < middle < end <= row_length:
                raise ValueError(f"document {number} of row {row} spans {start}, {middle}, {end} of {row_length}")
            filled.tokens[row, start:middle] = document.context
            filled.tokens[row, middle:end] = document.middle
            filled.roles[row, start:middle] = Role.CONTEXT
            filled.roles[row, middle:end] = Role.INSTRUCTED if document.instructed else Role.MIDDLE
            filled.documents[row, start:end] = number
            start = end
    return filled


def documents_of(row: Row) -> Iterable[PackedDocument]:
    """The documents of one row, in order."""
    for number in range(int(row.documents.max(initial=NO_DOCUMENT)) + 1):
        own = row.documents == number
        is_context = row.roles[own] == Role.CONTEXT
        tokens = row.tokens[own]
        yield PackedDocument(tokens[is_context], tokens[~is_context], bool((row.roles[own] == Role.INSTRUCTED).any()))


def write_shard(
    folder: Path, name: str, rows: Sequence[Sequence[PackedDocument]], row_length: int, vocabulary_size: int
) -> Shard:
    """Write the three arrays of a shard; each file is whole or not there at all. Processes may write side by side."""
    filled = fill_rows(rows, row_length, token_type(vocabulary_size))
    for array in ARRAYS:
        file = _file(folder, name, array)
        unfinished = file.with_name(f".{file.name}")
        np.save(unfinished, getattr(filled, array), allow_pickle=False)
        unfinished.replace(file)
    in_use, middle = int((filled.roles != Role.PADDING).sum()), int((filled.roles >= Role.MIDDLE).sum())
    return Shard(name, len(rows), in_use, middle)


def write_card(folder: Path, card: RowsCard) -> None:
    """Write `rows.json`, the last thing to be written: a folder without it is unfinished."""
    sums = {"rows": card.rows, "tokens": card.tokens, "middle_tokens": card.middle_tokens, "fill": round(card.fill, 4)}
    unfinished = folder / f".{CARD}"
    unfinished.write_text(json.dumps({"format": FORMAT, **sums, **asdict(card)}, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(folder / CARD)


def read_card(folder: Path) -> RowsCard:
    """Raises InputError where `folder` has no `rows.json` of this format."""
    file = folder / CARD
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise InputError(f"{file} is of format {content['format']}, not {FORMAT}; pack the rows again")
        return _card(content)
    except FileNotFoundError as error:
        raise InputError(f"{folder} holds no packed rows ({CARD}); make some with `quickfill data pack`") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} cannot be read ({error!r}); pack the rows again") from error


def _card(content: Mapping[str, Any]) -> RowsCard:
    shards = tuple(Shard(**shard) for shard in content["shards"])
    kinds = {name: KindCount(**count) for name, count in content["kinds"].items()}
    names = ("row_length", "vocabulary", "vocabulary_size", "seed")
    if any(Path(shard.name).name != shard.name for shard in shards):
        raise ValueError("a shard's name leads out of the folder")
    return RowsCard(**{name: content[name] for name in names}, kinds=kinds, shards=shards)


def _file(folder: Path, shard: str, array: str) -> Path:
    return folder / f"{shard}.{array}.npy"
