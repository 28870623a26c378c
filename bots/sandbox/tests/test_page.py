"""The web page: its files, and a browser that plays a person. Screenshots go to test-output/."""

import json
import os
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bots.sandbox import Sandbox
from bots.sandbox.page import FOLDER
from bots.sandbox.pictures import sample_photo
from bots.sandbox.sandbox import add_preset_person

CHROMIUM = Path("/usr/bin/chromium")
SHOTS = Path(__file__).parents[3] / "test-output" / "sandbox"
EVIL = "<img src=x onerror=\"document.title='pwned'\"><b>bold</b>"
KEYS = [
    [{"text": "✅ Принять", "callback_data": "accept"}, {"text": "❌ Отказаться", "callback_data": "decline"}],
    [{"text": "Скопировать телефон", "copy_text": {"text": "+79991234567"}}, {"text": "Карта", "url": "https://ya.ru"}],
]
OFFER = (
    "🔔 <b>Заказ #17</b>\n📍 Новосибирск, ул. Станиславского, 14\n🔧 <i>Не работает розетка</i>\n"
    "☎️ <code>+7 999 123-45-67</code>\n⏳ осталось 1:58"
)


def test_every_file_of_the_page_is_served(sb):
    for path in FOLDER.iterdir():
        if path.suffix in (".html", ".css", ".js", ".svg"):
            with urllib.request.urlopen(f"{sb.url}/page/{path.name}") as response:
                assert response.read() == path.read_bytes()
                assert "script-src" not in response.headers["Content-Security-Policy"]  # default-src 'self' rules
    with urllib.request.urlopen(sb.url) as response:
        assert b"Telegram sandbox" in response.read()


@pytest.mark.parametrize("name", ["__init__.py", "..%2Fserver.py", "nothing.js"])
def test_nothing_else_is_served(sb, name):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{sb.url}/page/{name}")


def test_the_page_builds_no_html_from_text_and_loads_nothing_from_elsewhere():
    source = "".join(path.read_text("utf-8") for path in FOLDER.glob("*.*") if path.suffix in (".js", ".html", ".css"))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", source)
    assert not re.search(r"(src|href|url\(|import)[=(\s\"']+https?:", source)


def test_both_languages_have_the_same_words():
    source = (FOLDER / "texts.js").read_text("utf-8")
    english, russian = source.split("  ru: {")
    words = re.compile(r"[\s{](\w+): [\"\[]")
    assert set(words.findall(english.split("  en: {")[1])) == set(words.findall(russian.split("};")[0]))


# -- with a browser -----------------------------------------------------------------------------------------------


class Robot:
    """A bot in a few lines of plain HTTP: offers an order, answers taps, thanks for files."""

    def __init__(self, sb: Sandbox, name: str) -> None:
        self.base = f"{sb.url}/bot{sb.token(name)}/"
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.poll, daemon=True)
        self.thread.start()

    def call(self, method: str, **params):
        request = urllib.request.Request(
            self.base + method, json.dumps(params).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as response:
            return json.load(response)["result"]

    def poll(self) -> None:
        offset = 0
        while not self.stopped.is_set():
            for update in self.call("getUpdates", offset=offset, timeout=1):
                offset = update["update_id"] + 1
                self.handle(update)

    def handle(self, update: dict) -> None:
        if query := update.get("callback_query"):
            self.tapped(query)
            return
        message = update.get("message") or {}
        chat = message.get("chat", {}).get("id")
        if message.get("text") == "/phone":
            ask = {"keyboard": [[{"text": "📱 Отправить номер", "request_contact": True}], [{"text": "Пропустить"}]]}
            self.call("sendMessage", chat_id=chat, text="Ваш телефон?", reply_markup=ask)
        elif "photo" in message or "contact" in message:
            self.call("sendMessage", chat_id=chat, text="Получено", reply_markup={"remove_keyboard": True})
        elif message:
            markup = {"inline_keyboard": KEYS}
            self.call("sendMessage", chat_id=chat, text=OFFER, parse_mode="HTML", reply_markup=markup)

    def tapped(self, query: dict) -> None:
        number, chat = query["message"]["message_id"], query["message"]["chat"]["id"]
        if query["data"] == "decline":
            self.call("answerCallbackQuery", callback_query_id=query["id"], text="Точно?", show_alert=True)
            return
        self.call("editMessageText", chat_id=chat, message_id=number, text="Заказ #17 ваш")
        self.call("answerCallbackQuery", callback_query_id=query["id"], text="Удачи!")

    def stop(self) -> None:
        self.stopped.set()
        self.thread.join(5)


@pytest.fixture
def robots() -> Iterator[Callable[[Sandbox], list[Robot]]]:
    made: list[Robot] = []

    def make(sb: Sandbox) -> list[Robot]:
        made.extend(Robot(sb, name) for name in ("master", "admin"))
        return made

    yield make
    for robot in made:
        robot.stop()


@pytest.fixture
def browser():
    if not CHROMIUM.exists():
        assert not os.environ.get("REQUIRE_BROWSER"), "chromium is required and absent"
        pytest.skip("no chromium")
    from playwright.sync_api import sync_playwright

    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM))
        yield chromium
        chromium.close()


