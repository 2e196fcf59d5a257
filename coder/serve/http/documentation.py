"""The documentation that the server gives of itself: `/openapi.json`, and the same for people at `/docs`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from coder.serve.http.openapi import document
from coder.serve.http.operations import PRIVATE, Operation

HEADERS = PRIVATE | {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
}
ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("coder.serve"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


def routes(operations: Sequence[Operation]) -> list[BaseRoute]:
    """Both, made once."""
    described = document(operations)
    page = rendered(operations, described["components"]["schemas"])

    async def show_document(request: Request) -> Response:
        return JSONResponse(described, headers=PRIVATE)

    async def show_page(request: Request) -> Response:
        return HTMLResponse(page, headers=HEADERS)

    return [Route("/openapi.json", show_document), Route("/docs", show_page)]


def rendered(operations: Sequence[Operation], schemas: dict[str, Any]) -> str:
    """The page; it needs nothing from anywhere else."""
    families: dict[str, list[Operation]] = {}
    for operation in operations:
        families.setdefault(operation.family, []).append(operation)
    template = ENVIRONMENT.get_template("docs.html.jinja")
    return template.render(families=families, kind=kind, schema_of=lambda model: schemas.get(model.__name__, {}))


def kind(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        return " | ".join(map(repr, schema["enum"]))
    if "anyOf" in schema:
        return " | ".join(kind(one) for one in schema["anyOf"] if one.get("type") != "null")
    if schema.get("type") == "array":
        return f"[{kind(schema.get('items', {}))}]"
    bounds = [
        f"≥ {schema['minimum']}" if "minimum" in schema else "",
        f"≤ {schema['maximum']}" if "maximum" in schema else "",
    ]
    default = f"= {schema['default']}" if schema.get("default") not in (None, "", False, []) else ""
    return " ".join(part for part in (str(schema.get("type", "")), *bounds, default) if part)
