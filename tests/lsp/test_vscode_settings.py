"""What the settings page of VS Code offers is what the server understands, with the same defaults and bounds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import model_json_schema

from lsp.settings import Settings

MANIFEST = Path(__file__).parents[2] / "editor-plugins" / "vscode" / "package.json"

OWN = {"path", "mark"}
"""Of the extension itself."""

FROM_THE_EDITOR = {"trust"}
"""What the editor knows without a setting."""


def offered() -> dict[str, dict[str, Any]]:
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    properties = manifest["contributes"]["configuration"]["properties"]
    return {name.removeprefix("quickfill."): schema for name, schema in properties.items()}


def understood() -> dict[str, dict[str, Any]]:
    return model_json_schema(Settings, by_alias=True)["properties"]


def bounds(schema: dict[str, Any]) -> dict[str, Any]:
    """Enumerated values and limits; of a setting that may be left empty, those of what it is otherwise."""
    merged = schema | {key: value for one in schema.get("anyOf", ()) for key, value in one.items()}
    values = {value for value in merged.get("enum", ()) if value is not None}
    return {"enum": values, "minimum": merged.get("minimum"), "maximum": merged.get("maximum")}


def test_the_names_are_the_same():
    assert set(offered()) - OWN == set(understood()) - FROM_THE_EDITOR


def test_the_defaults_and_the_bounds_are_the_same():
    for name, schema in offered().items():
        if name not in OWN:
            assert schema["default"] == understood()[name]["default"], name
            assert bounds(schema) == bounds(understood()[name]), name
