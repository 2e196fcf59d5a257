"""The tokens of a prompt that must be computed anew after each kind of edit. `python -m benchmarks.recomputed_tokens`.

A user works in this project's own Python files, at many places. After each edit a prompt is made as for a suggestion,
and the cache holds those of the session's earlier ones, as the engine's pool of caches does. Three ways to place the
split are compared: at the cursor, as other tools do; frozen, as the language server does it; and without a memory, as
the command line and the HTTP APIs do. No model is run: only its tokenizer and its settings are read.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean
from typing import Annotated

import typer

from benchmarks.report import print_rows, report_console, write_json
from coder.api.completion import CompletionRequest
from coder.context.window import FrozenPrefix, FrozenPrefixes, average_tokens
from coder.generation.prompting import Prompting
from coder.model.checkpoint.config import ModelConfig
from coder.model.checkpoint.files import read_json
from coder.model.checkpoint.opening import find_checkpoint
from coder.model.checkpoint.tokens import Tokenizer
from coder.model.runtime import common_prefix_length

ROOT = Path(__file__).parents[1]
FOLDERS = ("coder", "evals", "lsp")
FEWEST_LINES = 120

ACCEPTED = "result = first + second\n    if result is None:\n        return default\n    return result"

Splitting = Callable[[FrozenPrefixes, str], FrozenPrefix | None]

SPLITTINGS: dict[str, Splitting] = {
    "at the cursor": lambda frozen, prefix: replace(frozen.at("file.py", prefix), split=len(prefix)),
    "without a memory": lambda frozen, prefix: None,
    "frozen": lambda frozen, prefix: frozen.at("file.py", prefix),
}


@dataclass(frozen=True)
class Buffer:
    """A text and the cursor in it."""

    text: str
    cursor: int

    @property
    def prefix(self) -> str:
        return self.text[: self.cursor]

    def typed(self, text: str) -> Buffer:
        return Buffer(self.prefix + text + self.text[self.cursor :], self.cursor + len(text))

    def without(self, characters: int) -> Buffer:
        return Buffer(self.text[: self.cursor - characters] + self.text[self.cursor :], self.cursor - characters)

    def lines_away(self, lines: int) -> Buffer:
        """The cursor at the end of a line above or below."""
        starts = self.text.count("\n", 0, self.cursor) + lines
        ends = [index for index, character in enumerate(self.text) if character == "\n"]
        return replace(self, cursor=ends[min(max(0, starts), len(ends) - 1)])

    def edited(self, place: int, text: str) -> Buffer:
        """Something inserted above the cursor, which stays where it is in the text."""
        return Buffer(self.text[:place] + text + self.text[place:], self.cursor + len(text))


@dataclass
class Session:
    """The prompts of a user's session so far."""

    prompting: Prompting
    splitting: Splitting
    frozen: FrozenPrefixes = field(default_factory=lambda: FrozenPrefixes(average_tokens))
    prompts: list[list[int]] = field(default_factory=list)

    def recomputed(self, buffer: Buffer) -> int:
        """Ask for a suggestion; return how many tokens are not cached."""
        frozen = self.splitting(self.frozen, buffer.prefix)
        request = CompletionRequest(buffer.prefix, buffer.text[buffer.cursor :], frozen=frozen)
        tokens = self.prompting.prompt(request).tokens
        cached = max((common_prefix_length(prompt, tokens) for prompt in self.prompts), default=0)
        self.prompts.append(tokens)
        return len(tokens) - cached


def edits(start: Buffer) -> Iterator[tuple[str, Buffer]]:
    """The states of a session, each with the kind of edit that led to it, beginning with the file just opened."""
    yield "file opened", start
    buffer = start
    for character in "result = compute(":
        buffer = buffer.typed(character)
        yield "character typed", buffer
    yield "bracket closed by the editor", Buffer(buffer.prefix + ")" + buffer.text[buffer.cursor :], buffer.cursor)
    for _ in range(3):
        buffer = buffer.without(1)
        yield "backspace", buffer
    for _ in range(3):
        buffer = buffer.typed("\n    ")
        yield "new line", buffer
    accepted = buffer.typed(ACCEPTED)
    yield "four lines accepted", accepted
    yield "undone", buffer
    yield "four lines accepted", accepted
    buffer = accepted
    yield "two lines up", buffer.lines_away(-2)
    yield "eight lines down", buffer.lines_away(8)
    yield "jump to another function", buffer.lines_away(-60)
    yield "jump back", buffer
    above = buffer.text.rfind("\n", 0, buffer.text.rfind("\n", 0, buffer.cursor - 400)) + 1
    yield "edit some ten lines above", buffer.edited(above, "# note\n")
    yield "import added at the top", buffer.edited(0, "import os\n")
    for line in ACCEPTED.split("\n") * 8:
        for piece in (line[: len(line) // 2], line[len(line) // 2 :], "\n    "):
            buffer = buffer.typed(piece)
            yield "long stretch typed, word by word", buffer


def measure(prompting: Prompting, starts: Sequence[Buffer]) -> list[dict[str, object]]:
    """Return a row for each kind of edit, with the mean of recomputed tokens for each way to split."""
    found: dict[str, dict[str, list[int]]] = {}
    for start in starts:
        for name, splitting in SPLITTINGS.items():
            session = Session(prompting, splitting)
            for kind, buffer in edits(start):
                found.setdefault(kind, {}).setdefault(name, []).append(session.recomputed(buffer))
    return [
        {"after": kind, **{name: round(mean(counts), 1) for name, counts in by.items()}} for kind, by in found.items()
    ]


def places(count: int, seed: int = 0) -> list[Buffer]:
    """Return ends of lines in the middle of long files, drawn at random."""
    generator = random.Random(seed)
    texts = [file.read_text(encoding="utf-8") for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    long = [text for text in texts if text.count("\n") >= FEWEST_LINES]
    buffers = []
    for text in generator.sample(long, min(count, len(long))):
        ends = [index for index, character in enumerate(text) if character == "\n"]
        buffers.append(Buffer(text, generator.choice(ends[len(ends) // 2 : -20])))
    return buffers


def main(
    model: Annotated[str, typer.Option(help="A checkpoint.")] = "embedded",
    count: Annotated[int, typer.Option(help="Files to work in.")] = 30,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
) -> None:
    """Count the tokens that must be computed anew after each kind of edit."""
    folder = find_checkpoint(model)
    tokenizer = Tokenizer(folder / "tokenizer.json")
    config = ModelConfig.from_json(read_json(folder / "config.json"), tokenizer.control)
    rows = measure(Prompting(config, tokenizer), places(count))
    print_rows(report_console(), f"Tokens computed anew, mean of {count} files", rows)
    if json:
        write_json(json, {"rows": rows})


if __name__ == "__main__":
    typer.run(main)
