"""Who gets in: nobody by default."""

from __future__ import annotations

from typing import Any

import pytest

from bots import language
from bots.sandbox import SandboxClient
from bots.tests.e2e.scene import master, member
from finance.tests.factories import CommissionFactory
from orders.tests.factories import OrderFactory
from staff.enums import ModerationStatus, Role, ShiftStatus
from staff.models import AuditLog, Master, StaffUser
from staff.tests.factories import MasterFactory, StaffUserFactory

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots")]


def test_strangers_get_one_friendly_sentence(telegram: SandboxClient) -> None:
    nobody = telegram.person("Nobody", id=42, language="en")
    nobody.chat("master").starts()
    nobody.chat("master").sees("Ask the office for an invitation")
    nobody.chat("admin").starts()
    nobody.chat("admin").sees("Ask an admin for an access code")
    assert not Master.objects.exists()
    assert not StaffUser.objects.exists()


def test_a_stranger_taps_in_vain(telegram: SandboxClient) -> None:
    order = OrderFactory()
    worker = master(telegram, order)
    menu = worker.chat.sees("You are on shift")
    Master.objects.filter(pk=worker.row.pk).update(is_deleted=True)
    answer = worker.chat.presses_data("m:sh:off", message=menu)
    assert answer.alert
    assert "invitation" in answer.text
    worker.row.refresh_from_db()
    assert worker.row.shift_status == ShiftStatus.SHIFT_ON


def test_masters_and_staff_do_not_enter_each_others_bot(telegram: SandboxClient) -> None:
    person = telegram.person("Both", id=MasterFactory().tg_user_id, language="en")
    person.chat("admin").starts()
    person.chat("admin").sees("access code")
    clerk = telegram.person("Clerk", id=StaffUserFactory().tg_user_id, language="en")
    clerk.chat("master").starts()
    clerk.chat("master").sees("invitation")


def test_the_first_admin_comes_from_the_environment(telegram: SandboxClient, configured: Any) -> None:
    configured.GLOBAL_ADMINS_TG_IDS = [777]
    chat = telegram.person("Boss", id=777, language="en").chat("admin")
    chat.sends("hello")
    chat.sees("access code")
    chat.sends("/start")
    chat.sees("Global admin")
    chat.sends("/start")
    chat.sees("Global admin", fresh=True)
    boss = StaffUser.objects.get(tg_user_id=777)
    assert (boss.role, boss.is_active) == (Role.GLOBAL_ADMIN, True)
    assert AuditLog.objects.get().action == "bootstrap_global_admin"
    StaffUser.objects.update(is_active=False)
    chat.sends("/start")
    chat.sees("switched off")  # the list does not bring back who was dismissed


def test_groups_are_ignored(telegram: SandboxClient) -> None:
    person = telegram.person("Ivan", id=MasterFactory().tg_user_id, language="en")
    group = telegram.group(-500, "Workshop", bots=["master"], people=[person]).acts_as(person)
    group.sends("/start")
    telegram.waits_idle("master")
    group.does_not_see("Field Service", within=0.3)


