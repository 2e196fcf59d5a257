"""`quickfill serve`: one model for every editor, agent and script."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from coder.commands import options, shared
from coder.errors import InputError
from coder.installation import missing_extra

if TYPE_CHECKING:
    from coder.serve.settings import ServeSettings
    from coder.vllm.engine import VllmEngine

KEY_VARIABLE = "QUICKFILL_API_KEY"
VLLM_KEY_VARIABLE = "VLLM_API_KEY"

EPILOG = """
[bold]Examples[/bold]

quickfill serve                                   for this machine

QUICKFILL_API_KEY=... quickfill serve --host 0.0.0.0   for others too

curl localhost:8477/v1/completions -d '{"prompt": "def add(a, b):", "max_tokens": 16}'
"""

LIMITS_PANEL = "Limits"
ACCESS_PANEL = "Who may use it"


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.", rich_help_panel=ACCESS_PANEL)] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="0 takes a free one.", rich_help_panel=ACCESS_PANEL)
    ] = 8477,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Holds API keys, one a line; any of them lets a client in. One may also stand in the environment, "
            f"as {KEY_VARIABLE}.",
            rich_help_panel=ACCESS_PANEL,
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name that the server is called by.", rich_help_panel=ACCESS_PANEL),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="Where pages that use it may come from.", rich_help_panel=ACCESS_PANEL),
    ] = None,
    together: Annotated[
        int, typer.Option(min=1, help="Requests worked on at a time.", rich_help_panel=LIMITS_PANEL)
    ] = 8,
    queue: Annotated[int, typer.Option(min=0, help="Requests that may wait.", rich_help_panel=LIMITS_PANEL)] = 256,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds that a request may take.", rich_help_panel=LIMITS_PANEL)
    ] = 120.0,
    max_tokens: Annotated[
        int, typer.Option(min=1, help="The most tokens of one answer.", rich_help_panel=LIMITS_PANEL)
    ] = 2048,
    drain: Annotated[
        float, typer.Option(min=0.0, help="Seconds to finish in when told to stop.", rich_help_panel=LIMITS_PANEL)
    ] = 30.0,
    model: options.Model = "embedded",
    runtime: options.Runtime = "auto",
    threads: options.Threads = None,
    engine: Annotated[
        Literal["own", "vllm"],
        typer.Option(help="What runs the model: this process, or a vLLM server.", rich_help_panel=options.MODEL_PANEL),
    ] = "own",
    vllm_url: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="The vLLM server; --model then names the checkpoint that it serves, in any format.",
            rich_help_panel=options.MODEL_PANEL,
        ),
    ] = "http://localhost:8000",
) -> None:
    """Serve the model to editors, agents and scripts over OpenAI's, Mercury's and llama.cpp's APIs.

    The address is printed once it can be used. Docs are at /docs.
    """
    settings = make_settings(
        host=host,
        port=port,
        keys=read_keys(api_key_file),
        allowed_hosts=tuple(allow_host or ()),
        allowed_origins=tuple(allow_origin or ()),
        together=together,
        queue=queue,
        timeout=timeout,
        most_tokens=max_tokens,
        drain=drain,
    )
    own = engine == "own"
    served = shared.load_engine(model, runtime, threads, warm=True) if own else vllm_engine(vllm_url, model)

    from coder.serve.running import serve as run

    run(served, settings, ready=lambda address: typer.echo(f"quickfill serves {address}"))


def vllm_engine(url: str, model: str) -> VllmEngine:
    """Raises CheckpointError, MissingDependencyError, UnreachableError."""
    from coder.model.checkpoint.opening import open_checkpoint
    from coder.vllm.client import VllmClient
    from coder.vllm.engine import VllmEngine

    return VllmEngine(VllmClient(url, os.environ.get(VLLM_KEY_VARIABLE, "")), open_checkpoint(model), model)


def read_keys(file: Path | None) -> tuple[str, ...]:
    """The keys of the environment and of a file. Raises InputError for a file that cannot be read, or is empty."""
    keys = [os.environ.get(KEY_VARIABLE, "").strip()]
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8").split()
        except (OSError, ValueError) as error:
            raise InputError(f"the API keys in {file} cannot be read: {error}") from error
        if not lines:
            raise InputError(f"{file} holds no API key; write one into it, or leave --api-key-file out")
        keys += lines
    return tuple(key for key in keys if key)


def make_settings(**values: Any) -> ServeSettings:
    """Raises InputError for what cannot be, and MissingDependencyError."""
    try:
        import prometheus_client  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise missing_extra("the HTTP server is not installed", "serve") from error
    from pydantic import ValidationError

    from coder.serve.settings import ServeSettings

    try:
        return ServeSettings(**values)
    except ValidationError as error:
        raise InputError("; ".join(str(one["msg"]).removeprefix("Value error, ") for one in error.errors())) from error
