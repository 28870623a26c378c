"""The whole web application: Bot API, control API, page."""

from __future__ import annotations

from aiohttp import web

from . import webhooks
from .api import editing, profile, sending  # noqa: F401 - register their methods
from .control import add_control_routes
from .page import add_page_routes
from .server import MAX_BODY, WORLD, handle_file, handle_method, handle_unknown
from .world import World


def make_app(world: World) -> web.Application:
    """All routes over one world."""
    app = web.Application(client_max_size=MAX_BODY)
    app[WORLD] = world
    app.router.add_route("*", "/bot{token:[^/]+}/{method}", handle_method)
    app.router.add_get("/file/bot{token:[^/]+}/{path:.+}", handle_file)
    add_control_routes(app)
    add_page_routes(app)
    app.router.add_route("*", "/{tail:.*}", handle_unknown)
    app.on_startup.append(_start_webhooks)
    app.on_shutdown.append(_stop_webhooks)
    return app


async def _start_webhooks(app: web.Application) -> None:
    """Webhooks that were set before a restart go on."""
    for bot in app[WORLD].bots.values():
        if bot.webhook.url:
            webhooks.begin(app[WORLD], bot)


async def _stop_webhooks(app: web.Application) -> None:
    for bot in app[WORLD].bots.values():
        if bot.webhook.task:
            bot.webhook.task.cancel()
        bot.queue.release()
