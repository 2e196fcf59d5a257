"""Writes ONNX models: the few messages of onnx.proto3 that a decoder needs, without the 30 MB of the onnx package.

Field numbers are those of the ONNX specification (IR version 10). Wire format: protobuf's base-128 varints (wire type
0), length-delimited fields (2) and 32-bit floats (5).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

IR_VERSION = 10

ELEMENT_TYPES = {
    np.dtype(np.float32): 1,
    np.dtype(np.uint8): 2,
    np.dtype(np.int8): 3,
    np.dtype(np.int32): 6,
    np.dtype(np.int64): 7,
}
"""TensorProto.DataType."""

FLOAT_ATTRIBUTE, INT_ATTRIBUTE, STRING_ATTRIBUTE = 1, 2, 3
"""AttributeProto.AttributeType."""

EXTERNAL = 1
"""TensorProto.DataLocation: the data is handed over beside the model."""

Array = npt.NDArray[np.generic]


def model(graph: bytes, operator_sets: Mapping[str, int]) -> bytes:
    """ModelProto. `operator_sets` are versions by domain."""
    versions = (_text(1, domain) + _integer(2, version) for domain, version in operator_sets.items())
    return _integer(1, IR_VERSION) + _message(7, graph) + b"".join(_message(8, version) for version in versions)


def graph(
    name: str, nodes: Sequence[bytes], constants: Sequence[bytes], inputs: Sequence[bytes], outputs: Sequence[bytes]
) -> bytes:
    """GraphProto."""
    fields = ((1, nodes), (5, constants), (11, inputs), (12, outputs))
    return _text(2, name) + b"".join(_message(number, part) for number, parts in fields for part in parts)


def node(
    operator: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    name: str,
    domain: str = "",
    attributes: Mapping[str, float | int | str] | None = None,
) -> bytes:
    """NodeProto. An empty name stands for an optional input or output that is left out."""
    return b"".join(
        (
            *(_text(1, value) for value in inputs),
            *(_text(2, value) for value in outputs),
            _text(3, name),
            _text(4, operator),
            *(_message(5, _attribute(key, value)) for key, value in (attributes or {}).items()),
            _text(7, domain),
        )
    )


def constant(name: str, value: Array) -> bytes:
    """TensorProto with its data inside."""
    return _tensor(name, value) + _message(9, np.ascontiguousarray(value).tobytes())


def external_constant(name: str, value: Array, location: str = "memory", offset: int = 0) -> bytes:
    """TensorProto of the same type and shape, whose data is handed over beside the model, or lies in a file.

    Args:
        location, offset: of the data, a file's name and the first byte there.
    """
    place = {"location": location, "offset": str(offset), "length": str(value.nbytes)}
    entries = b"".join(_message(13, _text(1, key) + _text(2, text)) for key, text in place.items())
    return _tensor(name, value) + entries + _integer(14, EXTERNAL)


def value_info(name: str, dtype: type[np.generic], shape: Sequence[int | str]) -> bytes:
    """ValueInfoProto of a tensor; a text in `shape` names a size that differs from run to run."""
    sizes = (_integer(1, size) if isinstance(size, int) else _text(2, size) for size in shape)
    dimensions = b"".join(_message(1, size) for size in sizes)
    tensor = _integer(1, ELEMENT_TYPES[np.dtype(dtype)]) + _message(2, dimensions)
    return _text(1, name) + _message(2, _message(1, tensor))


def _tensor(name: str, value: Array) -> bytes:
    sizes = b"".join(_integer(1, size) for size in value.shape)
    return sizes + _integer(2, ELEMENT_TYPES[value.dtype]) + _text(8, name)


def _attribute(name: str, value: float | int | str) -> bytes:
    match value:
        case int():
            return _text(1, name) + _integer(3, value) + _integer(20, INT_ATTRIBUTE)
        case float():
            return _text(1, name) + _key(2, 5) + struct.pack("<f", value) + _integer(20, FLOAT_ATTRIBUTE)
        case str():
            return _text(1, name) + _text(4, value) + _integer(20, STRING_ATTRIBUTE)


def _integer(number: int, value: int) -> bytes:
    return _key(number, 0) + _varint(value)


def _text(number: int, value: str) -> bytes:
    return _message(number, value.encode())


def _message(number: int, value: bytes) -> bytes:
    return _key(number, 2) + _varint(len(value)) + value


def _key(number: int, wire_type: int) -> bytes:
    return _varint(number << 3 | wire_type)


def _varint(value: int) -> bytes:
    """Seven bits a byte, lowest first; a negative number as its 64-bit two's complement."""
    value &= (1 << 64) - 1
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