def test_a_storm_of_taps_costs_nothing(telegram: SandboxClient, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = master(telegram)
    menu = worker.chat.sees("You are on shift")
    looked_up = []
    original = language.remember
    monkeypatch.setattr(language, "remember", lambda *args: looked_up.append(1) or original(*args))
    for _ in range(60):
        worker.chat.acts("press", message_id=menu.id, data="m:menu", stale=True)
    telegram.waits_idle("master")
    assert len(looked_up) < 30
    assert len(telegram.calls(method="answerCallbackQuery")) < 30


def test_an_application_in_progress_sees_only_where_it_stands(telegram: SandboxClient) -> None:
    worker = master(telegram, moderation_status=ModerationStatus.PENDING)
    menu = worker.chat.sees("Your application is being checked")
    assert menu.buttons == [["🔄 Refresh"]]
    answer = worker.chat.presses_data("m:sh:on", message=menu)
    assert "not approved" in answer.text


def test_a_blocked_master_reaches_the_commissions_but_no_shift(telegram: SandboxClient) -> None:
    commission = CommissionFactory()
    owner = commission.master
    Master.objects.filter(pk=owner.pk).update(
        is_blocked=True, blocked_reason="commission_overdue", shift_status="SHIFT_OFF"
    )
    chat = telegram.person("Debtor", id=owner.tg_user_id, language="en").chat("master")
    chat.starts()
    menu = chat.sees("You are blocked")
    assert "the commission is overdue" in menu.text
    assert "Start shift" not in str(menu.buttons)
    assert "cannot start a shift" in chat.presses_data("m:sh:on", message=menu).text
    chat.presses("Finance")
    chat.presses(f"Commission #{commission.pk}")
    chat.presses("I paid")
    chat.presses("Yes, I paid")
    chat.sees("the office is checking it")


def test_a_sentence_too_long_for_a_toast_comes_as_a_message(telegram: SandboxClient) -> None:
    worker = master(telegram, shift_status=ShiftStatus.SHIFT_OFF)
    Master.objects.filter(pk=worker.row.pk).update(is_blocked=True, blocked_reason="<late> " + "again " * 32)
    assert worker.chat.presses("Start shift").text == ""
    worker.chat.sees("You cannot start a shift: <late> again")
    worker.chat.sees("You are blocked")


def test_shift_and_break(telegram: SandboxClient) -> None:
    worker = master(telegram, shift_status=ShiftStatus.SHIFT_OFF)
    for button, line in (
        ("Start shift", "You are on shift"),
        ("Break", "How long?"),
        ("15 minutes", "You are on a break until"),
        ("Extend", "How long?"),
        ("2 hours", "You are on a break until"),
        ("Return to shift", "You are on shift"),
        ("End shift", "You are off shift"),
    ):
        worker.chat.presses(button)
        worker.chat.sees(line)
    assert len([m for m in worker.chat.messages() if m.from_bot]) == 1  # one message, edited in place


def test_a_logist_sees_no_money_and_no_other_city(telegram: SandboxClient) -> None:
    commission = CommissionFactory()
    foreign = OrderFactory()
    clerk = member(telegram, Role.LOGIST, cities=[commission.order.city])
    menu = clerk.chat.sees("Logist")
    assert "Commissions" not in str(menu.buttons)
    for address in ("adm:f:aw", f"adm:f:cm:card:{commission.pk}", f"adm:f:cm:approve:{commission.pk}"):
        assert "role does not allow" in clerk.chat.presses_data(address, message=menu).text
    for address in (f"adm:q:card:{foreign.pk}", f"adm:q:asg:{foreign.pk}:1", f"adm:q:again:{foreign.pk}:1:1"):
        answer = clerk.chat.presses_data(address, message=menu)
        assert f"no order #{foreign.pk}" in answer.text
    clerk.chat.does_not_see("Клиент")


def test_a_city_admin_does_not_touch_foreign_money(telegram: SandboxClient) -> None:
    commission, other = CommissionFactory(), CommissionFactory()
    admin = member(telegram, Role.CITY_ADMIN, cities=[other.order.city])
    menu = admin.chat.sees("City admin")
    assert "no commission" in admin.chat.presses_data(f"adm:f:cm:approve:{commission.pk}", message=menu).text
    commission.refresh_from_db()
    assert commission.status == "WAIT_PAY"


def test_unknown_buttons_and_commands_lead_home(telegram: SandboxClient) -> None:
    worker = master(telegram)
    menu = worker.chat.sees("You are on shift")
    for address in ("m:old:thing:1", "adm:menu", "nonsense", "m:act:card:notanumber"):
        assert "out of date" in worker.chat.presses_data(address, message=menu).text
    worker.chat.sends("/unknown")
    worker.chat.sees("Use the buttons, please.")
    worker.chat.sends("/help")
    worker.chat.sees("How it works")


def test_two_languages(telegram: SandboxClient) -> None:
    from django.utils import translation
    from django.utils.translation import gettext

    english = master(telegram, language="en-GB")
    russian = master(telegram, language="ru")
    english.chat.sees("You are on shift: offers come to you.")
    with translation.override("ru"):
        russian.chat.sees(gettext("You are on shift: offers come to you."))
