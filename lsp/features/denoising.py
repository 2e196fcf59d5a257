"""`quickfill/didDenoise`: lets an editor show a suggestion while it is being denoised."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from coder.completion import CanvasUpdate
from lsp.candidate import Watcher
from lsp.documents import Document
from lsp.messages import DID_DENOISE, DenoiseUpdate

if TYPE_CHECKING:
    from lsp.server import QuickfillServer

MASK = "░"

LEAST_SECONDS = 0.1
"""Between two updates: an editor redraws for each."""


def watcher(ls: QuickfillServer, document: Document) -> Watcher:
    """What to call, in any thread, with the updates of the request that is being handled."""
    loop, request = asyncio.get_running_loop(), ls.protocol.msg_id
    last = float("-inf")

    def watch(update: CanvasUpdate) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= LEAST_SECONDS and request is not None:
            last = now
            loop.call_soon_threadsafe(
                ls.protocol.notify, DID_DENOISE, denoise_update(request, update, document).to_json()
            )

    return watch


def denoise_update(id: int | str, update: CanvasUpdate, document: Document) -> DenoiseUpdate:
    text, spans = update.settled, []
    for slot in update.slots:
        if slot.text is None:
            start = document.units(text)
            spans.append((start, start + document.units(MASK)))
        text += MASK if slot.text is None else slot.text
    steps = update.passes + len(spans)
    return DenoiseUpdate(id=id, step=update.passes, steps=steps, text=text, masked_spans=_joined(spans))


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans with those that touch made one."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
