"""Tensors of a safetensors file: described by its header, mapped or written one at a time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors

from coder.errors import CheckpointError

BFLOAT16 = np.dtype("<u2")
"""numpy has no bfloat16; its bits are the upper half of a float32's."""

DTYPES = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": BFLOAT16, "I8": np.dtype("i1")}

LFS_POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class StoredTensor:
    """The place of a tensor in a file: `offset` in bytes from the start of `file`; `dtype` as safetensors names it."""

    file: Path
    dtype: str
    shape: tuple[int, ...]
    offset: int

    def read(self, rows: slice = slice(None)) -> npt.NDArray[Any]:
        """The values, or some rows of them: F32, F16 and I8 as a read-only map of the file, BF16 as a float32 copy.

        Each call maps the tensor anew, so that its pages count as this process's memory only while it is held.
        """
        stored = np.asarray(np.memmap(str(self.file), DTYPES[self.dtype], "r", self.offset, self.shape))[rows]
        if self.dtype == "BF16":
            bits = stored.astype(np.uint32)
            bits <<= 16  # in its place: of a large matrix a second array would be some ten megabytes
            return bits.view(np.float32)
        return stored

    def part_of(self, content: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
        """Return the stored values as a part of `content`, the bytes of the whole file."""
        dtype = DTYPES[self.dtype]
        return content[self.offset :][: math.prod(self.shape) * dtype.itemsize].view(dtype).reshape(self.shape)


@dataclass(frozen=True)
class FilePart:
    """The place of an array's bytes in a file, from `offset` on."""

    file: Path
    offset: int


def file_part(array: npt.NDArray[Any]) -> FilePart | None:
    """Return the place of an array that maps a file, or a part of such an array; None where it has memory of its own,
    or the file is not there any more."""
    base = array
    while isinstance(base.base, np.ndarray):  # a part of a map has the offset of the whole
        base = base.base
    if not isinstance(base, np.memmap) or not array.flags.c_contiguous or base.filename is None:
        return None
    # Links resolved: ONNX Runtime reads no file that a link leads to elsewhere.
    file = Path(base.filename).resolve()
    return FilePart(file, base.offset + array.ctypes.data - base.ctypes.data) if file.is_file() else None


@dataclass(frozen=True)
class TensorHeader:
    """A tensor to be written."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * DTYPES[self.dtype].itemsize


def write_tensors(file: Path, headers: Sequence[TensorHeader], values: Iterable[npt.NDArray[Any]]) -> None:
    """Write a safetensors file (github.com/huggingface/safetensors, "Format"), taking one tensor at a time.

    `values` come in the order of `headers`, each in its dtype (BF16 as the bits, see `to_bfloat16`).
    """
    ends = list(accumulate(header.nbytes for header in headers))
    entries = {
        header.name: {"dtype": header.dtype, "shape": header.shape, "data_offsets": [end - header.nbytes, end]}
        for header, end in zip(headers, ends, strict=True)
    }
    text = json.dumps({"__metadata__": {"format": "pt"}, **entries}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with file.open("wb") as content:
        content.write(len(text).to_bytes(8, "little") + text)
        for header, array in zip(headers, values, strict=True):
            content.write(np.ascontiguousarray(array, DTYPES[header.dtype]).data)


def to_bfloat16(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """The bits of the nearest bfloat16 numbers, ties to even. For finite values."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    return ((bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)).astype(np.uint16)


def stored_tensors(file: Path) -> dict[str, StoredTensor]:
    """Every tensor of `file`, from its header alone.

    Raises CheckpointError when the file is missing, truncated or no safetensors file.
    """
    if not file.is_file():
        raise CheckpointError(f"{file} is missing; the download is incomplete, download it again")
    require_no_lfs_pointer(file)
    try:
        with safetensors.safe_open(file, framework="numpy"):  # checks the header against itself and the file's size
            pass
    except safetensors.SafetensorError as error:
        raise CheckpointError(
            f"{file} is truncated or not a safetensors file ({error}); download it again, or convert it"
        ) from error
    with file.open("rb") as content:
        header_size = int.from_bytes(content.read(8), "little")
        header = json.loads(content.read(header_size))
    return {
        name: StoredTensor(file, entry["dtype"], tuple(entry["shape"]), 8 + header_size + entry["data_offsets"][0])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def require_no_lfs_pointer(file: Path) -> None:
    """Raise CheckpointError for what Git leaves in the place of a large file that was not fetched."""
    with file.open("rb") as content:
        start = content.read(len(LFS_POINTER))
    if start == LFS_POINTER:
        raise CheckpointError(f"{file} is only a Git LFS pointer to the weights; run `git lfs pull`")
