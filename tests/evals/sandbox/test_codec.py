"""Plain data survives the way between judge and candidate; everything else is told apart."""

from __future__ import annotations

import json
import math
from collections import Counter, OrderedDict, namedtuple
from enum import IntEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.sandbox.guest.codec import CodecError, decode, encode

ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(1 << 3000), max_value=1 << 3000)
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(max_size=5)
    | st.binary()
)
HASHABLE = st.recursive(ATOMS, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=4)
VALUES = st.recursive(
    ATOMS | st.builds(bytearray, st.binary()) | st.builds(range, st.integers(0, 9), st.integers(0, 9)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.sets(HASHABLE, max_size=4)
        | st.dictionaries(HASHABLE, inner, max_size=4)
    ),
    max_leaves=12,
)


def refuse(value: object) -> tuple[int, str]:
    raise CodecError(type(value).__name__)


def travelled(value: object) -> object:
    return decode(json.loads(json.dumps(encode(value, refuse))), lambda number, name: (number, name))


@settings(max_examples=50)
@given(VALUES)
def test_plain_data_arrives_as_it_was(value):
    assert travelled(value) == value
    assert type(travelled(value)) is type(value)


def test_what_json_lacks_arrives_too():
    assert math.isnan(travelled(float("nan")))  # pyright: ignore[reportArgumentType]
    assert travelled([float("inf"), -0.0, 1 << 100, "\ud800"]) == [float("inf"), -0.0, 1 << 100, "\ud800"]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Counter("aab"), {"a": 2, "b": 1}),
        (OrderedDict(a=1), {"a": 1}),
        (namedtuple("Point", "x y")(1, 2), (1, 2)),
        (IntEnum("Level", "LOW HIGH").HIGH, 2),  # pyright: ignore[reportAttributeAccessIssue]
    ],
)
def test_what_is_derived_from_plain_data_arrives_as_the_plain_one(value, plain):
    assert travelled(value) == plain
    assert type(travelled(value)) is type(plain)


def test_other_objects_are_referred_to():
    assert encode([print], lambda value: (7, type(value).__name__)) == [
        "list",
        [["object", 7, "builtin_function_or_method"]],
    ]


def test_a_list_in_itself_does_not_travel():
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(CodecError, match="contains itself"):
        encode(endless, refuse)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=2)
        | st.tuples(st.sampled_from("int float complex bytes list set dict range object".split()), inner).map(list)
    ),
    max_leaves=8,
)


@settings(max_examples=50)
@given(JSON)
def test_whatever_arrives_is_a_value_or_refused(data):
    try:
        value = decode(data, lambda number, name: None)
    except CodecError:
        return
    encode(value, refuse)
