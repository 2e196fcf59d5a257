"""Bounds in lines and characters as constraints on tokens."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt

from coder.api.completion import Constraints
from coder.diffusion.steering import Between, Constraint, Without
from coder.errors import InputError
from coder.model.checkpoint.tokens import Tokenizer

IntArray = npt.NDArray[np.int64]


class TokenConstraints:
    """The lines and characters that a tokenizer's tokens add, counted when they are first needed.

    Args:
        vocab_size: of the model, which may have more ids than the tokenizer.
    """

    def __init__(self, tokenizer: Tokenizer, vocab_size: int) -> None:
        self._tokenizer = tokenizer
        self._vocab_size = vocab_size

    def of(self, constraints: Constraints) -> Iterator[Constraint]:
        """Yield the constraints that an answer in tokens has to obey.

        Raises:
            InputError: bounds that nothing can keep.
        """
        _require_order(constraints.min_lines, constraints.max_lines, "lines")
        _require_order(constraints.min_characters, constraints.max_characters, "characters")
        end = self._tokenizer.control.fim_end
        if constraints.without:
            yield Without(self._tokens_with(constraints.without))
        if constraints.min_lines > 1 or constraints.max_lines is not None:
            most = None if constraints.max_lines is None else constraints.max_lines - 1
            yield Between(self._line_breaks, constraints.min_lines - 1, most, end)
        if constraints.min_characters or constraints.max_characters is not None:
            bounds = constraints.min_characters, constraints.max_characters
            yield Between(self._characters, *bounds, end, smallest=1, surely=self._sure_characters)

    @cached_property
    def _bytes(self) -> list[bytes]:
        return [self._tokenizer.token_bytes(token) for token in range(self._vocab_size)]

    @cached_property
    def _line_breaks(self) -> IntArray:
        return np.array([content.count(b"\n") for content in self._bytes], np.int64)

    @cached_property
    def _characters(self) -> IntArray:
        """The most characters that a token can add. Bytes that continue a character begun before may turn out to form
        none, and are then shown as one character each."""
        return np.array([len(content.decode(errors="replace")) for content in self._bytes], np.int64)

    @cached_property
    def _sure_characters(self) -> IntArray:
        """The fewest characters that a token can add: its bytes that continue no character begun before, since the
        others may join one."""
        return np.array([sum(byte & 0xC0 != 0x80 for byte in content) for content in self._bytes], np.int64)

    def _tokens_with(self, characters: str) -> IntArray:
        """Return the tokens that hold one of the characters, or its first bytes at their end."""
        beginnings = {character: _encode(character) for character in characters}
        parts = [encoded[:length] for encoded in beginnings.values() for length in range(1, len(encoded))]
        found = [
            token
            for token, content in enumerate(self._bytes)
            if any(encoded in content for encoded in beginnings.values()) or content.endswith(tuple(parts))
        ]
        return np.array(found, np.int64)


def _encode(character: str) -> bytes:
    try:
        return character.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{character!r} is half of a surrogate pair, which no text can hold anyway") from error


def _require_order(least: int, most: int | None, unit: str) -> None:
    lowest = 1 if unit == "lines" else 0
    if least < lowest or (most is not None and most < max(1, least)):
        bounds = f"at least {least}" + ("" if most is None else f" and at most {most}")
        raise InputError(
            f"no answer has {bounds} {unit}; give a lower bound from {lowest} and an upper one not below it"
        )
