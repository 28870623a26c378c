"""The admin bot: masters, settings, statistics, the log."""

from __future__ import annotations

import pytest

from bots.sandbox import SandboxClient
from bots.tests.e2e.scene import master, member
from fieldservice.runtime import registry
from fieldservice.runtime.models import Setting
from geo.tests.factories import CityFactory
from orders.models import DistributionMetric, Order
from orders.tests.factories import HistoryFactory, OrderFactory
from staff.enums import ModerationStatus, Role, ShiftStatus
from staff.models import AuditLog
from staff.tests.factories import MasterFactory

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots")]


def test_masters_are_listed_found_and_opened(telegram: SandboxClient) -> None:
    city = CityFactory()
    for number in range(6):
        MasterFactory(city=city, full_name=f"Дежурный {number}")
    known = MasterFactory(city=city, full_name="Яковлев Пётр", skills=["PLUMBING"], shift_status=ShiftStatus.SHIFT_OFF)
    MasterFactory(city=city, full_name="Заявка", moderation_status=ModerationStatus.PENDING)
    MasterFactory(full_name="Дежурный Чужой")
    OrderFactory(city=city, assigned=True, assigned_master=known)
    boss = member(telegram, Role.CITY_ADMIN, cities=[city])
    boss.chat.presses("Masters")
    listed = boss.chat.sees("Дежурный 4")
    for hidden in ("Чужой", "Заявка", "Яковлев"):
        assert hidden not in listed.text
    boss.chat.presses("▶")
    assert "1/5" in boss.chat.sees("Яковлев Пётр").text
    boss.chat.presses("Skill")
    boss.chat.presses("Plumbing")
    boss.chat.gone("Дежурный")
    boss.chat.presses("On shift")
    boss.chat.sees("no such masters")
    boss.chat.presses("Working")
    boss.chat.sends("яковл")
    boss.chat.presses("Яковлев Пётр")
    card = boss.chat.sees("orders 1 of 5")
    assert "Off shift" in card.text
    boss.chat.presses("📋 Orders")
    boss.chat.presses("Open #")
    boss.chat.sees("🛠 Яковлев Пётр")
    boss.chat.presses("Back")
    boss.chat.sees("Orders › Яковлев Пётр")


def test_block_limit_close(telegram: SandboxClient) -> None:
    city = CityFactory()
    worker = master(telegram, city=city)
    boss = member(telegram, Role.CITY_ADMIN, cities=[city])
    boss.chat.presses("Masters")
    boss.chat.presses(worker.row.full_name)
    boss.chat.presses("Limit")
    boss.chat.sends("21")
    boss.chat.sees("from 0 to 20")
    boss.chat.presses("3")
    boss.chat.sees("orders 0 of 3")
    worker.chat.sees("3")
    boss.chat.presses("⛔ Block")
    boss.chat.sends("я")
    boss.chat.sees("3 to 200 characters")
    boss.chat.presses("Complaints of clients")
    boss.chat.sees("⛔ Complaints of clients")
    worker.chat.sees("Complaints of clients")
    boss.chat.presses("Unblock")
    boss.chat.sees("Complaints of clients")
    boss.chat.presses("Yes, unblock")
    boss.chat.presses("History")
    log = boss.chat.sees("master unblocked")
    assert "master blocked «Complaints of clients»" in log.text
    boss.chat.presses("Back")
    boss.chat.presses("Close the account")
    boss.chat.sends("Переехал в другой <город>")
    boss.chat.sees("account closed")
    worker.row.refresh_from_db()
    assert worker.row.is_deleted
    actions = AuditLog.objects.filter(master=worker.row).order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["limit_master", "block_master", "unblock_master", "delete_master"]


def test_a_logist_looks_but_does_not_touch(telegram: SandboxClient) -> None:
    city = CityFactory()
    row = MasterFactory(city=city, payout_method="SBP", payout_data={"sbp_phone": "+79990001122"})
    strange = MasterFactory()
    clerk = member(telegram, Role.LOGIST, cities=[city])
    clerk.chat.presses("Masters")
    clerk.chat.presses(row.full_name)
    card = clerk.chat.sees("orders 0 of 5")
    assert "Block" not in str(card.buttons)
    assert "999 000-11-22" not in card.text.replace(row.phone or "", "")
    for address in (f"adm:m:blk:{row.pk}", f"adm:m:lim:ok:{row.pk}:1", f"adm:m:del:ok:{row.pk}:left"):
        assert "does not allow" in clerk.chat.presses_data(address, message=card).text
    assert "no such master" in clerk.chat.presses_data(f"adm:m:card:{strange.pk}", message=card).text


