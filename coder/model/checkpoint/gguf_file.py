"""GGUF files, read without trusting them (format: github.com/ggml-org/ggml, docs/gguf.md).

A model is one file, or several in llama.cpp's split format: `NAME-00001-of-00003.gguf` has the metadata, every part
some of the tensors. Nothing but headers is in memory until a tensor is read.
"""

from __future__ import annotations

import math
import mmap
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.errors import CheckpointError
from coder.model.checkpoint.gguf_blocks import FORMATS, BlockFormat, dequantize
from coder.model.checkpoint.stored_tensors import StoredTensor, require_no_lfs_pointer

MAGIC = b"GGUF"
VERSIONS = (2, 3)
ALIGNMENT = "general.alignment"
USUAL_ALIGNMENT = 32
SPLIT_NUMBER, SPLIT_COUNT, SPLIT_TENSORS = "split.no", "split.count", "split.tensors.count"

PART = re.compile(r"(?P<model>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")

MOST_ENTRIES = 1 << 22
"""Texts in an array: many times the largest vocabulary."""


class Kind(IntEnum):
    """Types of a field's value, as GGUF numbers them."""

    U8, I8, U16, I16, U32, I32, F32, BOOL, TEXT, ARRAY, U64, I64, F64 = range(13)


NUMBERS = dict(zip((kind for kind in Kind if kind not in (Kind.TEXT, Kind.ARRAY)), "BbHhIif?Qqd", strict=True))
"""Codes of `struct` and numpy."""


@dataclass(frozen=True)
class Field:
    """A value of the metadata. kind: of the value, or of the entries of an array, texts in a list, numbers in numpy."""

    kind: Kind
    value: Any
    is_array: bool = False


