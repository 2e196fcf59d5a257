"""Twenty small functions with a hole each, as packed rows: what tests of training learn."""

from __future__ import annotations

import json
from pathlib import Path

from coder.context.window import freeze
from coder.model.checkpoint.infilling_tokens import InfillingTokens, open_tokenizer
from coder.model.checkpoint.tokens import Tokenizer
from coder.train.infilling import Hole
from coder.train.packed_rows import KindCount, PackedDocument, RowsCard, write_card, write_shard

VERBS = ("add", "take", "move", "find", "sort", "open", "read", "send", "pack", "join")
NOUNS = ("row", "path")

HOLES = [
    Hole(f"def {verb}_{noun}({noun}):\n    ", f"return {noun}.{verb}({index})", "\n")
    for index, (verb, noun) in enumerate((verb, noun) for verb in VERBS for noun in NOUNS)
]


def document(tokenizer: Tokenizer, tokens: InfillingTokens, hole: Hole) -> PackedDocument:
    """The hole in the family's layout, split as the engine splits it, and its answer with the end."""
    encode = tokenizer.encode
    split = freeze(hole.prefix).split
    prefix, written = encode(hole.prefix[:split]), encode(hole.prefix[split:])
    return PackedDocument(tokens.infilling(prefix, encode(hole.suffix), written), [*encode(hole.middle), tokens.end])


def write_rows(
    folder: Path, tokenizer: Tokenizer, rows: list[list[PackedDocument]], row_length: int, size: int
) -> Path:
    """Packed rows, in one shard; `size` is the vocabulary's."""
    folder.mkdir(parents=True, exist_ok=True)
    shard = write_shard(folder, "rows-00000", rows, row_length, size)
    kinds = {"hole": KindCount(sum(map(len, rows)), shard.tokens)}
    write_card(folder, RowsCard(row_length, tokenizer.digest, size, 0, kinds, (shard,)))
    return folder


def write_lessons(folder: Path, model: Path, row_length: int = 128) -> Path:
    """All holes as rows of documents for a model's folder, as many to a row as fit."""
    size = json.loads((model / "config.json").read_text(encoding="utf-8"))["vocab_size"]
    tokenizer, tokens = open_tokenizer(model / "tokenizer.json", size)
    rows: list[list[PackedDocument]] = [[]]
    for hole in HOLES:
        new = document(tokenizer, tokens, hole)
        if sum(map(len, rows[-1])) + len(new) > row_length:
            rows.append([])
        rows[-1].append(new)
    return write_rows(folder, tokenizer, rows, row_length, size)


def write_holes(file: Path) -> Path:
    file.write_text("".join(json.dumps(vars(hole)) + "\n" for hole in HOLES), encoding="utf-8")
    return file
