"""Descriptions of the fields of wire types, taken from docstrings into their schemas."""

from __future__ import annotations

import inspect
import re
from typing import Any

from pydantic import BaseModel

SECTION = re.compile(r"\n?Attributes:\n(?P<fields>.*)", re.DOTALL)
FIELD = re.compile(r"^    (?P<names>\w+(?:, \w+)*): (?P<text>.*(?:\n {8}.*)*)", re.MULTILINE)


def describe_fields(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Give each property of a model's schema its description, those of base classes included."""
    said = {name: text for kind in reversed(model.__mro__) for name, text in fields_of(kind).items()}
    for name, field in schema.get("properties", {}).items():
        if name in said:
            field["description"] = said[name]
    if "description" in schema:
        described = SECTION.sub("", inspect.cleandoc(model.__doc__ or "")).strip()
        schema["description"] = " ".join(described.split())


def fields_of(kind: type) -> dict[str, str]:
    """The entries of the section `Attributes` of a class's docstring."""
    section = SECTION.search(inspect.cleandoc(kind.__dict__.get("__doc__") or ""))
    entries = FIELD.finditer(section["fields"]) if section else ()
    return {name: " ".join(entry["text"].split()) for entry in entries for name in entry["names"].split(", ")}
