"""GGML's number formats: blocks of a few values that share scales, as float32 (layouts: ggml-quants.h of ggml).

Every function takes blocks [n, bytes of a block] as uint8 and gives [n, values of a block] in float32, computed in the
order in which ggml computes it, so that results are equal bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

CHUNK_VALUES = 1 << 16
"""Values that are dequantised at a time, so that what is computed in between stays in the processor's cache."""


@dataclass(frozen=True)
class BlockFormat:
    """A number format. number: as GGUF files give it. values, size: of a block, the size in bytes."""

    number: int
    name: str
    values: int
    size: int
    dequantized: Callable[[Bytes], Floats]

    def row_size(self, values: int) -> int:
        """Bytes of a row of so many values, a multiple of `self.values`."""
        return values // self.values * self.size


def dequantize(data: Bytes, form: BlockFormat) -> Floats:
    """Every value of `data` [..., bytes of whole blocks], in float32 [..., values]."""
    blocks = data.reshape(-1, form.size)
    shape = *data.shape[:-1], data.shape[-1] // form.size * form.values
    if form.values == 1:
        return form.dequantized(blocks).reshape(shape)
    values = np.empty((len(blocks), form.values), np.float32)
    step = CHUNK_VALUES // form.values
    with np.errstate(invalid="ignore"):  # a damaged file may have infinite scales
        for start in range(0, len(blocks), step):
            values[start : start + step] = form.dequantized(blocks[start : start + step])
    return values.reshape(shape)


