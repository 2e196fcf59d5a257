"""Held-out code to test with: this project's own source, which no checkpoint has seen."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from coder.model.prompt import infill
from coder.model.tokens import Tokenizer

ROOT = Path(__file__).resolve().parent.parent


def holes(count: int, seed: int = 0) -> Iterator[tuple[str, str, str]]:
    """(prefix, suffix, middle): `count` lines of the source, drawn by `seed`, as the holes of their files."""
    random_state = random.Random(seed)
    files = sorted((ROOT / "coder").rglob("*.py"))
    for _ in range(count):
        lines = random_state.choice(files).read_text(encoding="utf-8").splitlines(keepends=True)
        index = random_state.choice([index for index, line in enumerate(lines) if line.strip()])
        text = lines[index].rstrip("\n")
        yield "".join(lines[:index]), lines[index][len(text) :] + "".join(lines[index + 1 :]), text


def prompts(tokenizer: Tokenizer, count: int, length: int, seed: int = 0) -> Iterator[list[int]]:
    """Infilling prompts of at most `length` tokens, three quarters of them prefix."""
    suffix_length = length // 4
    for prefix, suffix, _ in holes(count, seed):
        prefix_ids = tokenizer.encode(prefix[-6 * length :])[-(length - suffix_length - 2) :]
        yield infill(tokenizer.control, prefix_ids, tokenizer.encode(suffix[: 6 * length])[:suffix_length])
