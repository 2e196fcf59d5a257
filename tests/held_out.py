"""Held-out code to test with: files of this project as they once were, which no checkpoint has seen.

They stand still, so that what is drawn from them does not change with the source.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from coder.model.checkpoint.tokens import Tokenizer, infill

FILES = (Path(__file__).parent / "held_out_code.txt").read_text(encoding="utf-8").split("\f")


def holes(count: int, seed: int = 0) -> Iterator[tuple[str, str, str]]:
    """(prefix, suffix, middle): `count` lines, drawn by `seed`, as the holes of their files."""
    random_state = random.Random(seed)
    for _ in range(count):
        lines = random_state.choice(FILES).splitlines(keepends=True)
        index = random_state.choice([index for index, line in enumerate(lines) if line.strip()])
        text = lines[index].rstrip("\n")
        yield "".join(lines[:index]), lines[index][len(text) :] + "".join(lines[index + 1 :]), text


def prompts(tokenizer: Tokenizer, count: int, length: int, seed: int = 0) -> Iterator[list[int]]:
    """Infilling prompts of at most `length` tokens, three quarters of them prefix."""
    suffix_length = length // 4
    for prefix, suffix, _ in holes(count, seed):
        prefix_ids = tokenizer.encode(prefix[-6 * length :])[-(length - suffix_length - 2) :]
        yield infill(tokenizer.control, prefix_ids, tokenizer.encode(suffix[: 6 * length])[:suffix_length])
