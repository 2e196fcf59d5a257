"""Loading a model and running a request, for every command that does so."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from coder.commands.options import RuntimeName

UNADAPTED = (
    "note: this checkpoint has not been adapted to fill a canvas; it can be trained to, and until then it decodes one "
    "token after another"
)

if TYPE_CHECKING:
    from coder.api.completion import Completion, CompletionRequest
    from coder.api.text_requests import Filled, FillRequest
    from coder.commands.terminal.holes_view import HolesView
    from coder.commands.terminal.view import CanvasView
    from coder.engine.engine import Engine

Answer = TypeVar("Answer")


def adapted(model: str, adapter: Path | None) -> str:
    """The name of a model with an adapter in it, if there is one; see `checkpoint.opening`."""
    return model if adapter is None else f"{model}+{adapter.resolve()}"


def load_engine(
    model: str,
    runtime: RuntimeName,
    threads: int | None,
    view: CanvasView | HolesView | None = None,
    *,
    warm: bool = False,
) -> Engine:
    """Load a model, drawing on a terminal how far that is, or on a `view` the place that will be written.

    Args:
        warm: whether requests have deadlines, which count from when the model is ready to answer at full speed.

    Raises as `Engine.load` does.
    """
    with _loading_shown(model, view) as show:
        from coder.engine.engine import Engine

        engine = Engine.load(model, runtime=runtime, threads=threads, progress=show)
        if warm:
            engine.warm_up()
    if not engine.config.adapted:
        typer.echo(UNADAPTED, err=True)
    return engine


@contextmanager
def _loading_shown(model: str, view: CanvasView | HolesView | None) -> Iterator[Callable[[float], None]]:
    """Draw the progress of loading a model; the function that is yielded takes the share that is done."""
    if view is not None:
        with view:
            view.wait()
            yield lambda share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as drawn:
        # The total is not known before the first weights are there: until then the bar pulses.
        loading = drawn.add_task(f"loading the model ({model})", total=None)
        yield lambda share: drawn.update(loading, total=1.0, completed=share)


def index_workspace(engine: Engine, folder: Path | None) -> str | None:
    """Index a folder for a request that names it, and return the name; an interrupt ends the waiting."""
    if folder is None:
        return None
    from rich.console import Console

    with Console(stderr=True).status(f"indexing {folder}"):
        engine.workspace_index(str(folder)).wait()
    return str(folder)


def run(engine: Engine, request: CompletionRequest, view: CanvasView | None) -> Completion:
    """Answer a request, drawing its canvas on `view`. An interrupt (Ctrl-C) stops the model within one pass."""
    from coder.api.completion import Completion
    from coder.api.streams import last

    with view or nullcontext():
        return interruptible(lambda cancelled: last(engine.stream(request, cancelled), Completion, view and view.show))


def run_fill(engine: Engine, request: FillRequest, view: HolesView | None) -> Filled:
    """Fill several holes; otherwise like `run`."""
    from coder.api.streams import last
    from coder.api.text_requests import Filled

    with view or nullcontext():
        return interruptible(lambda cancelled: last(engine.stream_fill(request, cancelled), Filled, view and view.show))


def interruptible(work: Callable[[threading.Event], Answer]) -> Answer:
    """Return the result of `work`. An interrupt (Ctrl-C) cancels it, and the model stops within one pass.

    The exception of an interrupt is lost where it comes in a callback, such as one that frees an object; so the handler
    cancels the work itself, and what comes of that is no answer.
    """
    cancelled = threading.Event()

    def interrupt(*_: object) -> None:
        cancelled.set()
        raise KeyboardInterrupt

    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, interrupt) if in_main else None
    try:
        answer = work(cancelled)
        if cancelled.is_set():
            raise KeyboardInterrupt
        return answer
    finally:
        cancelled.set()
        if in_main:
            signal.signal(signal.SIGINT, before or signal.SIG_DFL)
