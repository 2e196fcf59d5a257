"""Values as they travel between judge and candidate: plain data, by their type's name, in JSON.

None, bool, str, and the integers and floats that JSON holds exactly stand for themselves; everything else is a list of
a tag and its content. What is not plain data does not travel: the candidate's side sends a number for it (`refer`), and
the judge's side gets something that only knows this number (`resolve`).
"""

from __future__ import annotations

import math
from collections.abc import Callable

MAX_DEPTH = 150
"""Containers in containers; deeper ones, and those that contain themselves, do not travel."""

EXACT_INTEGERS = 1 << 53

Refer = Callable[[object], tuple[int, str]]
Resolve = Callable[[int, str], object]


class CodecError(TypeError):
    """A value that cannot travel, or a message that holds none."""


def encode(value: object, refer: Refer, depth: int = 0) -> object:
    """A value as JSON data. Objects of other types than the plain ones become what `refer` says of them: a number, and
    the type's name. An object of a class derived from a plain one travels as the plain one: a `Counter` as a `dict`.

    Raises CodecError for what is nested too deeply, or whatever `refer` raises.
    """
    if depth > MAX_DEPTH:
        raise CodecError("a value is nested too deeply, or contains itself")

    def inner(items) -> list[object]:
        return [encode(item, refer, depth + 1) for item in items]

    match value:
        case None | bool():
            return value
        case str():
            return str.__str__(value)
        case int():
            return int(value) if -EXACT_INTEGERS < value < EXACT_INTEGERS else ["int", hex(value)]
        case float():
            return float(value) if math.isfinite(value) else ["float", float.__repr__(value)]
        case complex():
            return ["complex", inner((value.real, value.imag))]
        case bytes() | bytearray():
            return ["bytes" if isinstance(value, bytes) else "bytearray", value.hex()]
        case list():
            return ["list", inner(value)]
        case tuple():
            return ["tuple", inner(value)]
        case set():
            return ["set", inner(value)]
        case frozenset():
            return ["frozenset", inner(value)]
        case dict():
            return ["dict", [inner(pair) for pair in value.items()]]
        case range():
            return ["range", inner((value.start, value.stop, value.step))]
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        return encode(value.item(), refer, depth)  # pyright: ignore[reportAttributeAccessIssue]
    return ["object", *refer(value)]


def decode(data: object, resolve: Resolve) -> object:
    """The value that `encode` made `data` of. Raises CodecError when it did not make it."""
    match data:
        case None | bool() | str() | int() | float():
            return data
        case ["int", str(digits)]:
            return _parsed(int, digits, 16)
        case ["float", "nan" | "inf" | "-inf" as name]:
            return float(name)
        case ["complex", [int() | float() | list() as real, int() | float() | list() as imaginary]]:
            return complex(_float(decode(real, resolve)), _float(decode(imaginary, resolve)))
        case ["bytes", str(digits)]:
            return _parsed(bytes.fromhex, digits)
        case ["bytearray", str(digits)]:
            return _parsed(bytearray.fromhex, digits)
        case ["list", list(items)]:
            return [decode(item, resolve) for item in items]
        case ["tuple", list(items)]:
            return tuple([decode(item, resolve) for item in items])
        case ["set", list(items)]:
            return _parsed(set, [decode(item, resolve) for item in items])
        case ["frozenset", list(items)]:
            return _parsed(frozenset, [decode(item, resolve) for item in items])
        case ["dict", list(pairs)]:
            return _parsed(dict, [[decode(part, resolve) for part in _list(pair)] for pair in pairs])
        case ["range", [int(start), int(stop), int(step)]]:
            return _parsed(range, start, stop, step)
        case ["object", int(number), str(name)]:
            return resolve(number, name)
    raise CodecError("a message that holds no value")


def _parsed(build: Callable, *arguments: object):
    try:
        return build(*arguments)
    except (TypeError, ValueError) as error:
        raise CodecError(f"a message that holds no value: {error}") from error


def _float(value: object) -> float:
    if not isinstance(value, int | float):
        raise CodecError("a message that holds no number")
    return _parsed(float, value)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise CodecError("a message that holds no list")
    return value
