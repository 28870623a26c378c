"""The web page: static files from this folder, nothing built, nothing fetched from elsewhere."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
POLICY = "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"


def add_page_routes(app: web.Application) -> None:
    """`/` and `/page/<file>`."""
    app.router.add_get("/", serve)
    app.router.add_get("/page/{name}", serve)


async def serve(request: web.Request) -> web.Response:
    """One file of the page by its plain name."""
    path = FOLDER / request.match_info.get("name", "index.html")
    if path.parent != FOLDER or path.suffix not in TYPES or not path.is_file():
        raise web.HTTPNotFound
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return web.Response(text=path.read_text("utf-8"), content_type=TYPES[path.suffix], headers=headers)
