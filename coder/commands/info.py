"""`quickfill info`: the model, what runs it, the machine, and the versions that matter in a report."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING, Any

import typer

from coder.commands import options, shared
from coder.commands.terminal import output

if TYPE_CHECKING:
    from coder.engine.engine import Engine


def info(
    json: options.Json = False,
    model: options.Model = "embedded",
    runtime: options.Runtime = "auto",
    threads: options.Threads = None,
    workspace: options.Workspace = None,
) -> None:
    """Load the model and say what it is, what runs it and what it needs; of a workspace, what its index holds."""
    engine = shared.load_engine(model, runtime, threads)
    folder = shared.index_workspace(engine, workspace)
    sections = facts(engine) | (workspace_facts(engine, folder) if folder else {})
    if json:
        output.print_json(sections)
        return
    for section, entries in sections.items():
        typer.secho(section, bold=True)
        for name, value in entries.items():
            typer.echo(f"  {name.replace('_', ' '):<20} {value}")


def facts(engine: Engine) -> dict[str, dict[str, Any]]:
    """Everything that `info` prints, by section. Memory is in megabytes (2**20 bytes)."""
    from coder.doctor.machine import LIBRARIES, installed_version
    from coder.engine import processor
    from coder.engine.memory import peak_memory

    config = engine.config
    model = {
        "name": engine.model_name,
        "folder": str(engine.checkpoint.folder),
        "version": config.version,
        "layers": config.num_layers,
        "hidden_size": config.hidden_size,
        "vocabulary": config.vocab_size,
        "positions": config.max_positions,
        "canvas_sizes": ", ".join(map(str, config.block_sizes)),
        "adapted": config.adapted,
        "can_fill_holes_jointly": config.abilities.holes,
        "can_edit": config.abilities.rewrites,
        "can_correct_itself": config.abilities.correction,
        "can_read_other_files": config.abilities.context,
        "can_follow_instructions": config.abilities.instructions,
    }
    machine = {
        "system": f"{platform.system()} {platform.release()}",
        "processor": processor.name(),
        "features": ", ".join(processor.features()),
        "cores": os.cpu_count(),
        "peak_memory_mb": peak_memory() >> 20,
    }
    versions = {"python": platform.python_version()} | {
        library: version for library in LIBRARIES if (version := installed_version(library))
    }
    return {"model": model, "runtime": dict(engine.description), "machine": machine, "versions": versions}


def workspace_facts(engine: Engine, folder: str) -> dict[str, dict[str, Any]]:
    """The size of a folder's index and the time it took. Memory is in megabytes (2**20 bytes)."""
    index = engine.workspace_index(folder)
    state = index.state
    facts = {
        "folder": str(index.root),
        "files": state.files,
        "words": state.words,
        "megabytes": round(state.bytes / 2**20, 1),
        "complete": state.complete,
        "seconds": round(state.seconds, 3),
    }
    return {"workspace": facts}