def test_settings_are_typed_and_ranged(telegram: SandboxClient) -> None:
    boss = member(telegram, Role.GLOBAL_ADMIN)
    boss.chat.presses("Settings")
    boss.chat.presses("🤖 Dispatch")
    boss.chat.sees("Dispatch: rounds")
    boss.chat.presses_data("adm:set:edit:distribution_rounds")
    boss.chat.sees("from 1 to 20")
    boss.chat.sends("сто")
    boss.chat.sees("a whole number from 1 to 20 is expected")
    boss.chat.sends("3")
    boss.chat.sees("Saved: it holds at once.")
    assert registry.get("distribution_rounds") == 3
    boss.chat.presses_data("adm:set:edit:distribution_rounds")
    boss.chat.presses("Default: 2")
    assert registry.get("distribution_rounds") == 2
    boss.chat.presses_data("adm:set:edit:citywide_fallback")
    boss.chat.presses("No")
    assert registry.get("citywide_fallback") is False
    boss.chat.presses("Back")
    boss.chat.presses("Working day")
    boss.chat.presses_data("adm:set:edit:working_hours_end")
    boss.chat.sends("09:00")
    boss.chat.sees("must begin before it ends")
    assert not Setting.objects.filter(key="working_hours_end").exists()
    row = AuditLog.objects.filter(action="setting_changed").order_by("pk").first()
    assert row is not None
    assert (row.payload_json["changes"], row.admin_id) == ({"distribution_rounds": [None, "3"]}, boss.row.pk)
    admin = member(telegram, Role.CITY_ADMIN)
    assert "Settings" not in str(admin.chat.buttons())
    data = "adm:set:to:citywide_fallback:yes"
    assert "does not allow" in admin.chat.presses_data(data, message=admin.chat.last()).text


def test_statistics_with_a_picture(telegram: SandboxClient) -> None:
    done = OrderFactory(closed=True)
    DistributionMetric.objects.create(
        order=done, master=done.assigned_master, city=done.city, round_number=1, candidates_count=3,
        time_to_assign_seconds=90, metadata_json={"manual": False},
    )  # fmt: skip
    strange = OrderFactory(closed=True)
    boss = member(telegram, Role.CITY_ADMIN, cities=[done.city])
    boss.chat.presses("Statistics")
    shown = boss.chat.sees("Created 1, closed 1, canceled 0")
    assert f"{done.assigned_master}: 1" in shown.text
    assert str(strange.assigned_master) not in shown.text
    boss.chat.presses("Picture")
    picture = boss.chat.sees("🟦 created", media="photo")
    assert picture.content().startswith(b"\x89PNG")
    clerk = member(telegram, Role.LOGIST, cities=[done.city])
    assert "does not allow" in clerk.chat.presses_data("adm:stat", message=clerk.chat.last()).text


def test_the_log_is_of_the_own_cities(telegram: SandboxClient) -> None:
    own, strange = OrderFactory(), OrderFactory()
    for order in (own, strange):
        HistoryFactory(order=order, reason="search_started", actor_type="ADMIN")
    clerk = member(telegram, Role.LOGIST, cities=[own.city])
    clerk.chat.presses("Log")
    log = clerk.chat.sees(f"#{own.pk} ")
    assert f"#{strange.pk} " not in log.text
    clerk.chat.presses("Office")
    clerk.chat.sees(f"#{own.pk} ")
    clerk.chat.presses("Dispatch")
    clerk.chat.sees("Nothing has happened")
    assert "does not allow" in clerk.chat.presses_data("adm:audit", message=clerk.chat.last()).text
    boss = member(telegram, Role.GLOBAL_ADMIN)
    AuditLog.objects.create(admin=boss.row, action="setting_changed", payload_json={"changes": {"x": ["1", "2"]}})
    boss.chat.presses("Log")
    boss.chat.presses("Actions of the office")
    boss.chat.sees("setting changed; x: 1 → 2")
    assert Order.objects.count() == 2
