"""Every setting with its default and what it does, as a settings file one can begin with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def settings_toml() -> str:
    """A TOML file of all settings. Those without a default, or with none, are comments."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for section, description, settings in described_settings():
        yield f"# {description}"
        yield f"[{section}]"
        for name, text, default in settings:
            yield f"# {text}"
            yield f"{name} = {json.dumps(default)}" if default is not None else f"# {name} ="
        yield ""


def described_settings() -> Iterator[tuple[str, str, list[tuple[str, str, Any]]]]:
    """Of each section: its name, what it is about, and its settings as (name, description, default)."""
    from pydantic import TypeAdapter

    from coder.train.settings import TrainSettings

    schema = TypeAdapter(TrainSettings).json_schema()
    definitions = schema["$defs"]
    yield from _sections(schema["properties"], definitions, "")


def _sections(
    properties: Mapping[str, Any], definitions: Mapping[str, Any], above: str
) -> Iterator[tuple[str, str, list[tuple[str, str, Any]]]]:
    for name, entry in properties.items():
        reference = entry.get("$ref") or entry.get("allOf", [{}])[0].get("$ref")
        if reference is None:
            continue
        section = definitions[reference.rpartition("/")[2]]
        own = section["properties"]
        plain = [
            (key, value.get("description", ""), value.get("default"))
            for key, value in own.items()
            if "$ref" not in value
        ]
        yield f"{above}{name}", section.get("description", "").partition("\n")[0], plain
        yield from _sections(own, definitions, f"{above}{name}.")
