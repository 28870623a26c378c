"""The link from the admin bot, in a real browser: it looks like the rest of the desk, and the second factor follows."""

from __future__ import annotations

import time

import pytest
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from fieldservice.desk.tests.scene import Scene
from fieldservice.tests.browser.conftest import Desk
from staff.services import login_links

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


def test_a_link_and_the_code_open_the_desk_once(desk: Desk, scene: Scene) -> None:
    chief = scene.people["chief"]
    device = TOTPDevice.objects.create(user=chief, name="app", confirmed=True)
    link = reverse("login_link", args=[login_links.issue(member=chief)])
    desk.open(link)
    assert str(chief) in desk.page.inner_text("main, #page")
    desk.shot("login-link")
    desk.examine("login-link")
    desk.page.click("form.desk-login button")
    desk.page.wait_for_url("**/two-factor/")
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time()
    desk.page.fill("#code", f"{totp.token():06d}")
    desk.page.click(".desk-btn-primary")
    desk.page.locator("#desk .desk-figure").first.wait_for()
    desk.page.context.clear_cookies()
    desk.open(link)
    desk.page.locator("[role=alert]").wait_for()
    desk.shot("login-link-spent")
    desk.examine("login-link-spent")
    # the browser itself notes the 404, which is what we want here
    desk.complaints[:] = [line for line in desk.complaints if "404" not in line]
