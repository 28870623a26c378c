"""The test client itself: waiting, friendly failures, the control API's doors, the command line."""

import json
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

from bots.sandbox import Sandbox, SandboxClient
from bots.sandbox.__main__ import build, options
from bots.sandbox.client import SandboxError

IVAN = 1001


def say(sb, text, markup=None):
    """The bot writes, after a moment when `delay` is given by a thread."""
    body = {"chat_id": IVAN, "text": text} | ({"reply_markup": markup} if markup else {})
    url = f"{sb.url}/bot{sb.token('master')}/sendMessage"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)["result"]


def test_sees_waits_for_the_message(sb, chat):
    timer = threading.Timer(0.2, say, (sb, "Your order 7"))
    timer.start()
    assert chat.sees(re.compile(r"order \d")).text == "Your order 7"
    timer.join()


def test_a_failure_shows_the_screen(sb, chat):
    say(sb, "Menu", {"inline_keyboard": [[{"text": "Shift", "callback_data": "m:sh"}]]})
    with pytest.raises(AssertionError) as caught:
        chat.sees("Orders", timeout=0.05)
    text = str(caught.value)
    assert "Ivan waited 0.05 s for a message with 'Orders'" in text
    assert "#2 Master: Menu" in text
    assert "[Shift]" in text
    with pytest.raises(AssertionError, match=r"for a button 'Accept'[\s\S]*\[Shift\]"):
        chat.presses("Accept", timeout=0.05)
    with pytest.raises(AssertionError, match=r"no answer to the button 'Shift' in 0.05 s[\s\S]*no answer yet"):
        chat.presses("Shift", timeout=0.05)
    with pytest.raises(AssertionError, match="did not want to see 'Menu'"):
        chat.does_not_see("Menu")


def test_the_newest_button_wins_and_an_exact_one_first(sb, chat):
    say(sb, "old", {"inline_keyboard": [[{"text": "Open", "callback_data": "old"}]]})
    rows = [[{"text": "Open all", "callback_data": "all"}, {"text": "Open", "callback_data": "new"}]]
    say(sb, "new", {"inline_keyboard": rows})
    say(sb, "no buttons")
    assert chat.presses("Open", waits=False).value == "new"
    assert chat.presses("all", waits=False).value == "all"
    assert chat.presses_data("old", waits=False).value == "old"


def test_fresh_looks_only_after_the_last_act(sb, chat):
    say(sb, "Menu")
    assert chat.sees("Menu", fresh=True)
    chat.sends("again")
    with pytest.raises(AssertionError):
        chat.sees("Menu", fresh=True, timeout=0.05)
    say(sb, "Menu")
    assert chat.sees("Menu", fresh=True)


def test_does_not_see_can_wait(sb, chat):
    timer = threading.Timer(0.1, say, (sb, "late"))
    timer.start()
    with pytest.raises(AssertionError, match="late"):
        chat.does_not_see("late", within=1)
    timer.join()
    started = time.monotonic()
    chat.does_not_see("never", within=0.1)
    assert 0.1 <= time.monotonic() - started < 0.5


def test_gone_waits_for_a_message_to_disappear(sb, chat):
    sent = say(sb, "Offer")

    def delete():
        url = f"{sb.url}/bot{sb.token('master')}/deleteMessage?chat_id={IVAN}&message_id={sent['message_id']}"
        urllib.request.urlopen(url).close()

    timer = threading.Timer(0.1, delete)
    timer.start()
    chat.gone("Offer")
    timer.join()


def test_waits_for_names_the_silent_bots(sandbox):
    with pytest.raises(AssertionError, match="master, admin"):
        sandbox.waits_for("master", "admin", timeout=0.05)


def test_calls_statistics_and_reset(sb, sandbox, chat):
    say(sb, "x")
    with pytest.raises(urllib.error.HTTPError):
        say(sb, "")
    assert [c["status"] for c in sandbox.calls(method="sendMessage")] == [200, 400]
    assert sandbox.calls(status=400)[0]["description"] == "Bad Request: message text is empty"
    assert sandbox.stats()["master sendMessage 200"] == 1
    sandbox.reset()
    assert sandbox.people() == []
    assert sandbox.calls() == []
    assert sandbox.bot("master")["pending"] == 0
    assert sandbox.person("Ivan", id=IVAN).chat("master").messages() == []


