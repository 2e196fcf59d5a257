"""An engine that writes what it is told to, and the language server with it: `python -m tests.lsp.scripted`."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, EngineEvent, FinishReason, Score, Slot
from coder.api.streams import Cancellation
from coder.api.text_engine import EngineStatus
from coder.api.text_requests import (
    Change,
    Edited,
    EditEvent,
    EditRequest,
    Filled,
    FillEvent,
    FillRequest,
    HoleUpdate,
    RegionUpdate,
    RepairRequest,
)
from coder.context.workspace_index import IndexState
from coder.diffusion.events import Statistics
from coder.editing.rewrite import CANNOT_REWRITE
from coder.editing.unwritten import unwritten_part
from coder.errors import InputError
from coder.generation.completing import fitting_of
from coder.model.checkpoint.config import Abilities
from lsp.engine.errors import EngineLostError

CONFIDENCE = 0.9

ANSWERS = {
    "def add(first, second):\n": ["    return first + second"],
    "def add(first, second):": ["\n    return first + second"],
    "total = ": ["sum(values)", "0", "len(values)"],
    "print(": ["total)"],
    "import math\n\n": ["print(math.pi)"],
    "endless = ": ["1 + " * 10_000],
    "doubtful = ": ["?guess"],
    "func add(a int, b int) int {\n": ["    sum := a + b\n    return sum"],
    "function add(a, b) {\n": ["    let sum = a + b;\n    return sum;"],
    "hello {": ['name}")\nprint(name)'],
    "looping = ": ["-s" * 200],
    "# The sum": [" of a and b   \t "],
    "crash = ": ["!crash"],
    "late = ": ["~in time"],
}
"""By the end of the prefix. A further answer is for a further attempt; `?` stands for low confidence, `~` for an answer
that comes `LATE_SECONDS` late."""

LATE_SECONDS = 2.0
"""More than the default budget."""


@dataclass
class ScriptedEngine:
    """It writes word by word, and answers one request at a time, as a real one does.

    Attributes:
        edits: whether it has that ability. capitals: what it is not told to write, it writes in capitals.
        begun, ended: released with the beginning and the end of every request. closed: set when it is let go.
    """

    edits: bool = True
    capitals: bool = False
    answers: dict[str, list[str]] = field(default_factory=lambda: dict(ANSWERS))
    requests: list[CompletionRequest] = field(default_factory=list)
    prefilled: list[str] = field(default_factory=list)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    ended: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    closed: threading.Event = field(default_factory=threading.Event)
    _busy: threading.Lock = field(default_factory=threading.Lock)

    def stream(
        self, request: CompletionRequest, cancelled: Cancellation | None = None
    ) -> Generator[EngineEvent, None, None]:
        cancelled = cancelled or threading.Event()
        with self._busy:
            self.requests.append(request)
            self.begun.release()
            try:
                yield from self._write(request, cancelled)
            finally:
                self.ended.release()

    def _write(self, request: CompletionRequest, cancelled: Cancellation) -> Iterator[EngineEvent]:
        deadline = time.monotonic() + (request.decoding.deadline_ms or 60_000) / 1000
        fitting = fitting_of(request)
        text = self._answer(fitting.asked if fitting else request)
        if fitting and not text and (text := self._answer(request)):
            # Blanks before the cursor are the model's to write; the script has them in its key.
            mark = text[:1] if text[:1] in ("?", "!", "~") else ""
            text = mark + (fitting.context.hidden if mark != "!" else "") + text.removeprefix(mark)
        confidence = 0.01 if text.startswith("?") else CONFIDENCE
        ready = time.monotonic() + (LATE_SECONDS if text.startswith("~") else 0.0)
        while time.monotonic() < min(ready, deadline) and not cancelled.is_set():
            time.sleep(0.01)
        text = text.lstrip("?~")
        if text == "!crash":
            raise EngineLostError("it was told to")
        written, reason = "", "end"
        for word in re.findall(r"\s*\S+", text):
            if cancelled.is_set() or time.monotonic() >= deadline:
                reason: FinishReason = "cancelled" if cancelled.is_set() else "deadline"
                break
            slots = (Slot(None),) if request.decoding.policy == "threshold" else ()
            update = CanvasUpdate(written, slots, 1 + written.count(" "), len(written) // 4, confidence)
            yield fitting.update(update, None) if fitting else update
            written += word
        statistics = Statistics("scripted", tokens=max(1, len(written) // 4), mean_confidence=confidence)
        completion = Completion(written, reason, 0, 0.0, statistics)
        yield fitting.completion(completion, None) if fitting else completion

    def complete(self, request: CompletionRequest, cancelled: Cancellation | None = None) -> Completion:
        *_, completion = self.stream(request, cancelled)
        assert isinstance(completion, Completion)
        return completion

    def prefill(self, request: CompletionRequest, cancelled: Cancellation | None = None) -> bool:
        self.prefilled.append(request.prefix)
        self.begun.release()
        return True

    def stream_fill(
        self, request: FillRequest, cancelled: Cancellation | None = None
    ) -> Generator[FillEvent, None, None]:
        middles = tuple(Completion(f"hole{index}", "end", 0, 0.0, Statistics("")) for index in _holes(request.texts))
        yield HoleUpdate(len(middles) - 1, CanvasUpdate("hole", (Slot(None),), 1, 1))
        yield Filled("", middles, True, 1, 0.0)

    def stream_edit(
        self, request: EditRequest, cancelled: Cancellation | None = None
    ) -> Generator[EditEvent, None, None]:
        """The instruction is what is written, or what it asks about the request; none is nothing better. Raises
        InputError where `rewrite` does."""
        if not self.edits and unwritten_part(request.text, request.start, request.end, "", None) is None:
            raise InputError(CANNOT_REWRITE)
        told = {"digest": digest(request.text), "deadline": str(request.decoding.deadline_ms)}
        new = told.get(request.instruction, request.instruction)
        if self.capitals and not new:
            new = request.text[request.start : request.end].upper()
        while request.instruction == "endless" and not (cancelled and cancelled.is_set()):
            time.sleep(0.01)
            yield RegionUpdate(request.start, request.end, CanvasUpdate("", (Slot(None),), 1, 1))
        yield RegionUpdate(request.start, request.end, CanvasUpdate(new[:1], (Slot(None), Slot("!")), 1, 1))
        unused = "time was up" if request.instruction == "too long" else ""
        changes = (Change(request.start, request.end, new),) if new and not unused else ()
        yield Edited("", changes, 0.0, 0.0, 1, 0.0, unused=unused)

    def index_state(self, folder: str) -> IndexState:
        return IndexState(files=2, words=30, bytes=400, building=False, complete=True, seconds=0.5, age_seconds=6.0)

    def repair(self, request: RepairRequest, cancelled: Cancellation | None = None) -> Edited:
        """What is misspelt as `vlaue`, in the region."""
        end = len(request.text) if request.end is None else request.end
        start = request.text.find("vlaue", request.start, end)
        changes = (Change(start, start + 5, "value"),) if start >= 0 else ()
        return Edited("", changes, 0.0, 0.0, 1, 0.0)

    def score(self, prefix: str, suffix: str, middle: str) -> Score:
        return Score(-1.0, -1.0, 1)

    def status(self) -> EngineStatus:
        abilities = Abilities(edits=self.edits).by_name()
        return EngineStatus("scripted", "1", {"runtime": "none"}, abilities, False, os.getpid())

    def close(self) -> None:
        self.closed.set()

    def _answer(self, request: CompletionRequest) -> str:
        matches = [ending for ending in self.answers if request.prefix.endswith(ending)]
        texts = self.answers[max(matches, key=len)] if matches else [""]
        return texts[(request.decoding.seed or 0) % len(texts)]


def digest(text: str) -> str:
    """Tells texts apart, those too that hold half a surrogate pair."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _holes(texts: Sequence[str]) -> range:
    return range(len(texts) - 1)


if __name__ == "__main__":
    from lsp.server import run
    from lsp.wire.greeting import greet

    editor = greet(sys.stdin.buffer, sys.stdout.buffer)
    engine = ScriptedEngine(edits="unable" not in sys.argv, capitals="capitals" in sys.argv)
    sys.exit(run(editor, sys.stdin.buffer, sys.stdout.buffer, lambda settings: engine) if editor else 1)
