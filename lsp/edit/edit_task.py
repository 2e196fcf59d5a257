"""An edit that is wanted of a document, and the engine's requests for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from coder.api.completion import DEFAULT_DECODING, NOWHERE, Decoding, Where
from coder.api.streams import last
from coder.api.text_engine import TextEngine
from coder.api.text_requests import (
    Change,
    Diagnostic,
    Edited,
    EditRequest,
    Filled,
    FillRequest,
    HoleUpdate,
    RegionUpdate,
    RepairRequest,
)
from coder.editing.unwritten import MARK, unwritten_part
from coder.errors import InputError, QuickfillError
from coder.syntax.languages import language_named
from lsp.documents import Document

EditKind = Literal["fill", "rewrite", "docstring", "repair"]

Span = tuple[int, int]
"""Characters of `Document.unix`, the end not included."""

EditWatcher = Callable[[HoleUpdate | RegionUpdate], None]

WRITE_DOCSTRING = "Write the docstring."


@dataclass(frozen=True)
class Conditions:
    """The place and the decoding of a request, as in `EditRequest`."""

    where: Where = NOWHERE
    decoding: Decoding = DEFAULT_DECODING


@dataclass(frozen=True)
class EditTask:
    """Attributes:
    document: as it is.
    spans: the holes in order, where they are to be filled; else one region.
    instruction: for a rewrite. diagnostics: for a repair.
    """

    document: Document
    kind: EditKind
    spans: tuple[Span, ...]
    instruction: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts before, between and behind the spans. Raises InputError for spans that overlap."""
        text = self.document.unix.text
        borders = [0, *(border for span in self.spans for border in span), len(text)]
        if borders != sorted(borders):
            raise InputError("the ranges overlap, or are outside the document")
        return tuple(text[start:end] for start, end in zip(borders[::2], borders[1::2], strict=True))

    @property
    def said(self) -> str:
        """The instruction that the engine is given."""
        return WRITE_DOCSTRING if self.kind == "docstring" else self.instruction

    @property
    def loses_nothing(self) -> bool:
        """Return whether a rewrite writes where nothing is written yet, so that any model may be asked for it."""
        ((start, end),) = self.spans
        language = language_named(self.document.language)
        return unwritten_part(self.document.unix.text, start, end, self.said, language) is not None

    @property
    def meant(self) -> EditTask:
        """The task itself; to rewrite a hole's mark, with nothing said about how, is to fill that hole."""
        if self.kind != "rewrite" or self.instruction:
            return self
        ((start, end),) = self.spans
        region = self.document.unix.text[start:end]
        if region.strip() != MARK:
            return self
        start += region.index(MARK)
        return replace(self, kind="fill", spans=((start, start + len(MARK)),))

    def changes(
        self,
        engine: TextEngine,
        conditions: Conditions,
        cancelled: threading.Event,
        watch: EditWatcher | None = None,
    ) -> tuple[Change, ...]:
        """Return the changes of `document.unix`, in order; none where nothing better was found.

        Blocks until the engine has answered or `cancelled` is set; `watch` is called with its updates. Raises what
        `TextEngine` does, and QuickfillError where an answer cannot be used.
        """
        if (meant := self.meant) is not self:
            return meant.changes(engine, conditions, cancelled, watch)
        if self.kind == "fill":
            return self._fill(engine, conditions, cancelled, watch)
        if self.kind == "repair":
            return self._repair(engine, conditions, cancelled)
        ((start, end),) = self.spans
        request = EditRequest(
            text=self.document.unix.text,
            start=start,
            end=end,
            instruction=self.said,
            where=conditions.where,
            decoding=conditions.decoding,
        )
        edited = last(engine.stream_edit(request, cancelled), Edited, watch)
        if edited.unused:
            raise QuickfillError(f"nothing is changed: {edited.unused}")
        return edited.changes

    def _fill(
        self, engine: TextEngine, conditions: Conditions, cancelled: threading.Event, watch: EditWatcher | None
    ) -> tuple[Change, ...]:
        """A change for each hole; none where time was up before anything was written into it."""
        request = FillRequest(
            texts=self.texts,
            where=conditions.where,
            decoding=conditions.decoding,
        )
        filled = last(engine.stream_fill(request, cancelled), Filled, watch)
        return tuple(
            Change(start, end + middle.replaces, middle.text)
            for (start, end), middle in zip(self.spans, filled.middles, strict=True)
            if middle.text or middle.finish_reason in ("end", "length")
        )

    def _repair(self, engine: TextEngine, conditions: Conditions, cancelled: threading.Event) -> tuple[Change, ...]:
        ((start, end),) = self.spans
        request = RepairRequest(
            text=self.document.unix.text,
            start=start,
            end=end,
            diagnostics=self.diagnostics,
            where=conditions.where,
            decoding=conditions.decoding,
        )
        return engine.repair(request, cancelled).changes
