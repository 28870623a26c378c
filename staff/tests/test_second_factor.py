"""Signing in: lock-out, second factor, recovery codes, sessions, headers."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from staff import second_factor
from staff.enums import Role
from staff.models import AuditLog, StaffSession, StaffUser
from staff.services import login_links
from staff.tests.factories import StaffUserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
ENGLISH = {"accept-language": "en"}
PASSWORD = "correct-Horse-7"
HOME, CODE, SETUP = "/admin/", "/admin/two-factor/", "/admin/two-factor/setup/"


@pytest.fixture
def member() -> StaffUser:
    return StaffUserFactory(role=Role.GLOBAL_ADMIN, username="boss", password=PASSWORD)


def sign_in(client: Client, password: str = PASSWORD, **more: Any) -> Any:
    return client.post(reverse("admin:login"), {"username": "boss", "password": password}, headers=ENGLISH, **more)


def code_of(device: TOTPDevice, steps: int = 0) -> str:
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time() + steps * device.step
    return f"{totp.token():06d}"


@pytest.fixture
def device(member: StaffUser) -> TOTPDevice:
    return TOTPDevice.objects.create(user=member, name="app", confirmed=True)


def test_without_a_device_the_password_is_enough(client: Client, member: StaffUser) -> None:
    assert sign_in(client).status_code == 302
    assert client.get(HOME).status_code == 200


@pytest.mark.parametrize("path", [HOME, "/admin/orders/order/", "/admin/desk/board/", "/admin/account/", SETUP])
def test_with_a_device_the_password_alone_opens_nothing(
    client: Client, member: StaffUser, device: TOTPDevice, path: str
) -> None:
    sign_in(client)
    assert client.get(path).headers["Location"] == CODE
    assert client.get(path, headers={"HX-Request": "true"}).headers.get("HX-Redirect", CODE) == CODE
    client.post(SETUP, {"code": "123456"})
    assert list(TOTPDevice.objects.all()) == [device], "who has the password only cannot set up another device"


def test_the_code_opens_once(client: Client, member: StaffUser, device: TOTPDevice) -> None:
    sign_in(client)
    code = code_of(device)
    assert client.post(CODE, {"code": f"{code[:3]} {code[3:]}"}).headers["Location"] == HOME
    assert client.get(HOME).status_code == 200
    other = Client()
    sign_in(other)
    answer = other.post(CODE, {"code": code}, headers=ENGLISH)
    assert answer.status_code == 403
    assert "wrong, used or too old" in answer.content.decode()
    assert other.get(HOME).headers["Location"] == CODE


@pytest.mark.parametrize("code", ["", "000000x", "1" * 400, "\0", "' OR 1=1"])
def test_wrong_codes_are_answered(client: Client, member: StaffUser, device: TOTPDevice, code: str) -> None:
    sign_in(client)
    assert client.post(CODE, {"code": code}).status_code == 403


def test_guessing_codes_is_slowed_down(client: Client, member: StaffUser, device: TOTPDevice) -> None:
    sign_in(client)
    for _number in range(4):
        client.post(CODE, {"code": "000000" if code_of(device) != "000000" else "111111"})
    assert client.post(CODE, {"code": code_of(device)}).status_code == 403, "even the right one has to wait"


def test_a_login_link_does_not_pass_by_the_second_factor(client: Client, member: StaffUser, device: TOTPDevice) -> None:
    token = login_links.issue(member=member)
    client.post(reverse("login_link", args=[token]))
    assert client.get(HOME).headers["Location"] == CODE
    assert client.post(CODE, {"code": code_of(device)}).status_code == 302
    assert client.get(HOME).status_code == 200


def test_a_login_link_leads_who_must_have_a_second_factor_to_set_one_up(
    client: Client, member: StaffUser, settings: Any
) -> None:
    settings.REQUIRE_2FA = True
    answer = client.post(reverse("login_link", args=[login_links.issue(member=member)]))
    assert answer.headers["Location"] == HOME
    assert client.get(HOME).headers["Location"] == SETUP
    assert client.get("/admin/orders/order/").headers["Location"] == SETUP
    client.get(SETUP)
    device = TOTPDevice.objects.get(user=member)
    client.post(SETUP, {"code": code_of(device)})
    assert client.get(HOME).status_code == 200


def test_a_link_that_is_spent_or_made_up_says_so(client: Client, member: StaffUser, device: TOTPDevice) -> None:
    spent = reverse("login_link", args=[login_links.issue(member=member)])
    client.post(spent)
    for stranger in (Client(), client):
        for page in (spent, reverse("login_link", args=["made-up"])):
            for answer in (stranger.get(page, headers=ENGLISH), stranger.post(page, headers=ENGLISH)):
                if answer.status_code == 302:  # half signed in: the code is asked before anything else
                    assert (stranger, answer.headers["Location"]) == (client, CODE)
                    continue
                assert answer.status_code == 404
                assert "This link is no longer good: ask the bot for a new one." in answer.content.decode()
                assert "no-store" in answer.headers["Cache-Control"]
                assert answer.headers["Referrer-Policy"] == "strict-origin"


def test_a_link_of_somebody_else_ends_the_own_session(client: Client, member: StaffUser) -> None:
    other = StaffUserFactory(role=Role.LOGIST, full_name="Иванова Анна")
    client.force_login(other)
    page = reverse("login_link", args=[login_links.issue(member=member)])
    assert "You are signed in as Иванова Анна: that ends." in client.get(page, headers=ENGLISH).content.decode()
    client.post(page)
    assert client.get(HOME).wsgi_request.user == member


def test_who_must_have_one_sets_it_up_first(client: Client, member: StaffUser, settings: Any) -> None:
    settings.REQUIRE_2FA = True
    sign_in(client)
    assert client.get(HOME).headers["Location"] == SETUP
    shown = client.get(SETUP, headers=ENGLISH).content.decode()
    assert "data:image/svg+xml" in shown
    device = TOTPDevice.objects.get(confirmed=False)
    assert client.post(SETUP, {"code": "1"}).status_code == 409
    answer = client.post(SETUP, {"code": code_of(device)}, headers=ENGLISH).content.decode()
    codes = re.findall(r"<li>([0-9a-f]{10})</li>", answer)
    assert len(codes) == second_factor.RECOVERY_CODES
    assert client.get(HOME).status_code == 200
    assert AuditLog.objects.filter(action="two_factor_on").exists()
    other = Client()
    sign_in(other)
    assert other.post(CODE, {"code": codes[0].upper()}).status_code == 302
    assert other.get(HOME).status_code == 200
    third = Client()
    sign_in(third)
    assert third.post(CODE, {"code": codes[0]}).status_code == 403, "a recovery code is good once"


def test_a_global_admin_helps_who_lost_the_phone(client: Client, member: StaffUser, device: TOTPDevice) -> None:
    client.force_login(StaffUserFactory(role=Role.GLOBAL_ADMIN))
    page = reverse("admin:account_of", args=[member.pk])
    assert client.get(page).status_code == 200
    client.post(page, {"act": "off"})
    assert not TOTPDevice.objects.exists()
    assert AuditLog.objects.filter(action="two_factor_off").exists()
    for role in (Role.CITY_ADMIN, Role.LOGIST):
        client.force_login(StaffUserFactory(role=role))
        assert client.get(page).status_code == client.post(page, {"act": "off"}).status_code == 403


# --- lock-out --------------------------------------------------------------------------------------------------------
def test_five_wrong_passwords_close_the_login(client: Client, member: StaffUser) -> None:
    for _number in range(4):
        assert sign_in(client, "wrong").status_code == 200
    locked = sign_in(client, "wrong")
    assert locked.status_code == 429
    assert "Too many wrong passwords" in locked.content.decode()
    assert sign_in(client).status_code == 429
    assert sign_in(client, REMOTE_ADDR="10.9.8.7").status_code == 302, "the member at another address is not locked"


# --- sessions --------------------------------------------------------------------------------------------------------
def test_sessions_are_listed_and_ended(client: Client, member: StaffUser) -> None:
    here, there = client, Client(headers={"user-agent": "Firefox at home"})
    stranger = StaffUserFactory()
    strange = Client()
    strange.force_login(stranger)
    strange.get(HOME)
    for browser in (here, there):
        sign_in(browser)
        browser.get(HOME)
    page = reverse("admin:account")
    shown = here.get(page, headers=ENGLISH).content.decode()
    assert "Firefox at home" in shown
    assert shown.count("this one") == 1
    theirs = StaffSession.objects.get(agent="Firefox at home")
    foreign = StaffSession.objects.get(member=stranger)
    here.post(page, {"act": "end", "key": foreign.session_key})
    assert strange.get(HOME).status_code == 200, "nobody ends another's session"
    here.post(page, {"act": "end", "key": theirs.session_key})
    assert there.get(HOME).status_code == 302
    assert here.get(HOME).status_code == 200
    sign_in(there)
    here.post(page, {"act": "end_all"})
    assert there.get(HOME).status_code == 302
    assert here.get(HOME).status_code == 200


def test_a_new_password_ends_other_sessions(client: Client, member: StaffUser) -> None:
    sign_in(client)
    member.set_password("another-Horse-8")
    member.save()
    assert client.get(HOME).status_code == 302


@pytest.mark.parametrize("password", ["short-1", "1234567890123", "password123"])
def test_weak_passwords_are_refused(client: Client, member: StaffUser, password: str) -> None:
    sign_in(client)
    form = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    answer = client.post(reverse("admin:password_change"), form)
    assert answer.status_code == 200
    assert client.get(HOME).status_code == 200, "the old one is still good"


# --- headers ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/admin/login/", "/healthz", HOME])
def test_every_answer_carries_the_policy(client: Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
