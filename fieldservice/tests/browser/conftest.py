"""A real browser against a real server: Chromium and Django's live server. Pictures go to test-output/desk/."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from fieldservice.desk.tests import scene as stage
from fieldservice.desk.tests.scene import Scene

CHROMIUM = next((path for path in map(Path, ("/usr/bin/chromium", "/usr/bin/chromium-browser")) if path.exists()), None)
SHOTS = Path(__file__).parents[3] / "test-output" / "desk"
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
PASSWORD = "desk-Test-77"
SIZES = {"wide": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
LOCALES = {"ru": "ru-RU", "en": "en-US"}
#: the theme's own parts, on every page, which our pages cannot change; each is shown and named by its icon or place
THEMES_OWN = ("#nav-sidebar", "#header-inner", ".select2-container", "#changelist-filter", "#submit-row")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium, or a skip that says so; under REQUIRE_BROWSER a failure.

    For one module: playwright's loop stays in this thread while it lives, and no test of the bots could run beside it.
    """
    if CHROMIUM is None:
        assert not os.environ.get("REQUIRE_BROWSER"), "chromium is required and absent"
        pytest.skip("no chromium")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright's loop runs in this thread; the queries are ours
    SHOTS.mkdir(parents=True, exist_ok=True)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM))
            yield browser
            browser.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def site(transactional_db: Any) -> Iterator[str]:
    """The address of a server of this test's own."""
    server = LiveServerThread("127.0.0.1", StaticFilesHandler, connections_override={})
    server.daemon = True
    server.start()
    server.is_ready.wait()
    if server.error:
        raise server.error
    yield f"http://127.0.0.1:{server.port}"
    server.terminate()


@pytest.fixture
def scene(transactional_db: Any) -> Scene:
    return stage.set_up()


class Desk:
    """A person at the desk: a page that notes every complaint of the browser."""

    def __init__(self, page: Page, site: str, name: str) -> None:
        self.page, self.site, self.name = page, site, name
        self.complaints: list[str] = []
        page.set_default_timeout(8000)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)

    def sign_in(self, login: str) -> None:
        self.page.goto(f"{self.site}/admin/login/")
        self.page.fill("#id_username", login)
        self.page.fill("#id_password", PASSWORD)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(f"{self.site}/admin/")

    def open(self, path: str) -> None:
        self.page.goto(f"{self.site}{path}")

    def take(self, what: Locator) -> None:
        """Press the mouse on it and begin to drag."""
        what.hover()
        self.page.mouse.down()
        box = what.bounding_box()
        assert box
        for step in (8, 16, 24):
            self.page.mouse.move(box["x"] + box["width"] / 2 + step, box["y"] + box["height"] / 2 + step)

    def drop(self, where: Locator) -> None:
        """Carry it there and let go."""
        where.hover()
        where.hover()  # the first move only says that something comes
        self.page.mouse.up()

    def shot(self, what: str) -> None:
        """Keep a picture; the page must not be wider than the screen."""
        self.page.wait_for_timeout(250)
        self.page.screenshot(path=SHOTS / f"{what}-{self.name}.png", full_page=True)
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= (self.page.viewport_size or {}).get("width", 0), f"{what} is {width} wide"

    def examine(self, what: str) -> None:
        """No serious finding of axe-core in what is ours."""
        self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate(
            "async (own) => (await axe.run({exclude: own.map((x) => [x])}, {resultTypes: ['violations']})).violations",
            list(THEMES_OWN),
        )
        serious = [
            f"{row['id']}: {row['nodes'][0]['html'][:160]}" for row in found if row["impact"] in {"serious", "critical"}
        ]
        assert serious == [], what


@pytest.fixture(params=[f"{size}-{language}" for size in SIZES for language in LOCALES])
def desk(request: Any, chromium: Browser, site: str, scene: Scene) -> Iterator[Desk]:
    """The same journey on a wide screen and a telephone, in Russian and English."""
    size, language = request.param.split("-")
    context = chromium.new_context(viewport=SIZES[size], locale=LOCALES[language])  # type: ignore[arg-type]
    person = Desk(context.new_page(), site, request.param)
    yield person
    complaints = person.complaints
    context.close()
    assert complaints == []


Opened = Callable[[str], None]