def quantize_q8_0(values: Floats) -> Bytes:
    """Rows [n, a multiple of 32] of finite values as Q8_0: the nearest of 255 steps up to each block's largest."""
    blocks = values.reshape(-1, 32)
    scale = np.abs(blocks).max(axis=1, keepdims=True) / np.float32(127)
    steps = np.rint(np.divide(blocks, scale, out=np.zeros_like(blocks), where=scale != 0)).astype(np.int8)
    data = np.concatenate([scale.astype("<f2").view(np.uint8), steps.view(np.uint8)], axis=1)
    return data.reshape(*values.shape[:-1], values.shape[-1] // 32 * 34)


def _f32(blocks: Bytes) -> Floats:
    return np.ascontiguousarray(blocks).view("<f4")


def _f16(blocks: Bytes) -> Floats:
    return np.ascontiguousarray(blocks).view("<f2").astype(np.float32)


def _bf16(blocks: Bytes) -> Floats:
    return (np.ascontiguousarray(blocks).view("<u2").astype(np.uint32) << np.uint32(16)).view(np.float32)


def _q8_0(blocks: Bytes) -> Floats:
    return blocks[:, 2:].view(np.int8) * _f16(blocks[:, :2])


def _q4_0(blocks: Bytes) -> Floats:
    return (_nibbles(blocks[:, 2:]) - np.int8(8)) * _f16(blocks[:, :2])


def _q4_1(blocks: Bytes) -> Floats:
    return _nibbles(blocks[:, 4:]) * _f16(blocks[:, :2]) + _f16(blocks[:, 2:4])


def _q5_0(blocks: Bytes) -> Floats:
    return (_nibbles(blocks[:, 6:]) + _fifth_bits(blocks[:, 2:6]) - np.int8(16)) * _f16(blocks[:, :2])


def _q5_1(blocks: Bytes) -> Floats:
    return (_nibbles(blocks[:, 8:]) + _fifth_bits(blocks[:, 4:8])) * _f16(blocks[:, :2]) + _f16(blocks[:, 2:4])


def _q2_k(blocks: Bytes) -> Floats:
    """256 values in parts of 16: four bits of scale and of minimum each, two bits a value."""
    steps = _fields(blocks[:, 16:80].reshape(-1, 2, 1, 32), (0, 2, 4, 6), 3).reshape(-1, 16, 16)
    scale, low = blocks[:, :16] & 15, blocks[:, :16] >> 4
    return _scaled(steps, _f16(blocks[:, 80:82]) * scale, _f16(blocks[:, 82:84]) * low)


def _q3_k(blocks: Bytes) -> Floats:
    """256 values in parts of 16: six bits of scale each, two bits a value and the third, inverted, apart."""
    steps = _fields(blocks[:, 32:96].reshape(-1, 2, 1, 32), (0, 2, 4, 6), 3).view(np.int8)
    third = _fields(blocks[:, None, :32], range(8), 1).reshape(steps.shape).view(np.int8)
    low = _fields(blocks[:, None, 96:104], (0, 4), 15).reshape(-1, 16)
    high = _fields(blocks[:, None, 104:108], (0, 2, 4, 6), 3).reshape(-1, 16)
    scale = (low | high << np.uint8(4)).view(np.int8) - np.int8(32)
    values = (steps - (third ^ np.int8(1)) * np.int8(4)).reshape(-1, 16, 16)
    return _scaled(values, _f16(blocks[:, 108:]) * scale)


def _q4_k(blocks: Bytes) -> Floats:
    """256 values in parts of 32: six bits of scale and of minimum each, four bits a value."""
    steps = _fields(blocks[:, 16:].reshape(-1, 4, 1, 32), (0, 4), 15).reshape(-1, 8, 32)
    return _scaled(steps, *_scales_and_minima(blocks))


def _q5_k(blocks: Bytes) -> Floats:
    """Like `_q4_k`, the fifth bit of the values apart."""
    steps = _fields(blocks[:, 48:].reshape(-1, 4, 1, 32), (0, 4), 15).reshape(-1, 8, 32)
    fifth = _fields(blocks[:, None, 16:48], range(8), 1)
    return _scaled(steps | fifth << np.uint8(4), *_scales_and_minima(blocks))


def _q6_k(blocks: Bytes) -> Floats:
    """256 values in parts of 16: eight bits of scale each, four bits a value and two bits apart."""
    low = _fields(blocks[:, :128].reshape(-1, 2, 1, 64), (0, 4), 15)
    high = _fields(blocks[:, 128:192].reshape(-1, 2, 1, 32), (0, 2, 4, 6), 3)
    steps = (low.reshape(high.shape) | high << np.uint8(4)).view(np.int8) - np.int8(32)
    return _scaled(steps.reshape(-1, 16, 16), _f16(blocks[:, 208:]) * blocks[:, 192:208].view(np.int8))


def _nibbles(data: Bytes) -> npt.NDArray[np.int8]:
    """The lower halves of all bytes [n, bytes], then the upper ones."""
    return np.concatenate([data & 15, data >> 4], axis=1).view(np.int8)


def _fifth_bits(data: Bytes) -> npt.NDArray[np.int8]:
    """The bits of four bytes [n, 4], each as the fifth bit of a number [n, 32]."""
    return np.unpackbits(data, axis=1, bitorder="little").view(np.int8) << np.int8(4)


def _fields(data: Bytes, shifts: range | tuple[int, ...], bits: int) -> Bytes:
    """Parts of bytes [..., 1, n]: those under the mask `bits` after each shift [..., shifts, n]."""
    return data >> np.array(shifts, np.uint8)[:, None] & np.uint8(bits)


def _scales_and_minima(blocks: Bytes) -> tuple[Floats, Floats]:
    """Of the eight parts of Q4_K and Q5_K [n, 8]: twelve bytes hold six bits of each."""
    first, second, third = blocks[:, 4:8], blocks[:, 8:12], blocks[:, 12:16]
    scale = np.concatenate([first & 63, third & 15 | first >> 6 << 4], axis=1)
    low = np.concatenate([second & 63, third >> 4 | second >> 6 << 4], axis=1)
    return _f16(blocks[:, :2]) * scale, _f16(blocks[:, 2:4]) * low


def _scaled(steps: npt.NDArray[np.uint8 | np.int8], scale: Floats, low: Floats | None = None) -> Floats:
    """Parts [n, parts, values] by a scale, less a minimum, each [n, parts]: [n, parts * values]."""
    values = scale[:, :, None] * steps
    if low is not None:
        values -= low[:, :, None]
    return values.reshape(len(steps), -1)


FORMATS = {
    form.number: form
    for form in (
        BlockFormat(0, "F32", 1, 4, _f32),
        BlockFormat(1, "F16", 1, 2, _f16),
        BlockFormat(2, "Q4_0", 32, 18, _q4_0),
        BlockFormat(3, "Q4_1", 32, 20, _q4_1),
        BlockFormat(6, "Q5_0", 32, 22, _q5_0),
        BlockFormat(7, "Q5_1", 32, 24, _q5_1),
        BlockFormat(8, "Q8_0", 32, 34, _q8_0),
        BlockFormat(10, "Q2_K", 256, 84, _q2_k),
        BlockFormat(11, "Q3_K", 256, 110, _q3_k),
        BlockFormat(12, "Q4_K", 256, 144, _q4_k),
        BlockFormat(13, "Q5_K", 256, 176, _q5_k),
        BlockFormat(14, "Q6_K", 256, 210, _q6_k),
        BlockFormat(30, "BF16", 1, 2, _bf16),
    )
}
"""By their numbers in GGUF files."""

F32, Q8_0 = FORMATS[0], FORMATS[8]
