"""The server as an ASGI application."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from coder.serve import playground, status_api
from coder.serve.http import documentation
from coder.serve.http.guard import Guard, KeyCheck
from coder.serve.http.operations import failure_response
from coder.serve.http.refusals import RefusedError
from coder.serve.llama_cpp import llama_cpp_api
from coder.serve.mercury import mercury_api
from coder.serve.native import native_api
from coder.serve.openai import openai_api
from coder.serve.service import Service

FAMILIES = (openai_api, mercury_api, llama_cpp_api, native_api, status_api)
"""The APIs, in the order of the documentation."""

OPERATIONS = [operation for family in FAMILIES for operation in family.OPERATIONS]

PAGES: tuple[Callable[[Service], Sequence[BaseRoute]], ...] = (playground.routes,)
"""Functions that give a page's routes; they are for everybody."""


def create_app(service: Service) -> Starlette:
    """All operations. Those that are not public ask for a key."""
    return Starlette(
        routes=[
            *documentation.routes(OPERATIONS),
            *(route for routes_of_page in PAGES for route in routes_of_page(service)),
            *routes(service, public=True),
            Mount("/", routes=routes(service, public=False), middleware=[key_check(service)]),
        ],
        middleware=[Middleware(Guard, settings=service.settings)],
        exception_handlers={404: refuse, 405: refuse},
    )


def routes(service: Service, public: bool) -> list[BaseRoute]:
    return [operation.route(service) for operation in OPERATIONS if operation.public is public]


def key_check(service: Service) -> Middleware:
    return Middleware(KeyCheck, settings=service.settings)


async def refuse(request: Request, error: Exception) -> Response:
    """Errors of the router in the form of all others."""
    status = getattr(error, "status_code", 404)
    refusal = RefusedError(f"there is no {request.method} {request.url.path}")
    refusal.status = status
    response = failure_response(refusal)
    response.headers.update(getattr(error, "headers", None) or {})
    return response
