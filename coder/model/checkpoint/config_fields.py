"""Single fields of a `config.json`, validated. Every function raises CheckpointError, naming the field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from coder.errors import CheckpointError


def count(section: Mapping[str, Any], field: str, default: int | None = None) -> int:
    """A positive whole number."""
    value = section.get(field)
    if value is None:
        value = default
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise CheckpointError(f"config.json: {field} must be a positive whole number, not {value!r}")
    return value


def text(section: Mapping[str, Any], field: str) -> str:
    """A text that is not empty."""
    value = section.get(field)
    if not isinstance(value, str) or not value:
        raise CheckpointError(f"config.json: {field} must be a text, not {value!r}")
    return value


def passes(section: Mapping[str, Any], field: str) -> float:
    """A number of passes, not negative."""
    value = section.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise CheckpointError(f"config.json: {field} must be a number of passes, not {value!r}")
    return float(value)


def positive_number(section: Mapping[str, Any], field: str, default: float) -> float:
    """A number above 0."""
    value = section.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise CheckpointError(f"config.json: {field} must be a positive number, not {value!r}")
    return float(value)


def flag(section: Mapping[str, Any], field: str) -> bool:
    """True or false, false where the field is absent."""
    value = section.get(field, False)
    if not isinstance(value, bool):
        raise CheckpointError(f"config.json: {field} must be true or false, not {value!r}")
    return value
