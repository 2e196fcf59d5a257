"""Settings from a TOML or JSON file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

from coder.errors import InputError
from coder.train.settings import DataSettings, TrainSettings

Overrides = Mapping[str, Any]
"""Settings by their dotted names, `optimizer.rows`, as the command line changes them. None changes nothing."""


def read_settings(file: Path, overrides: Overrides | None = None) -> TrainSettings:
    """Read a settings file, with its paths made relative to the folder it is in.

    Raises InputError, naming the setting and what is wrong with it.
    """
    try:
        content = file.read_text(encoding="utf-8")
        tree = json.loads(content) if file.suffix == ".json" else tomllib.loads(content)
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise InputError(f"{file} is not valid {'JSON' if file.suffix == '.json' else 'TOML'}: {error}") from error
    for name, value in (overrides or {}).items():
        if value is not None:
            section, _, setting = name.partition(".")
            tree.setdefault(section, {})[setting] = value
    settings = _checked(parse_settings(tree, str(file)))
    return _relative_to(settings, file.absolute().parent, overrides or {})


def parse_settings(tree: Mapping[str, Any], source: str) -> TrainSettings:
    """Settings from parsed TOML or JSON. Raises InputError."""
    try:
        from pydantic import TypeAdapter, ValidationError
    except ImportError:  # on machines that were not made for this project, where training must be possible too
        return _build(TrainSettings, tree, source)
    try:
        return TypeAdapter(TrainSettings).validate_python(tree)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{source}: {name}: {first['msg']} (`quickfill train settings` lists all)") from error


def write_settings(settings: TrainSettings, file: Path) -> None:
    """As JSON, every setting; whole or not at all."""
    unfinished = file.with_name(f".{file.name}")
    unfinished.write_text(json.dumps(asdict(settings), indent=1, default=str) + "\n", encoding="utf-8")
    unfinished.replace(file)


def _build(kind: Any, tree: Mapping[str, Any], source: str) -> Any:
    """A dataclass from what was parsed, its types taken on trust but for paths, tuples and sections."""
    types = get_type_hints(kind)
    unknown = tree.keys() - {entry.name for entry in fields(kind)}
    if unknown:
        raise InputError(f"{source}: there is no setting {sorted(unknown)[0]!r} in {kind.__name__}")
    values = {}
    for name, value in tree.items():
        if is_dataclass(types[name]):
            values[name] = _build(types[name], value, source)
        elif "Path" in str(types[name]) and value is not None:
            values[name] = Path(value)
        else:
            values[name] = tuple(value) if isinstance(value, list) else value
    try:
        return kind(**values)
    except TypeError as error:
        raise InputError(f"{source}: {error}") from error


def _checked(settings: TrainSettings) -> TrainSettings:
    """Raise InputError where settings contradict each other."""
    objective, budget, optimizer = settings.objective, settings.budget, settings.optimizer
    if budget.max_steps is None and budget.max_seconds is None:
        raise InputError("budget: say when training is over, with max_steps or max_seconds")
    if not objective.canvas_sizes or min(objective.canvas_sizes) < 1:
        raise InputError("objective.canvas_sizes: list at least one size of at least 1")
    if min(optimizer.rows, optimizer.accumulate, objective.soft_targets, settings.model.rank) < 1:
        raise InputError("optimizer.rows, optimizer.accumulate, objective.soft_targets and model.rank are at least 1")
    return settings


def _relative_to(settings: TrainSettings, folder: Path, overrides: Overrides) -> TrainSettings:
    """Paths of the file start from its folder, those of the command line from where the user is."""

    def place(name: str, path: Path | None) -> Path | None:
        return path if path is None or overrides.get(name) is not None else folder / path.expanduser()

    data, model, run = settings.data, settings.model, settings.run
    rows, out = place("data.rows", data.rows), place("run.out", run.out)
    assert rows is not None and out is not None
    local = overrides.get("model.init") is None and (folder / model.init).exists()
    return replace(
        settings,
        data=DataSettings(
            rows, place("data.held_out", data.held_out), data.held_out_rows, place("data.holes", data.holes)
        ),
        model=replace(
            model,
            init=str(folder / model.init) if local else model.init,
            adapter=place("model.adapter", model.adapter),
        ),
        run=replace(run, out=out),
    )
