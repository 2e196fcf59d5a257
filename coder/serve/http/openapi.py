"""The OpenAPI document of the server, generated from the wire types."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from coder import __version__
from coder.api.wire import Failure
from coder.serve.http.operations import Operation, PlainText

REFUSALS = {
    "400": "What is asked for cannot be done; the message says why.",
    "401": "An API key is needed.",
    "403": "The server is not called by this name, or not by this page.",
    "408": "The request came too slowly.",
    "413": "The request is too large.",
    "429": "Too many requests wait; `Retry-After` says when to come again.",
    "503": "The request's time was over before its turn came, or the server is about to stop.",
}
STATUS_REFUSALS = ("401", "403", "503")


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """OpenAPI 3.1."""
    inputs: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (operation.body, "validation") for operation in operations if operation.body
    ]
    answers = [kind for operation in operations for kind in (operation.answer, operation.chunk, Failure) if kind]
    outputs: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (kind, "serialization") for kind in answers if issubclass(kind, BaseModel)
    ]
    unique = list(dict.fromkeys([*inputs, *outputs]))
    references, definitions = models_json_schema(unique, ref_template="#/components/schemas/{model}")
    schemas = definitions.get("$defs", {})
    for model, _ in unique:
        describe_fields(schemas.get(model.__name__, {}), model)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = described(operation, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Quickfill",
            "version": __version__,
            "description": "A diffusion code model behind the APIs that editors, agents and scripts know.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def described(operation: Operation, references: Mapping[tuple[Any, JsonSchemaMode], Any]) -> dict[str, Any]:
    """One operation's object."""
    refusal = {"application/json": {"schema": references[Failure, "serialization"]}}
    statuses = REFUSALS if operation.body else STATUS_REFUSALS
    responses: dict[str, Any] = {
        "200": {"description": "The answer.", "content": content(operation, references)},
        **{status: {"description": REFUSALS[status], "content": refusal} for status in statuses},
    }
    result: dict[str, Any] = {
        "tags": [operation.family],
        "summary": operation.summary,
        "description": operation.description,
        "operationId": operation.name,
        "responses": responses,
        "security": [] if operation.public else [{"key": []}, {}],
    }
    if operation.body:
        schema = references[operation.body, "validation"]
        result["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return result


def content(operation: Operation, references: Mapping[tuple[Any, JsonSchemaMode], Any]) -> dict[str, Any]:
    """Return the content of a successful answer by media type."""
    if issubclass(operation.answer, PlainText):
        return {"text/plain": {"schema": {"type": "string"}}}
    answer = {"application/json": {"schema": references[operation.answer, "serialization"]}}
    if operation.chunk:
        chunks = [references[kind, "serialization"] for kind in (operation.chunk, Failure)]
        data: list[dict[str, Any]] = [{"contentMediaType": "application/json", "contentSchema": {"anyOf": chunks}}]
        if operation.ends_with is not None:
            data.append({"const": operation.ends_with})
        answer["text/event-stream"] = {
            "schema": {
                "type": "object",
                "properties": {"data": {"type": "string", "anyOf": data}},
                "description": "Server-sent events.",
            }
        }
    return answer


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
