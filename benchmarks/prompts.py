"""Prompts cut from real code: this project's own Python files, which no model was trained on.

The files change with the project, so only figures of the same revision compare.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from coder.model.checkpoint.tokens import Tokenizer, infill

ROOT = Path(__file__).parents[1]
FOLDERS = ("benchmarks", "coder", "data", "evals", "lsp", "tests")

CHARACTERS_PER_TOKEN_AT_MOST = 8
"""No more than this many characters are tokenised for each token that is wanted: code averages three to four."""

SUFFIX_SHARE = 4
"""One in this many tokens of a prompt belongs to the suffix."""


@dataclass(frozen=True)
class Hole:
    """A place in real code: the text around it, and the rest of the line that stands there."""

    prefix: str
    middle: str
    suffix: str


def project_code() -> str:
    """The project's Python files one after the other, in a fixed order."""
    files = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def cut_holes(text: str, count: int, seed: int = 0) -> list[Hole]:
    """Cut the rests of `count` different lines of code out of `text`, each from a place inside the line on.

    The lines lie in the middle half of `text`, so that there is code enough on both sides.
    """
    generator = random.Random(seed)
    lines = text.splitlines(keepends=True)
    starts = [0, *accumulate(map(len, lines))]
    middle_half = range(len(lines) // 4, 3 * len(lines) // 4)
    holes = []
    for number in sorted(generator.sample([index for index in middle_half if _is_code(lines[index])], count)):
        line = lines[number].rstrip("\n")
        indentation = len(line) - len(line.lstrip())
        start = starts[number] + generator.randint(indentation + 1, len(line) - 2)
        end = starts[number] + len(line)
        holes.append(Hole(text[:start], text[start:end], text[end:]))
    return holes


def infill_prompt(tokenizer: Tokenizer, hole: Hole, length: int) -> list[int]:
    """The prompt that asks for a hole, exactly `length` tokens long, a quarter of them suffix."""
    characters = length * CHARACTERS_PER_TOKEN_AT_MOST
    suffix = tokenizer.encode(hole.suffix[:characters])[: length // SUFFIX_SHARE]
    prefix = tokenizer.encode(hole.prefix[-characters:])
    prompt = infill(tokenizer.control, prefix, suffix)
    surplus = len(prompt) - length
    if not 0 <= surplus < len(prefix):
        raise ValueError(f"there is not code enough for a prompt of {length} tokens")
    return infill(tokenizer.control, prefix[surplus:], suffix)


def _is_code(line: str) -> bool:
    text = line.strip()
    return len(text) >= 12 and not text.startswith(("#", '"', "'"))
