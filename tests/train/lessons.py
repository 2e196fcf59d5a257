"""Twenty small functions with a hole each, as packed rows: what tests of training learn."""

from __future__ import annotations

import json
from pathlib import Path

from coder.model.checkpoint.prompt import infill
from coder.model.checkpoint.tokens import Tokenizer
from coder.train.infilling import Hole
from coder.train.packed_rows import Document, KindCount, RowsCard, write_card, write_shard

VERBS = ("add", "take", "move", "find", "sort", "open", "read", "send", "pack", "join")
NOUNS = ("row", "path")

HOLES = [
    Hole(f"def {verb}_{noun}({noun}):\n    ", f"return {noun}.{verb}({index})", "\n")
    for index, (verb, noun) in enumerate((verb, noun) for verb in VERBS for noun in NOUNS)
]


def document(tokenizer: Tokenizer, hole: Hole) -> Document:
    """The hole in the prompt's layout, and its answer with the end."""
    control, encode = tokenizer.control, tokenizer.encode
    context = infill(control, encode(hole.prefix), encode(hole.suffix))
    return Document(context, [*encode(hole.middle), control.fim_end])


def write_rows(folder: Path, tokenizer: Tokenizer, rows: list[list[Document]], row_length: int, size: int) -> Path:
    """Packed rows, in one shard; `size` is the vocabulary's."""
    folder.mkdir(parents=True, exist_ok=True)
    shard = write_shard(folder, "rows-00000", rows, row_length, size)
    kinds = {"hole": KindCount(sum(map(len, rows)), shard.tokens)}
    write_card(folder, RowsCard(row_length, tokenizer.digest, size, 0, kinds, (shard,)))
    return folder


def write_lessons(folder: Path, tokenizer: Tokenizer, row_length: int = 128) -> Path:
    """All holes as rows of documents, as many to a row as fit."""
    rows: list[list[Document]] = [[]]
    for hole in HOLES:
        new = document(tokenizer, hole)
        if sum(map(len, rows[-1])) + len(new) > row_length:
            rows.append([])
        rows[-1].append(new)
    return write_rows(folder, tokenizer, rows, row_length, max(tokenizer.ids) + 1)


def write_holes(file: Path) -> Path:
    file.write_text("".join(json.dumps(vars(hole)) + "\n" for hole in HOLES), encoding="utf-8")
    return file
