"""GGUF files written: blocks as they are, in parts of llama.cpp's split format, the same bytes every time."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.model.checkpoint.gguf_blocks import BlockFormat
from coder.model.checkpoint.gguf_file import (
    ALIGNMENT,
    MAGIC,
    NUMBERS,
    SPLIT_COUNT,
    SPLIT_NUMBER,
    SPLIT_TENSORS,
    USUAL_ALIGNMENT,
    VERSIONS,
    Field,
    GgufTensor,
    Kind,
    part_name,
)

Fields = Mapping[str, Field]


@dataclass(frozen=True)
class Blocks:
    """A tensor to be written: its bytes as `GgufTensor.blocks` gives them, its shape as numpy has it."""

    name: str
    form: BlockFormat
    shape: tuple[int, ...]
    data: npt.NDArray[np.uint8]

    @staticmethod
    def of(name: str, tensor: GgufTensor) -> Blocks:
        """A stored tensor, whose bytes are mapped until they are written."""
        return Blocks(name, tensor.form, tensor.shape, tensor.blocks())


def write_parts(folder: Path, model: str, fields: Fields, tensors: Sequence[Blocks], most_bytes: int) -> list[Path]:
    """Write a model into `folder`, in as many files as it takes; into one, `MODEL.gguf`, where that suffices.

    Args:
        most_bytes: of a file. A layer is never divided, so that a file is larger where a layer is.

    Returns: the files. The first holds the metadata.
    """
    if _size(fields, tensors) <= most_bytes:
        file = folder / f"{model}.gguf"
        _write(file, fields, tensors)
        return [file]
    parts = _parts(fields, tensors, most_bytes)
    files = []
    for number, part in enumerate(parts):
        files.append(folder / part_name(model, number + 1, len(parts)))
        split = _split_fields(number, len(parts), len(tensors))
        _write(files[-1], {**fields, **split} if number == 0 else split, part)
    return files


def _parts(fields: Fields, tensors: Sequence[Blocks], most_bytes: int) -> list[list[Blocks]]:
    """The tensors of each file, in their order."""
    parts: list[list[Blocks]] = [[]]
    for _, group in groupby(tensors, _layer):
        layer = list(group)
        beside = {**(fields if len(parts) == 1 else {}), **_split_fields(0, 0, 0)}
        if parts[-1] and _size(beside, [*parts[-1], *layer]) > most_bytes:
            parts.append([])
        parts[-1] += layer
    return parts


def _layer(tensor: Blocks) -> str:
    """The layer that a tensor belongs to, or its own name."""
    return ".".join(tensor.name.split(".")[:2]) if tensor.name.startswith("blk.") else tensor.name


def _split_fields(number: int, count: int, tensors: int) -> Fields:
    return {
        SPLIT_NUMBER: Field(Kind.U16, number),
        SPLIT_COUNT: Field(Kind.U16, count),
        SPLIT_TENSORS: Field(Kind.I32, tensors),
    }


def _size(fields: Fields, tensors: Sequence[Blocks]) -> int:
    return len(_header(fields, tensors)) + sum(_aligned(tensor.data.size) for tensor in tensors)


def _write(file: Path, fields: Fields, tensors: Sequence[Blocks]) -> None:
    with file.open("wb") as content:
        content.write(_header(fields, tensors))
        for tensor in tensors:
            content.write(np.ascontiguousarray(tensor.data).data)
            content.write(bytes(_aligned(tensor.data.size) - tensor.data.size))


def _header(fields: Fields, tensors: Iterable[Blocks]) -> bytes:
    """All that stands before the blocks. The alignment is the usual one, so that no field has to state it."""
    fields = {key: field for key, field in fields.items() if key != ALIGNMENT}
    described, offset = [], 0
    for tensor in tensors:
        shape = struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *reversed(tensor.shape))
        described.append(_text(tensor.name) + shape + struct.pack("<IQ", tensor.form.number, offset))
        offset += _aligned(tensor.data.size)
    counts = struct.pack("<IQQ", VERSIONS[-1], len(described), len(fields))
    header = b"".join([MAGIC, counts, *(_text(key) + _value(field) for key, field in fields.items()), *described])
    return header + bytes(_aligned(len(header)) - len(header))


def _value(field: Field) -> bytes:
    kind = struct.pack("<I", field.kind)
    if not field.is_array:
        return kind + (_text(field.value) if field.kind == Kind.TEXT else _number(field.kind, field.value))
    kind = struct.pack("<I", Kind.ARRAY) + kind + struct.pack("<Q", len(field.value))
    if field.kind == Kind.TEXT:
        return kind + b"".join(map(_text, field.value))
    return kind + np.asarray(field.value, np.dtype(NUMBERS[field.kind]).newbyteorder("<")).tobytes()


def _number(kind: Kind, value: Any) -> bytes:
    return struct.pack(f"<{NUMBERS[kind]}", value)


def _text(value: str) -> bytes:
    content = value.encode()
    return struct.pack("<Q", len(content)) + content


def _aligned(size: int) -> int:
    return -(-size // USUAL_ALIGNMENT) * USUAL_ALIGNMENT
