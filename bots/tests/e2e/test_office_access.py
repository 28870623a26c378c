"""The admin bot: how people come in, and how their access changes while they work."""

from __future__ import annotations

import pytest

from bots import guesses
from bots.sandbox import SandboxClient
from bots.tests.e2e.scene import member
from geo.tests.factories import CityFactory
from orders.tests.factories import OrderFactory
from staff.enums import Role
from staff.models import StaffAccessCode, StaffUser

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots")]


def test_a_code_from_the_link_to_the_menu(telegram: SandboxClient) -> None:
    city = CityFactory(name="Казань")
    CityFactory(name="Пермь")
    boss = member(telegram, Role.GLOBAL_ADMIN)
    boss.chat.presses("Staff")
    boss.chat.presses("New access code")
    boss.chat.presses("Logist")
    boss.chat.sees("which cities?")
    boss.chat.presses("Done")
    assert "at least one city" in boss.chat.toast()
    boss.chat.sends("каз")
    boss.chat.sees("☑️ Казань")
    boss.chat.presses("Done (1)")
    issued = boss.chat.sees("Access code: ")
    code = StaffAccessCode.objects.get()
    assert code.code in issued.text
    assert issued.button("Link")["value"].endswith(f"?start={code.code}")

    chat = telegram.person("Анна", id=4242, language="en").chat("admin")
    chat.follows(code.code)
    chat.sees("Consent to the processing")
    chat.sends("да")
    chat.sees("Press «I agree»")
    chat.presses("I agree")
    chat.sees("What is your name?")
    chat.sends("1")
    chat.sees("2 to 100 letters")
    chat.sends("Петрова Анна")
    chat.sees("Your phone?")
    chat.sends("12")
    chat.sees("11 digits")
    chat.shares_contact()
    chat.sees("Is everything right?")
    chat.presses("Everything is right")
    chat.sees("You are a staff member now.")
    chat.presses("Menu")
    chat.sees("Logist")
    row = StaffUser.objects.get(tg_user_id=4242)
    assert (row.full_name, row.role, [c.pk for c in row.cities.all()]) == ("Петрова Анна", Role.LOGIST, [city.pk])
    boss.chat.presses("Back")
    assert "Used by Петрова Анна" in boss.chat.sees("Access codes").text
    late = telegram.person("Late", id=4243, language="en").chat("admin")
    late.follows(code.code)
    late.sees("has been used")


def test_a_code_revoked_in_the_middle(telegram: SandboxClient) -> None:
    code = StaffAccessCode.objects.create(code="ABCD2345", role=Role.GLOBAL_ADMIN)
    boss = member(telegram, Role.GLOBAL_ADMIN)
    chat = telegram.person("Анна", id=4244, language="en").chat("admin")
    chat.starts()
    chat.sees("type it here")
    chat.sends("ABCD9999")
    chat.sees("There is no such access code")
    chat.sends("abcd2345")
    chat.presses("I agree")
    chat.sends("Анна Петрова")
    chat.sends("89990001122")
    chat.sees("Is everything right?")
    boss.chat.presses("Staff")
    boss.chat.presses("🎟 Codes")
    boss.chat.presses(f"Open code #{code.pk}")
    boss.chat.presses("Revoke")
    assert "revoked" in boss.chat.toast()
    chat.presses("Everything is right")
    chat.sees("was revoked")
    assert not StaffUser.objects.filter(tg_user_id=4244).exists()


def test_codes_cannot_be_guessed(telegram: SandboxClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "TRIES", 2)
    StaffAccessCode.objects.create(code="ABCD2346", role=Role.GLOBAL_ADMIN)
    chat = telegram.person("Guesser", id=4245, language="en").chat("admin")
    chat.starts()
    for text in ("AAAAAAAA", "BBBBBBBB"):
        chat.sends(text)
        chat.sees("no such access code", fresh=True)
    chat.sends("ABCD2346")
    chat.sees("Too many wrong codes")


def test_another_role_holds_from_the_next_tap(telegram: SandboxClient) -> None:
    order = OrderFactory()
    boss = member(telegram, Role.GLOBAL_ADMIN)
    clerk = member(telegram, Role.LOGIST, cities=[order.city])
    assert "Commissions" not in str(clerk.chat.buttons())
    boss.chat.presses("Staff")
    boss.chat.presses("Logist (1)")
    boss.chat.presses(clerk.row.full_name)
    boss.chat.presses("Role")
    boss.chat.presses("City admin")
    boss.chat.presses("Done (1)")
    boss.chat.sees("City admin")
    clerk.chat.sees("Your access has changed.")
    clerk.chat.presses("Menu")
    assert "Commissions" in str(clerk.chat.buttons())
    boss.chat.presses("Switch off")
    boss.chat.presses("Yes, switch off")
    boss.chat.sees("switched off")
    assert "switched off" in clerk.chat.presses("Orders").text
    boss.chat.presses("Switch on")
    clerk.chat.sees("Your access has changed.", fresh=True)
    clerk.chat.presses("Orders")
    clerk.chat.sees("All orders of your cities.")


def test_the_last_global_admin_stays(telegram: SandboxClient) -> None:
    boss = member(telegram, Role.GLOBAL_ADMIN)
    city = CityFactory()
    boss.chat.presses("Staff")
    boss.chat.presses("Global admin (1)")
    boss.chat.presses(boss.row.full_name)
    assert "Switch off" not in str(boss.chat.buttons())
    boss.chat.presses("Role")
    boss.chat.presses("Logist")
    boss.chat.presses(city.name)
    boss.chat.presses("Done (1)")
    assert "last global admin" in boss.chat.toast()
    boss.row.refresh_from_db()
    assert boss.row.role == Role.GLOBAL_ADMIN


def test_guests_reach_nothing(telegram: SandboxClient) -> None:
    order = OrderFactory()
    chat = telegram.person("Nobody", id=4246, language="en").chat("admin")
    chat.starts()
    screen = chat.sees("access code")
    for address in ("adm:menu", "adm:q", f"adm:q:card:{order.pk}", "adm:new", "adm:st", "adm:web", "adm:join:ok"):
        chat.presses_data(address, message=screen)
        chat.does_not_see(order.client_phone or "")
        chat.sees("type it here")
    chat.sends("/help")
    chat.sees("type it here")


def test_the_way_into_the_web_admin(telegram: SandboxClient) -> None:
    clerk = member(telegram, Role.LOGIST)
    clerk.chat.presses("Web admin")
    shown = clerk.chat.sees("signs you in once, within 60 seconds")
    assert "/login/" in shown.text
    assert shown.button("Link")["value"] in shown.text
