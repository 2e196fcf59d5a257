"""Which slots of training canvases form syntax nodes, for masks that hide whole expressions (`SyntaxNodes`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coder.model.checkpoint.config import ControlTokens
from coder.syntax.parsing import parse
from coder.train.canvases import Canvases
from coder.train.packed_rows import Row, documents_of

IntArray = npt.NDArray[np.int64]

FEWEST_TOKENS = 2
"""A node of one token is masked like any slot."""


@dataclass(frozen=True)
class NodeFinder:
    """Finds the nodes of Python text in the canvases of a row.

    Attributes:
        pieces: the bytes of each token of the vocabulary, none for control tokens.
    """

    control: ControlTokens
    pieces: Sequence[bytes]

    def find(self, row: Row, canvases: Canvases) -> IntArray:
        """int64 [K, 3], as `coder.train.masking.Blocks.nodes`: the canvas, its column where a node starts, and the
        one behind its end. What does not parse has the nodes that tree-sitter finds in it all the same."""
        size = canvases.tokens.shape[1] - 1
        numbers = np.arange(len(canvases))
        found: list[tuple[int, int, int]] = []
        starts = np.flatnonzero(np.diff(row.documents, prepend=-2))
        for start, document in zip(starts, documents_of(row), strict=False):
            middle = int(start) + len(document.context)
            own = numbers[(canvases.anchors >= middle - 1) & (canvases.anchors < middle + len(document.middle) - 1)]
            if len(own):
                spans = list(self._spans(document.context, document.middle))
                for canvas in own:
                    anchor = int(canvases.anchors[canvas]) - middle
                    found += [
                        (int(canvas), first - anchor, last - anchor)
                        for first, last in spans
                        if first > anchor and last <= anchor + 1 + size
                    ]
        return np.array(found, np.int64).reshape(-1, 3)

    def _spans(
        self, context: Sequence[int] | npt.NDArray, middle: Sequence[int] | npt.NDArray
    ) -> Iterator[tuple[int, int]]:
        """The nodes of a middle, as tokens of it, from and up to."""
        prefix, suffix = self._parts(np.asarray(context))
        written = [self.pieces[token] for token in middle]
        whole = prefix + b"".join(written) + suffix
        try:
            tree = parse(whole.decode(), "python")
        except UnicodeDecodeError:  # a hole within a character
            return
        if tree is None:
            return
        ends = len(prefix) + np.cumsum([len(piece) for piece in written])
        # A token begins with its blanks, a node behind them.
        starts = ends - [len(piece.lstrip()) for piece in written]
        pending = [tree.root_node]
        while pending:
            node = pending.pop()
            if node.end_byte <= len(prefix) or node.start_byte >= ends[-1]:
                continue
            pending.extend(node.children)
            first = int(np.searchsorted(starts, node.start_byte))
            last = int(np.searchsorted(ends, node.end_byte, side="right"))
            if node.start_byte >= len(prefix) and last - first >= FEWEST_TOKENS:
                yield first, last

    def _parts(self, context: npt.NDArray) -> tuple[bytes, bytes]:
        """The text of the prefix and that of the suffix, of a context in the prompt's layout."""
        suffix = np.flatnonzero(context == self.control.fim_suffix)
        prefix = np.flatnonzero(context == self.control.fim_prefix)
        if not len(suffix) or not len(prefix):
            return b"", b""
        before, behind = context[prefix[-1] + 1 :], context[suffix[-1] + 1 : prefix[-1]]
        return b"".join(self.pieces[token] for token in before), b"".join(self.pieces[token] for token in behind)