@dataclass(frozen=True)
class GgufTensor(StoredTensor):
    """A tensor in blocks, dequantised when it is read. Its shape has the longest stride first, as numpy's."""

    form: BlockFormat

    def blocks(self) -> npt.NDArray[np.uint8]:
        """Its bytes [rows, bytes of a row], a vector's in one row, as a read-only map of the file."""
        rows = self.shape[0] if len(self.shape) > 1 else 1
        size = self.form.row_size(math.prod(self.shape))
        return np.asarray(np.memmap(str(self.file), np.uint8, "r", self.offset, (rows, size // rows)))

    def read(self, rows: slice = slice(None)) -> npt.NDArray[Any]:
        """The values, or some rows of them, in float32."""
        if len(self.shape) == 1:
            return dequantize(self.blocks(), self.form)[0, rows]
        values = dequantize(self.blocks()[rows], self.form)
        return values.reshape(-1, *self.shape[1:])


@dataclass(frozen=True)
class GgufFile:
    """A model: the metadata by key, the tensors by GGUF's names in the order of the files."""

    file: Path
    fields: Mapping[str, Field]
    tensors: Mapping[str, GgufTensor]

    def value(self, key: str, default: Any = ...) -> Any:
        """A value of the metadata. Raises CheckpointError where there is neither it nor a default."""
        if key in self.fields:
            return self.fields[key].value
        if default is ...:
            raise CheckpointError(f"{self.file} does not say {key}; it is incomplete, download it again")
        return default


def open_gguf(file: Path) -> GgufFile:
    """Read the headers of a model.

    Args:
        file: the model's file, or any of its parts.

    Raises:
        CheckpointError: a file is missing, truncated, damaged or has formats that cannot be read.
    """
    files = part_files(file)
    if missing := [part.name for part in files if not part.is_file()]:
        named = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        raise CheckpointError(
            f"{file.parent} lacks {named}: the model is in {len(files)} parts, all of which have to lie in one folder; "
            "copy or download what is missing"
        )
    parts = [read_file(part) for part in files]
    tensors: dict[str, GgufTensor] = {}
    for number, part in enumerate(parts):
        said = part.value(SPLIT_NUMBER, 0), part.value(SPLIT_COUNT, 0) or 1
        if said != (number, len(parts)):
            raise CheckpointError(
                f"{part.file} says that it is part {said[0]} (from 0) of {said[1]}, its name says {number} of "
                f"{len(parts)}; give the parts their own names again"
            )
        if twice := tensors.keys() & part.tensors.keys():
            raise CheckpointError(f"tensor {min(twice)} is in two parts of {files[0]}; download them again")
        tensors |= part.tensors
    if len(parts) > 1 and (expected := parts[0].value(SPLIT_TENSORS)) != len(tensors):
        raise CheckpointError(
            f"the parts of {files[0]} hold {len(tensors)} tensors, not {expected}; they are of two models"
        )
    return GgufFile(files[0], parts[0].fields, tensors)


def part_files(file: Path) -> list[Path]:
    """The files of the model that `file` is, or is a part of, by their names; whether they exist is not asked."""
    match = PART.fullmatch(file.name)
    if match is None:
        return [file]
    count = max(1, int(match["count"]))
    return [file.with_name(part_name(match["model"], number, count)) for number in range(1, count + 1)]


def part_name(model: str, number: int, count: int) -> str:
    """The file name of a part; numbers begin with 1."""
    return f"{model}-{number:05}-of-{count:05}.gguf"


def read_file(file: Path) -> GgufFile:
    """One file with what it holds itself. Raises CheckpointError."""
    if not file.is_file():
        raise CheckpointError(f"{file} is missing; download it again")
    require_no_lfs_pointer(file)
    size = file.stat().st_size
    if size < len(MAGIC):
        raise CheckpointError(f"{file} is no GGUF file: it has {size} bytes; download it again")
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _Header(file, content).read()


class _Header:
    """A position in a file's bytes. Every size that they state is compared with what is left before it is believed."""

    def __init__(self, file: Path, content: mmap.mmap) -> None:
        self._file, self._content, self._at = file, content, 0

    def read(self) -> GgufFile:
        if self._take(4) != MAGIC:
            raise CheckpointError(f"{self._file} is no GGUF file; give one, or download it again")
        if (version := self._number(Kind.U32)) not in VERSIONS:
            raise CheckpointError(f"{self._file} is of GGUF version {version}; only {VERSIONS} can be read, convert it")
        tensor_count, field_count = self._number(Kind.U64), self._number(Kind.U64)
        fields: dict[str, Field] = {}
        for _ in range(field_count):
            key = self._text()
            if key in fields:
                raise self._damaged(f"it has {key} twice")
            fields[key] = self._field()
        described = [self._tensor() for _ in range(tensor_count)]
        alignment = fields[ALIGNMENT].value if ALIGNMENT in fields else USUAL_ALIGNMENT
        if type(alignment) is not int or not 0 < alignment <= 1 << 20:
            raise self._damaged(f"{ALIGNMENT} is {alignment!r}")
        start = -(-self._at // alignment) * alignment
        tensors: dict[str, GgufTensor] = {}
        for name, shape, form, offset in described:
            tensors[name] = GgufTensor(self._file, "F32", shape, start + offset, form)
            end = tensors[name].offset + form.row_size(math.prod(shape))
            if offset % alignment or end > len(self._content):
                raise self._damaged(f"tensor {name} would end at byte {end} of {len(self._content)}")
        if len(tensors) < len(described):
            raise self._damaged("two tensors have one name")
        return GgufFile(self._file, fields, tensors)

    def _tensor(self) -> tuple[str, tuple[int, ...], BlockFormat, int]:
        """Name, shape, format and offset behind the header."""
        name, dimensions = self._text(), self._number(Kind.U32)
        if not 0 < dimensions <= 4:
            raise self._damaged(f"tensor {name} has {dimensions} dimensions")
        shape = tuple(self._number(Kind.U64) for _ in range(dimensions))[::-1]
        number, offset = self._number(Kind.U32), self._number(Kind.U64)
        if number not in FORMATS:
            known = ", ".join(form.name for form in FORMATS.values())
            raise CheckpointError(
                f"{self._file}: tensor {name} is in GGML's format {number}; only {known} can be read, choose a file in "
                "one of these"
            )
        form = FORMATS[number]
        if 0 in shape or shape[-1] % form.values:
            raise self._damaged(f"tensor {name} of shape {list(shape)} does not divide into blocks of {form.values}")
        return name, shape, form, offset

    def _field(self) -> Field:
        kind = self._kind()
        if kind != Kind.ARRAY:
            return Field(kind, self._text() if kind == Kind.TEXT else self._number(kind))
        kind, count = self._kind(), self._number(Kind.U64)
        if kind == Kind.ARRAY:
            raise self._damaged("it has an array of arrays")
        if kind != Kind.TEXT:
            dtype = np.dtype(NUMBERS[kind]).newbyteorder("<")
            return Field(kind, np.frombuffer(self._take(count * dtype.itemsize), dtype), is_array=True)
        if count > MOST_ENTRIES:
            raise self._damaged(f"it has an array of {count} texts")
        return Field(kind, self._texts(count), is_array=True)

    def _kind(self) -> Kind:
        number = self._number(Kind.U32)
        if number >= len(Kind):
            raise self._damaged(f"it has a value of type {number}")
        return Kind(number)

    def _number(self, kind: Kind) -> Any:
        layout = f"<{NUMBERS[kind]}"
        return struct.unpack(layout, self._take(struct.calcsize(layout)))[0]

    def _text(self) -> str:
        return self._texts(1)[0]

    def _texts(self, count: int) -> list[str]:
        """Several, in one loop: a vocabulary and its merges are a hundred thousand, a third of the time of opening."""
        content, at, length = self._content, self._at, struct.Struct("<Q")
        found: list[bytes] = []
        for _ in range(count):
            start = at + length.size
            at = start + length.unpack_from(content, at)[0] if start <= len(content) else start
            if at > len(content):
                raise self._too_short()
            found.append(content[start:at])
        self._at = at
        try:
            return [text.decode() for text in found]
        except UnicodeDecodeError as error:
            raise self._damaged("a text in it is not UTF-8") from error

    def _take(self, size: int) -> bytes:
        start, self._at = self._at, self._at + size
        if self._at > len(self._content):
            raise self._too_short()
        return self._content[start : self._at]

    def _too_short(self) -> CheckpointError:
        return self._damaged(f"its header would end behind byte {len(self._content)}, its last")

    def _damaged(self, why: str) -> CheckpointError:
        return CheckpointError(f"{self._file} is truncated or damaged: {why}; download it again")