def open_page(browser, url: str, width: int, height: int, locale: str = "ru-RU"):
    page = browser.new_page(viewport={"width": width, "height": height}, locale=locale)
    page.set_default_timeout(5000)
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda line: page.errors.append(line.text) if line.type == "error" else None)
    page.goto(url)
    return page


@pytest.mark.browser
def test_a_person_plays_on_a_wide_screen(sb, sandbox, browser, robots):
    for spec in ("5001:Мастер Первый:master", "5002:Second master:master:en", "5003:Логист:admin"):
        sb.call(lambda world, spec=spec: add_preset_person(world, spec))
    master, _ = robots(sb)
    page = open_page(browser, sb.url, 1440, 900)
    phone, other, staff = (
        page.locator(f'.phone[data-key="{key}"]') for key in ("5001:master", "5002:master", "5003:admin")
    )
    phone.locator(".start").click()
    phone.get_by_text("осталось 1:58").wait_for()
    phone.get_by_text("Принять").click()
    phone.locator(".toast", has_text="Удачи!").wait_for()
    phone.get_by_text("Заказ #17 ваш").wait_for()
    assert phone.get_by_text("Принять").count() == 0

    other.locator(".start").click()
    other.get_by_text("Отказаться").click()
    other.locator(".dialog", has_text="Точно?").wait_for()

    staff.locator(".start").click()
    staff.locator(".input").fill("/phone")
    staff.locator(".input").press("Enter")
    staff.get_by_text("Отправить номер").click()
    staff.get_by_text("+79990005003").wait_for()

    phone.get_by_label("Прикрепить").click()
    phone.get_by_text("Готовое фото").click()
    phone.locator("img.photo").wait_for()
    phone.get_by_text("Получено").wait_for()
    master.call("sendMessage", chat_id=-1001, text="master_bot <b>alive</b>", parse_mode="HTML")
    page.locator(".phone-channel").get_by_text("alive").wait_for()
    page.screenshot(path=SHOTS / "wide.png")
    assert page.errors == []


@pytest.mark.browser
def test_a_newcomer_begins_on_a_telephone(sb, browser, robots):
    robots(sb)
    page = open_page(browser, sb.url, 390, 844, "en-US")
    page.locator(".welcome").wait_for()
    page.screenshot(path=SHOTS / "narrow-empty.png")
    page.locator("#add").click()
    page.get_by_label("Name").fill("Oleg Kot")
    page.get_by_text("Add a phone").click()
    page.get_by_text("START", exact=True).click()
    page.get_by_text("осталось 1:58").wait_for()
    page.get_by_label("Attach").click()
    page.get_by_text("Album of 3 photos").click()
    page.locator(".album img").nth(2).wait_for()
    page.get_by_text("Получено").first.wait_for()
    page.screenshot(path=SHOTS / "narrow.png")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    page.locator("#language").click()
    assert page.locator("h1").inner_text() == "Песочница Telegram"
    assert page.errors == []


@pytest.mark.browser
def test_a_file_from_the_disk(sb, sandbox, browser, tmp_path):
    chat = sandbox.person("Ivan", id=5001).chat("master")
    chat.starts()
    (tmp_path / "act.png").write_bytes(sample_photo(1))
    page = open_page(browser, sb.url, 1000, 800)
    page.get_by_label("Прикрепить").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Фото с диска").click()
    chooser.value.set_files(tmp_path / "act.png")
    page.locator("img.photo").wait_for()
    assert [m.content() for m in chat.messages() if m.media] == [sample_photo(1)]


@pytest.mark.browser
def test_links_to_the_bots_are_followed_in_the_sandbox(sb, sandbox, browser, robots):
    master, _ = robots(sb)
    sandbox.person("Ivan", id=5001).chat("master").starts()
    page = open_page(browser, sb.url, 1000, 800)
    page.get_by_text("осталось 1:58").wait_for()
    master.call("sendMessage", chat_id=5001, text="Staff: https://t.me/admin_sandbox_bot?start=AB12CD")
    page.get_by_text("t.me/admin_sandbox_bot").click()
    page.locator('.phone[data-key="5001:admin"]').get_by_text("/start").wait_for()
    assert sandbox.person("Ivan", id=5001).chat("admin").messages()[0].text == "/start AB12CD"


@pytest.mark.browser
def test_what_people_and_bots_write_never_runs(sb, sandbox, browser):
    chat = sandbox.person(EVIL, id=5001).chat("master")
    chat.starts()
    chat.sends(EVIL)
    robot = f"{sb.url}/bot{sb.token('master')}/sendMessage"
    entities = [{"type": "text_link", "offset": 0, "length": 5, "url": "javascript:document.title='pwned'"}]
    markup = {"inline_keyboard": [[{"text": EVIL, "callback_data": "x"}]]}
    body = {"chat_id": 5001, "text": f"click {EVIL}", "entities": entities, "reply_markup": markup}
    urllib.request.urlopen(
        urllib.request.Request(robot, json.dumps(body).encode(), {"Content-Type": "application/json"})
    ).close()
    page = open_page(browser, sb.url, 1000, 800)
    page.get_by_text("click").click()
    page.wait_for_timeout(200)
    assert page.title() == "Песочница Telegram"
    assert page.locator(".list img, .list b").count() == 0
    assert page.locator('a[href^="javascript"]').count() == 0
