"""The profile: seen and changed by the master; new skills are checked by the office."""

from __future__ import annotations

import re

import pytest

from bots.sandbox import SandboxClient
from bots.tests.e2e.scene import eventually, master, member
from geo.tests.factories import DistrictFactory
from staff.enums import PayoutMethod, Role
from staff.models import AuditLog, Master
from staff.tests.factories import SkillFactory

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots", "applying")]


def test_it_shows_what_the_company_knows(telegram: SandboxClient) -> None:
    district = DistrictFactory()
    worker = master(
        telegram, districts=[district], has_vehicle=True, vehicle_plate="А123ВС777", max_active_orders_override=3,
        payout_method=PayoutMethod.CARD, payout_data={"card_number": "4111 1111 1111 1111"},
    )  # fmt: skip
    worker.chat.presses("Profile")
    shown = worker.chat.sees("Menu › Profile").text
    for fact in (worker.row.full_name, "+7 999 000", district.name, "Электрика", "А123ВС777", "**** 1111", "up to 3"):
        assert fact in shown
    assert "4111" not in shown


def test_phone_vehicle_and_payout_count_at_once(telegram: SandboxClient) -> None:
    worker = master(telegram)
    chat = worker.chat
    chat.presses("Profile")
    chat.presses("📱 Phone")
    chat.sends("12345")
    chat.sees("must be a Russian number")
    chat.sends("8 999 555-44-33")
    chat.sees("+7 999 555-44-33")
    chat.presses("Vehicle")
    chat.presses("Yes")
    chat.sends("<b>")
    chat.sees("5 to 12 letters and digits")
    chat.sends("В 777 ОР 99")
    chat.sees("В777ОР99")
    chat.presses("Payout")
    chat.presses("SBP")
    chat.sends("+7 999 555-44-33")
    chat.presses("Т-Банк")
    chat.sees("SBP: +7 999 555-44-33, Т-Банк")
    chat.presses("Payout")
    chat.presses("Cash")
    chat.sees("💳 Cash")
    worker.row.refresh_from_db()
    assert (worker.row.phone, worker.row.vehicle_plate) == ("+79995554433", "В777ОР99")
    assert (worker.row.has_vehicle, worker.row.payout_method, worker.row.payout_data) == (True, "CASH", {})
    assert AuditLog.objects.filter(master=worker.row).count() == 4


def test_an_account_is_taken_as_its_prompt_asks_for_it(telegram: SandboxClient) -> None:
    """v1.2 asked for account and BIC and refused them."""
    worker = master(telegram)
    worker.chat.presses("Profile")
    worker.chat.presses("Payout")
    worker.chat.presses("Bank account")
    prompt = worker.chat.sees("digits", fresh=True).text
    account, bic = ("4070281090000001234567"[: int(number)] for number in re.findall(r"\((\d+) digits\)", prompt))
    assert "separated by a space" in prompt
    worker.chat.sends(f"{account} {bic}")
    worker.chat.sees("Menu › Profile", fresh=True)
    assert Master.objects.get().payout_data == {"account_number": account, "bic": bic}


def test_cancel_leaves_the_phone_and_the_keyboard_goes(telegram: SandboxClient) -> None:
    worker = master(telegram)
    worker.chat.presses("Profile")
    worker.chat.presses("📱 Phone")
    worker.chat.sees("Your new phone?")
    worker.chat.presses("Cancel")
    worker.chat.sees("Menu › Profile", fresh=True)
    assert worker.chat.keyboard() == []
    phone = worker.row.phone
    worker.row.refresh_from_db()
    assert worker.row.phone == phone


def test_districts_are_ticked(telegram: SandboxClient) -> None:
    first = DistrictFactory()
    second = DistrictFactory(city=first.city)
    foreign = DistrictFactory()
    worker = master(telegram, districts=[first])
    worker.chat.presses("Profile")
    worker.chat.presses("Districts")
    worker.chat.presses(first.name)
    assert "at least one" in worker.chat.presses("Done (0)").text
    worker.chat.presses("Districts")
    worker.chat.presses(second.name)
    worker.chat.presses("Done (2)")
    worker.chat.sees(second.name)
    assert set(worker.row.districts.all()) == {first, second}
    menu = worker.chat.sees("Menu › Profile")
    worker.chat.presses_data(f"m:pf:tick:districts:{foreign.pk}:1", message=menu)
    assert "not offered" in worker.chat.presses_data("m:pf:ok:districts", message=menu).text
    assert set(worker.row.districts.all()) == {first, second}


def test_new_skills_are_checked_and_told(telegram: SandboxClient) -> None:
    SkillFactory(code="PLUMBING", name="Сантехника")
    worker = master(telegram)
    boss, other = (member(telegram, Role.CITY_ADMIN, cities=[worker.row.city]) for _ in range(2))
    worker.chat.presses("Profile")
    worker.chat.presses("Skills")
    worker.chat.presses("Сантехника")
    assert "checks the new skills" in worker.chat.presses("Done (2)").text
    worker.chat.sees("Being checked by the office: Сантехника")
    assert [skill.code for skill in worker.row.skills.all()] == ["ELECTRICS"]
    boss.chat.sees("asks for more skills")
    assert boss.chat.presses("Grant the skills").text == "Decided: the master is told."
    other.chat.sees("the skills were decided")
    worker.chat.sees("You have got new skills:")
    assert {skill.code for skill in worker.row.skills.all()} == {"ELECTRICS", "PLUMBING"}
    worker.chat.sends("/menu")
    worker.chat.presses("Profile")
    worker.chat.presses("Skills")
    worker.chat.presses("Сантехника")
    worker.chat.presses("Done (1)")
    eventually(lambda: [skill.code for skill in worker.row.skills.all()] == ["ELECTRICS"])  # leaving out needs nobody


def test_the_last_approved_skill_stays(telegram: SandboxClient) -> None:
    SkillFactory(code="PLUMBING", name="Сантехника")
    worker = master(telegram)
    worker.chat.presses("Profile")
    worker.chat.presses("Skills")
    worker.chat.presses("Электрика")
    worker.chat.presses("Сантехника")
    assert "Keep at least one" in worker.chat.presses("Done (1)").text
    assert [skill.code for skill in worker.row.skills.all()] == ["ELECTRICS"]


def test_help_leads_everywhere(telegram: SandboxClient) -> None:
    worker = master(telegram)
    worker.chat.presses("Help")
    worker.chat.sees("within 3 hours")
    worker.chat.presses("Menu")
    worker.chat.sees("You are on shift", fresh=True)
    stranger = telegram.person("Nobody", id=4242, language="en").chat("master")
    stranger.sends("/help")
    stranger.sees("With an invite code of the office you apply right here")
