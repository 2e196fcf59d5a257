"""Packed rows for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from coder.commands.terminal.view import visible
from coder.model.checkpoint.tokens import Tokenizer
from coder.train.packed_rows import PackedDocument, Row, RowsCard, documents_of

CONTEXT = "dim"
MIDDLE = "bold green"
CONTROL = "reverse cyan"


def card_table(card: RowsCard) -> Table:
    """A table of the kinds of examples, with their counts and shares."""
    title = (
        f"{card.rows:,} rows of {card.row_length:,}, {card.tokens:,} tokens, {card.middle_tokens:,} of them in "
        f"middles, {card.fill:.1%} full"
    )
    table = Table(title=title, box=None, pad_edge=False, title_justify="left")
    table.add_column("kind")
    for name in ("documents", "share", "tokens", "share"):
        table.add_column(name, justify="right")
    total = max(1, sum(count.documents for count in card.kinds.values()))
    for name, count in card.kinds.items():
        shares = count.documents / total, count.tokens / max(1, card.tokens)
        table.add_row(name, f"{count.documents:,}", f"{shares[0]:.1%}", f"{count.tokens:,}", f"{shares[1]:.1%}")
    return table


def row_view(number: int, row: Row, tokenizer: Tokenizer) -> RenderableType:
    """The documents of a row, one under the other."""
    parts: list[RenderableType] = []
    for index, document in enumerate(documents_of(row)):
        sizes = f"{len(document.context)} tokens of context, {len(document.middle)} of middle"
        parts += [
            Rule(f"row {number}, document {index}: {sizes}", align="left", style="cyan"),
            _text(document, tokenizer),
        ]
    return Group(*parts)


def _text(document: PackedDocument, tokenizer: Tokenizer) -> Text:
    text = Text()
    for ids, style in ((document.context, CONTEXT), (document.middle, MIDDLE)):
        for piece, is_control in _pieces([int(token) for token in ids], tokenizer):
            text.append(piece, CONTROL if is_control else style)
    return text


def _pieces(ids: list[int], tokenizer: Tokenizer) -> Iterator[tuple[str, bool]]:
    """Yield the text between the control tokens, and the names of these."""
    names = {number: text for text, number in tokenizer.special.items()}
    start = 0
    for index, token in enumerate([*ids, None]):
        if token is None or token in names:
            yield visible(tokenizer.decode(ids[start:index])), False
            start = index + 1
        if token is not None and token in names:
            yield names[token], True