def test_no_server_is_said_plainly():
    with pytest.raises(SandboxError, match=r"no sandbox at http://127.0.0.1:9"):
        SandboxClient("http://127.0.0.1:9").state()


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("people", {}, "a person needs a name"),
        ("people", {"name": "x", "id": -5}, "positive"),
        ("chats/1001:nobody/text", {"text": "x"}, "no bot 'nobody'; bots: master, admin"),
        ("chats/7:master/text", {"text": "x"}, "no person 7"),
        ("chats/-5/text", {"text": "x"}, "no chat '-5'"),
        ("chats/1001:master/text", {"text": "  "}, "an empty message cannot be sent"),
        ("chats/1001:master/text", {}, "text"),
        ("chats/1001:master/dance", {}, "unknown act"),
        ("chats/1001:master/media", {"kind": "hologram"}, "unknown media kind"),
        ("chats/1001:master/media", {"kind": "photo", "data": "aGk="}, "IMAGE_PROCESS_FAILED"),
        ("chats/1001:master/media", {"kind": "photo", "data": "%%%"}, "bad request"),
        ("chats/1001:master/album", {"items": [{"kind": "photo"}]}, "2 to 10"),
        ("chats/1001:master/press", {"message_id": 1, "row": 0, "column": 0}, "no such button"),
        ("chats/1001:master/press", {"row": 0, "column": 0}, "no such button"),
        ("chats", {"id": 5, "type": "channel"}, "negative id"),
        ("faults", {"kind": "429", "colour": "red"}, "unknown fields: colour"),
    ],
)
def test_mistakes_are_explained(sandbox, chat, path, body, error):
    with pytest.raises(SandboxError, match=re.escape(error)):
        sandbox.wire.post(*path.split("/"), **body)


def request_status(url, **options):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, **options)) as response:
            return response.status, response.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def test_other_web_sites_cannot_drive_the_sandbox(sb):
    url = f"{sb.url}/sandbox/api/people"
    body = b'{"name": "x"}'
    assert request_status(url, data=body, headers={"Content-Type": "text/plain"})[0] == 415
    headers = {"Content-Type": "application/json", "Origin": "http://evil.example"}
    assert request_status(url, data=body, headers=headers)[0] == 403
    assert request_status(url, data=body, headers=headers | {"Origin": sb.url})[0] == 200


def test_an_uploaded_page_is_never_shown_as_a_page(sb, chat):
    sent = chat.sends_document(b"<script>alert(1)</script>", "x.html", mime="text/html")
    _, headers = request_status(sb.url + sent.data["media"]["url"])
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"] == "attachment"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_tokens_never_leave_by_the_control_api(sb, sandbox, chat):
    say(sb, "x")
    shown = json.dumps([sandbox.state(), chat.view(), sandbox.calls()])
    assert sb.token("master") not in shown
    assert "sandbox-master-bot" not in shown


def test_state_waits_for_a_change(sb, sandbox, chat):
    version = sandbox.state()["version"]
    started = time.monotonic()
    assert sandbox.wire.get("state", since=version, wait=0.1)["version"] == version
    assert time.monotonic() - started >= 0.1
    threading.Timer(0.05, say, (sb, "x")).start()
    assert sandbox.wire.get("state", since=version, wait=5)["version"] > version


def test_start_and_stop_are_quick():
    started = time.monotonic()
    for _ in range(10):
        with Sandbox() as sb:
            assert sb.client().state()
    assert time.monotonic() - started < 2


def test_a_taken_port_is_reported(sb):
    with pytest.raises(OSError, match="address"):
        Sandbox(port=sb.port).start()


def test_presets_of_the_command_line():
    arguments = ["--bot", "master=1:a", "--bot", "admin@staff_bot=2:b", "--channel", "-1001=LOGS"]
    people = ["--person", "5001:Имя:master", "--person", "5002:Eve:admin:en:started", "--person", "5001:Имя:admin"]
    world = build(options([*arguments, *people]))
    assert world.bot("staff_bot").name == "admin"
    assert world.room("-1001").members == {1: "administrator", 2: "administrator"}
    assert not world.room("5001:master").started
    assert world.room("5002:admin").started
    assert world.person(5002).language == "en"
    assert "5001:admin" in world.rooms


def test_the_program_runs_serves_and_stops():
    command = [sys.executable, "-m", "bots.sandbox", "--port", "0", "--bot", "master=1:a", "--person", "5:Ann:master"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        assert [person.name for person in SandboxClient(url).people()] == ["Ann"]
        process.terminate()
        assert process.wait(5) == 0


def test_nonsense_on_the_command_line():
    command = [sys.executable, "-m", "bots.sandbox", "--bot", "master"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "expected NAME=TOKEN" in done.stderr
