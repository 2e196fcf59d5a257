"""The playground at `/`: a page that shows the model at work, with all it needs served from here."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from coder.serve.service import Service

FOLDER = Path(__file__).parent
PAGE = FOLDER / "page"
MONACO = FOLDER / "built"
"""The editor that `build.sh` builds; without it, and at `/?editor=plain`, the page has a plain text field."""

HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            # Monaco places its lines by style attributes.
            "style-src 'self' 'unsafe-inline'",
            "font-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Files(StaticFiles):
    """Files that a browser asks for again whether they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update({name: HEADERS[name] for name in ("Cache-Control", "X-Content-Type-Options")})
        return response


def routes(service: Service) -> list[BaseRoute]:
    """The page and its files. They hold nothing of the server's, so no key is asked for."""

    async def show_page(request: Request) -> Response:
        editor = "monaco" if (MONACO / "monaco.js").is_file() else "plain"
        page = (PAGE / "index.html").read_text(encoding="utf-8").replace("{{ editor }}", editor)
        return HTMLResponse(page, headers=HEADERS)

    folders = {"page": PAGE, "monaco": MONACO}
    mounts = [Mount(f"/playground/{name}", Files(directory=path)) for name, path in folders.items() if path.is_dir()]
    return [Route("/", show_page), *mounts]
