"""Loading a model and running a request, for every command that does so."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING

from coder.commands.options import RuntimeName

if TYPE_CHECKING:
    from coder.completion import Completion, CompletionRequest
    from coder.engine import Engine
    from coder.view import CanvasView


def load_engine(model: str, runtime: RuntimeName, threads: int | None) -> Engine:
    """Load a model, saying so on a terminal meanwhile. Raises CheckpointError and MissingDependencyError."""
    from rich.console import Console

    with Console(stderr=True).status(f"loading the model ({model})"):
        from coder.engine import Engine

        return Engine.load(model, runtime=runtime, threads=threads)


def run(engine: Engine, request: CompletionRequest, view: CanvasView | None) -> Completion:
    """Answer a request, drawing its canvas on `view`. An interrupt (Ctrl-C) stops the model within one pass."""
    from coder.completion import Completion

    cancelled = threading.Event()
    try:
        with view or nullcontext():
            for event in engine.stream(request, cancelled):
                if isinstance(event, Completion):
                    return event
                if view:
                    view.show(event)
    finally:
        cancelled.set()
    raise AssertionError("a stream ends with its completion")
