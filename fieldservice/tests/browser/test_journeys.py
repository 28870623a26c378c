"""The ten daily journeys of the office, in a real browser, wide and narrow, in both languages."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from fieldservice.desk.tests.scene import Scene
from fieldservice.lib.localtime import zone
from fieldservice.outbox.models import Notification
from fieldservice.runtime import registry
from fieldservice.tests.browser.conftest import Desk
from geo.models import Street
from orders.enums import OfferState, OrderStatus
from orders.models import Offer, Order
from orders.tests.factories import OrderFactory
from staff.enums import ModerationStatus
from staff.models import Master
from staff.tests.factories import MasterFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


def tomorrow(scene: Scene, hours: str) -> str:
    """The name of a slot of tomorrow, there."""
    return f"{timezone.now().astimezone(zone(scene.city.timezone)) + timedelta(days=1):%Y-%m-%d}:{hours}"


def test_1_the_morning_look_at_the_dashboard(desk: Desk, scene: Scene) -> None:
    desk.sign_in("chief")
    desk.page.locator("#desk .desk-figure").first.wait_for()
    assert re.fullmatch(r"\d+:\d\d|\d+ .+", desk.page.locator("time[data-since]").first.inner_text())
    desk.shot("dashboard")
    desk.examine("dashboard")
    desk.page.locator(".desk-figure").nth(0).click()
    desk.page.locator("#result_list").wait_for()
    assert desk.page.locator("#result_list tbody tr").count() >= 4


def test_2_an_order_by_phone_with_the_keyboard_only(desk: Desk, scene: Scene) -> None:
    Order.objects.filter(pk=scene.orders["fresh"].pk).update(client_phone="+79991112233", client_name="Ольга")
    desk.sign_in("operator")
    desk.open("/admin/orders/order/add/")
    keys = desk.page.keyboard
    keys.type("89991112233")
    desk.page.locator("#known-client [role=status]").wait_for()
    desk.shot("order-form-known")
    desk.page.fill("#id_client_phone", "")
    desk.page.focus("#id_client_phone")
    keys.type("89995554433")
    keys.press("Tab")
    keys.type("Анна")
    # the only city is chosen already: on to the district, whose list opens by itself
    for _step in range(8):
        keys.press("Tab")
        desk.page.wait_for_timeout(150)  # nobody types faster
        if desk.page.locator(".select2-search__field").count():
            break
    keys.type("цао")
    desk.page.locator(".select2-results__option--highlighted", has_text="ЦАО").wait_for()
    keys.press("Enter")
    desk.page.focus("#id_house")
    keys.type("7")
    desk.page.select_option("#id_category", "PLUMBING")
    morning = tomorrow(scene, "10-13")
    desk.page.locator(f"#id_slot option[value='{morning}']").wait_for(state="attached")
    desk.page.select_option("#id_slot", morning)
    desk.page.focus("#id_description")
    keys.type("Течёт кран")
    desk.examine("order form")
    desk.shot("order-form")
    keys.press("Control+Enter")
    desk.page.locator(".desk-title").wait_for()
    order = Order.objects.latest("pk")
    assert (order.client_phone, order.client_name, order.house) == ("+79995554433", "Анна", "7")
    assert (order.district, order.category, order.status) == (scene.districts[0], "PLUMBING", OrderStatus.DEFERRED)
    desk.shot("order-made")


def test_3_a_stuck_order_gets_a_master_from_the_board(desk: Desk, scene: Scene) -> None:
    order = scene.orders["logist"]
    desk.sign_in("operator")
    desk.open("/admin/desk/board/")
    desk.shot("board")
    desk.examine("board")
    desk.page.click(f"#assign-{order.pk}")
    desk.page.locator("#desk-dialog[open] .desk-master").first.wait_for()
    desk.page.wait_for_timeout(300)
    desk.shot("assign")
    desk.examine("assign")
    desk.page.locator(f"#desk-dialog input[value='{scene.masters[1].pk}']").check()
    desk.page.click("#desk-dialog button[value=offer]")
    desk.page.locator(f"article:has(#card-{order.pk})", has_text="Белов Сергей").wait_for()
    assert Offer.objects.get(order=order, state__in=OfferState.LIVE).master == scene.masters[1]


def test_4_the_board_refreshes_itself(desk: Desk, scene: Scene) -> None:
    desk.sign_in("chief")
    desk.open("/admin/desk/board/")
    fresh = OrderFactory(city=scene.city, district=scene.districts[0], dispatch_at=None)
    desk.page.locator(f"#card-{fresh.pk}").wait_for(timeout=6000)


def test_5_the_order_page_tells_why_and_cancels_with_a_reason(desk: Desk, scene: Scene) -> None:
    order = scene.orders["fresh"]
    desk.sign_in("chief")
    desk.open(f"/admin/orders/order/{order.pk}/change/")
    desk.page.select_option("#desk-why-master", str(scene.masters[0].pk))
    desk.page.locator(".desk-why").wait_for()
    desk.shot("order")
    desk.examine("order")
    desk.page.click("a[href$='/do/cancel/']")
    desk.page.locator("#desk-dialog[open] textarea").fill("Клиент передумал")
    desk.shot("cancel")
    desk.page.click("#desk-dialog .desk-btn-danger")
    desk.page.locator(".desk-mark.is-canceled").wait_for()
    assert Order.objects.get(pk=order.pk).cancel_reason == "Клиент передумал"


def test_6_a_page_that_is_old_says_so_and_loses_nothing(desk: Desk, scene: Scene) -> None:
    order = scene.orders["assigned"]
    desk.sign_in("chief")
    desk.open(f"/admin/orders/order/{order.pk}/change/")
    desk.page.click("a[href$='/do/return/']")
    desk.page.locator("#desk-dialog[open] textarea").fill("Мастер заболел")
    Order.objects.filter(pk=order.pk).update(version=order.version + 1)
    desk.page.locator("#desk-changed [role=status]").wait_for(timeout=7000)
    desk.page.locator("#desk-dialog .desk-btn-primary").click()
    desk.page.locator("#desk-dialog [role=alert]").wait_for()
    assert desk.page.locator("#desk-dialog textarea").input_value() == "Мастер заболел"
    desk.shot("stale")
    assert Order.objects.get(pk=order.pk).status == OrderStatus.ASSIGNED


def test_7_an_application_is_decided_beside_its_documents(desk: Desk, scene: Scene) -> None:
    master = MasterFactory(city=scene.city, moderation_status=ModerationStatus.PENDING, applied_at=timezone.now(),
                           shift_status="SHIFT_OFF", full_name="Иванов Пётр")  # fmt: skip
    desk.sign_in("chief")
    desk.open("/admin/desk/applications/")
    desk.shot("applications")
    desk.examine("applications")
    desk.page.click("a[href$='/do/reject/']")
    desk.page.locator("#desk-dialog[open] [data-fills]").first.click()
    desk.page.click("#desk-dialog .desk-btn-danger")
    desk.page.locator(".desk-empty.desk-panel").wait_for()
    master.refresh_from_db()
    assert master.moderation_status == ModerationStatus.REJECTED
    assert master.moderation_reason


def test_8_the_calendar_the_map_and_the_crew(desk: Desk, scene: Scene) -> None:
    desk.sign_in("chief")
    for page, mark in (("calendar", ".desk-visit"), ("map", ".leaflet-interactive"), ("crew", ".desk-table tbody tr")):
        desk.open(f"/admin/desk/{page}/")
        desk.page.locator(mark).first.wait_for(state="attached")
        desk.shot(page)
        desk.examine(page)
    desk.open("/admin/desk/calendar/?days=1")
    desk.shot("calendar-day")
    desk.open(f"/admin/staff/master/{scene.masters[0].pk}/change/")
    desk.shot("master")
    desk.examine("master")


def test_9_settings_health_and_the_lists(desk: Desk, scene: Scene) -> None:
    Notification.objects.create(event="offer", master=scene.masters[0], outcome="FAILED", processed_at=timezone.now())
    desk.sign_in("boss")
    desk.open("/admin/runtime/setting/")
    desk.page.fill("#s-distribution_rounds", "3")
    desk.shot("settings")
    desk.examine("settings")
    desk.page.click(".desk-settings button.desk-btn-primary")
    desk.page.wait_for_url("**/runtime/setting/")
    assert registry.get("distribution_rounds") == 3
    desk.open("/admin/desk/health/")
    desk.shot("health")
    desk.examine("health")
    for path in ("orders/order", "staff/master", "staff/auditlog", "outbox/notification", "finance/commission"):
        desk.open(f"/admin/{path}/")
        desk.page.locator("#changelist").wait_for()
        desk.page.screenshot(path=f"test-output/desk/list-{path.replace('/', '-')}-{desk.name}.png", full_page=True)
    assert Master.objects.count() == 8


def test_10_signing_in_with_the_second_factor(desk: Desk, scene: Scene) -> None:
    desk.sign_in("boss")
    desk.open("/admin/two-factor/setup/")
    device = TOTPDevice.objects.get(user=scene.people["boss"])
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = timezone.now().timestamp()
    desk.examine("second factor")
    desk.shot("two-factor")
    desk.page.fill("#code", f"{totp.token():06d}")
    desk.page.click(".desk-login .desk-btn-primary")
    codes = desk.page.locator(".desk-codes li")
    codes.first.wait_for()
    spare = codes.first.inner_text()
    desk.shot("recovery-codes")
    desk.page.context.clear_cookies()
    desk.page.goto(f"{desk.site}/admin/login/")
    desk.page.fill("#id_username", "boss")
    desk.page.fill("#id_password", "desk-Test-77")
    desk.page.click("button[type=submit]")
    desk.page.locator("#code").fill(spare)
    desk.page.locator("form .desk-btn-primary").click()
    desk.page.wait_for_url(f"{desk.site}/admin/")
    desk.open("/admin/account/")
    desk.shot("account")
    desk.examine("account")


def test_11_a_card_is_dropped_on_a_master(desk: Desk, scene: Scene) -> None:
    order, busy = scene.orders["logist"], scene.orders["road"]
    desk.sign_in("operator")
    desk.open("/admin/desk/board/")
    card = desk.page.locator(f"article:has(#card-{order.pk})")
    card.wait_for()
    if "phone" in desk.name:  # fingers have the button
        assert card.locator(".desk-btn").is_visible()
        return
    grip = card.locator(".desk-ticket-place")
    desk.take(grip)
    chips = desk.page.locator("#desk-crew .desk-chip")
    chips.first.wait_for()
    assert chips.count() == 8
    desk.shot("board-drag")
    desk.drop(desk.page.locator(f".desk-chip[data-master='{scene.masters[1].pk}']"))
    desk.page.locator(f"#desk-dialog[open] input[value='{scene.masters[1].pk}']:checked").wait_for()
    assert not Offer.objects.filter(order=order).exists(), "dropping asks, it does not send"
    desk.page.keyboard.press("Escape")
    desk.page.locator("#desk-dialog").wait_for(state="hidden")
    desk.take(grip)
    chips.first.wait_for()
    desk.drop(desk.page.locator(f"article:has(#card-{busy.pk})"))  # an order of his stands for the master
    desk.page.locator(f"#desk-dialog[open] input[value='{busy.assigned_master_id}']:checked").wait_for()
    desk.page.click("#desk-dialog button[value=offer]")
    desk.page.locator(f"article:has(#card-{order.pk})", has_text=busy.assigned_master.full_name).wait_for()
    assert Offer.objects.get(order=order, state__in=OfferState.LIVE).master == busy.assigned_master


def test_12_a_visit_moves_to_another_day(desk: Desk, scene: Scene) -> None:
    order = scene.orders["assigned"]
    desk.sign_in("operator")
    desk.open(f"/admin/orders/order/{order.pk}/change/")
    desk.page.click("a[href$='/do/reschedule/']")
    desk.page.locator("#desk-dialog[open] select").wait_for()
    desk.page.select_option("#desk-slot", tomorrow(scene, "16-19"))
    desk.shot("move-visit")
    desk.examine("move a visit")
    desk.page.click("#desk-dialog .desk-btn-primary")
    desk.page.locator("#desk-dialog").wait_for(state="hidden")
    desk.page.locator(".desk-facts dd", has_text="16:00–19:00").wait_for()
    assert Notification.objects.filter(event="order_changed", master=order.assigned_master).count() == 1


def test_13_the_wrong_category_and_street_are_mended(desk: Desk, scene: Scene) -> None:
    order, page = scene.orders["fresh"], desk.page
    there = Street.objects.create(city=scene.city, district=scene.districts[4], name="Варшавское шоссе")
    Street.objects.create(city=scene.strange, name="Варшавское шоссе")
    desk.sign_in("operator")
    desk.open(f"/admin/orders/order/{order.pk}/edit/")
    page.select_option("#id_category", "WINDOWS")
    page.click(".field-street .select2-selection")
    page.keyboard.type("варшавск")
    found = page.locator(".select2-results__option", has_text="Варшавское шоссе")
    found.first.wait_for()
    assert found.count() == 1, "another city has such a street, too"
    desk.shot("mend-lookup")
    found.click()
    desk.shot("mend")
    desk.examine("mend an order")
    page.click("button[name=_save]")
    page.locator("#id_confirm_district").wait_for()
    desk.shot("mend-elsewhere")
    desk.examine("mend an order, asked back")
    page.check("#id_confirm_district")
    page.click("button[name=_save]")
    page.locator(".desk-facts dd", has_text="Варшавское шоссе").wait_for()
    desk.shot("mended")
    order.refresh_from_db()
    assert (order.category, order.street, order.district) == ("WINDOWS", there, scene.districts[4])
    assert order.offers.get().state == OfferState.CANCELED
