"""From an invite code to the first shift, through the real bots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bots import fsm
from bots.sandbox import SandboxClient
from bots.tests.e2e.applicants import CARD, NEWCOMER, begin, fill, fill_documents, introduce, newcomer
from bots.tests.e2e.scene import member
from fieldservice.lib.actor import COMMAND_LINE
from fieldservice.runtime import registry
from geo.models import City
from geo.tests.factories import CityFactory
from orders.models import Attachment
from staff.enums import ModerationStatus, Role
from staff.models import Master, MasterDraft, MasterInviteCode
from staff.services import onboarding
from staff.tests.factories import InviteFactory

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots", "applying")]


def test_from_the_code_to_the_shift(telegram: SandboxClient, city: City) -> None:
    boss = member(telegram, Role.CITY_ADMIN, cities=[city])
    invite = InviteFactory(city=None)
    chat = newcomer(telegram)
    chat.starts()
    chat.sees("send the invite code")
    chat.sends("zzzzzz")
    chat.sees("There is no invite code ZZZZZZ")
    chat.sends(invite.code.lower())
    fill(chat, city)
    chat.presses("Send the application")
    chat.sees("Your application is being checked")
    row = Master.objects.get(tg_user_id=NEWCOMER)
    assert (row.full_name, row.phone, row.vehicle_plate) == ("Петрова-Водкина Анна", "+79990001122", "А123ВС777")
    assert (row.city, row.moderation_status, row.is_active) == (city, ModerationStatus.PENDING, False)
    assert [d.name for d in row.districts.all()] == ["Советский"]
    assert row.payout_data == {"card_number": CARD}
    assert row.pdn_accepted_at < row.applied_at
    assert set(Attachment.objects.values_list("document_type", flat=True)) == {"passport", "selfie"}
    assert not MasterDraft.objects.exists()
    assert MasterInviteCode.objects.get().used_by_master == row
    boss.chat.sees("A new application")
    boss.chat.presses("Open the application")
    boss.chat.presses("Documents")
    boss.chat.sees("", media="photo")
    assert boss.chat.presses("Approve").text == "Approved: the master is told."
    chat.sees("Your application is approved")
    chat.presses("Start shift")
    chat.sees("You are on shift")


def test_a_restart_loses_no_answer(
    telegram: SandboxClient, city: City, bots: Any, launch: Callable[..., Any], configured: Any
) -> None:
    chat = begin(telegram)
    fill(chat, city, until="photo of your passport")
    bots.stop()
    fsm.PREFIX += "-gone"  # even without Redis
    launch("master")
    chat.sends_photo()
    chat.sees("Use the buttons, please.")
    chat.sends_photo()
    chat.sees("A selfie")
    assert MasterDraft.objects.get().data["last_name"] == "Петрова-Водкина"


def test_the_city_is_changed_and_the_districts_with_it(telegram: SandboxClient, city: City) -> None:
    CityFactory(name="Курган")  # has no districts
    chat = begin(telegram)
    fill(chat, city)
    for name, lines in (("Курган", "📍 Курган"), ("Казань", "")):
        chat.presses("Change")
        chat.presses("City")
        chat.sends(name)
        chat.presses(name)
        chat.sees(lines, fresh=True)
    chat.sees("Which districts do you serve?")
    chat.presses("Вахитовский")
    chat.presses("Done (1)")
    chat.sees("📍 Казань: Вахитовский")


def test_a_city_without_districts_can_be_applied_from(telegram: SandboxClient) -> None:
    town = CityFactory(name="Курган")
    chat = newcomer(telegram)
    chat.follows(InviteFactory(city=town).code)  # the code is for this city: it is not asked
    introduce(chat)
    chat.sees("Were you invited")
    chat.presses("Skip")
    chat.presses("No")
    chat.presses("Электрика")
    chat.presses("Done")
    chat.sends_photo()
    chat.sends_document(b"%PDF-1.4", "selfie.pdf", mime="application/pdf")
    chat.presses("SBP")
    chat.sends("8 (999) 000-11-22")
    chat.presses("Т-Банк")
    chat.shares_location(55.44, 65.34)
    assert "SBP: +7 999 000-11-22, Т-Банк" in chat.sees("Your application").text
    chat.presses("Change")
    assert "City" not in str(chat.sees("What do you want to change?").buttons)
    chat.presses("Back")
    chat.presses("Send the application")
    chat.sees("is being checked")
    assert Master.objects.get().city == town


def test_wrong_answers_are_told_what_is_expected(telegram: SandboxClient, city: City) -> None:
    chat = begin(telegram)
    chat.sends("yes")
    chat.sees("Use the buttons below, please.")
    chat.presses("I agree")
    for wrong, sentence in (("--", "Cyrillic letters"), ("Smith", "Cyrillic letters")):
        chat.sends(wrong)
        chat.sees(sentence)
    chat.sends_sticker()
    chat.sees("A text is expected here.")
    chat.sends("Ли")
    chat.sees("first name")
    chat.sends("Анна")
    chat.sees("patronymic")
    chat.sends_photo()  # v1.2 took a photo for «no patronymic»
    assert "Your patronymic?" in chat.sees("A text is expected here.", fresh=True).text
    chat.presses("Skip")
    chat.shares_contact("+79995556677", name="Petr")
    chat.sees("somebody else's number")
    chat.sends("9991112233 later")
    chat.sees("must be a Russian number")
    chat.presses("Send my number")
    chat.sends("NOSUCH00")
    chat.sees("There is no such referral code")
    chat.presses("Skip")
    chat.sends("к_зан%")
    chat.sends("Нью-Васюки")
    chat.sees("There is no such city in our list")
    chat.presses("All cities")
    chat.presses(city.name)
    assert "at least one" in chat.presses("Done (0)").text
    chat.presses("Советский")
    chat.presses("Done (1)")
    chat.presses("No")
    chat.presses("Электрика")
    chat.presses("Done (1)")
    for sentence, act in (
        ("passport is expected here", lambda: chat.sends_video()),
        ("passport is expected here", lambda: chat.sends("here it is")),
        (
            "Only photos, pictures and PDF",
            lambda: chat.sends_document(b"MZ", "act.exe", mime="application/x-msdownload"),
        ),
        ("larger than 20 MB", lambda: chat.sends_document(b"x", "big.pdf", mime="application/pdf", size=30_000_000)),
    ):
        act()
        chat.sees(sentence)


def test_an_album_is_one_document(telegram: SandboxClient, city: City) -> None:
    chat = begin(telegram)
    fill(chat, city, until="photo of your passport")
    chat.sends_album(3)
    telegram.waits_idle("master")
    chat.sees("A selfie")
    chat.does_not_see("How shall we pay you")  # the second page is no selfie
    chat.sends_album(2)
    chat.sees("How shall we pay you")
    telegram.waits_idle("master")
    data = MasterDraft.objects.get().data
    assert (len(data["passport"]), len(data["selfie"])) == (3, 2)


def test_ten_wrong_pictures_are_one_mistake(telegram: SandboxClient, city: City) -> None:
    chat = begin(telegram)
    fill(chat, city, until="photo of your passport")
    before = len(chat.messages())
    chat.sends_album([{"kind": "video"}, {"kind": "video"}, {"kind": "video"}])
    chat.sees("passport is expected here")
    telegram.waits_idle("master")
    assert len(chat.messages()) == before + 3 + 1
    chat.sends_album([{"kind": "photo"}, {"kind": "video"}, {"kind": "photo"}])
    chat.sees("A selfie")
    telegram.waits_idle("master")
    assert len(MasterDraft.objects.get().data["passport"]) == 2


def test_cancel_keeps_the_answers(telegram: SandboxClient, city: City) -> None:
    chat = begin(telegram)
    fill(chat, city, until="phone")
    chat.sends("/cancel")
    chat.sees("Your answers are kept for 30 days.")
    assert chat.keyboard() == []
    chat.presses("Go on")
    chat.sees("Your phone?")
    chat.sends("/cancel")
    chat.presses("Delete my answers")
    chat.presses("Yes, delete")
    chat.sees("send the invite code")
    assert not MasterDraft.objects.exists()


def test_old_buttons_change_nothing(telegram: SandboxClient, city: City) -> None:
    chat = begin(telegram)
    consent = chat.sees("Consent")
    fill(chat, city, until="photo of your passport")
    for address in ("m:onb:city:1", "m:onb:set:vehicle:no", f"m:onb:tick:districts:{city.district_set.first().pk}:1",
                    "m:onb:done:skills", "m:onb:edit:phone", "m:onb:set:phone:x", "m:onb:send"):  # fmt: skip
        assert chat.presses_data(address, message=consent).text
    chat.presses_data("m:onb:no", message=consent)
    chat.sees("photo of your passport")
    data = MasterDraft.objects.get().data
    assert (data["vehicle"], data["city"]) == (True, city.pk)


def test_consent_refused_nothing_kept(telegram: SandboxClient) -> None:
    chat = begin(telegram)
    chat.presses("I do not agree")
    chat.sees("Nothing was kept")
    assert not MasterDraft.objects.exists()
    chat.presses("Start over")
    chat.sees("send the invite code")


def test_the_bar_grows_to_the_summary(telegram: SandboxClient, city: City) -> None:
    chat = begin(telegram)
    first = chat.sees("step 1 of 16").text
    fill(chat, city, until="photo of your passport")
    middle = chat.sees("step 11 of 16").text
    fill_documents(chat)
    last = chat.sees("step 16 of 16").text
    assert [text.count("▰") for text in (first, middle, last)] == [0, 6, 10]


def test_the_consent_names_what_is_kept(telegram: SandboxClient) -> None:
    registry.write("company_name", "ООО Ремонт", actor=COMMAND_LINE)
    chat = begin(telegram)
    text = chat.sees("Consent").text
    for word in (
        "ООО Ремонт",
        "passport",
        "selfie",
        "phone",
        "orders",
        "commissions",
        "How long",
        "take the consent back",
    ):
        assert word in text
    chat.presses("I agree")
    chat.sees("surname")
    consent = MasterDraft.objects.get().data["consent"]
    assert consent["version"] == onboarding.CONSENT
    assert consent["at"]


def test_nothing_of_an_application_reaches_a_log(
    telegram: SandboxClient, city: City, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    chat = begin(telegram)
    fill(chat, city)
    chat.presses("Send the application")
    chat.sees("is being checked")
    logged = " ".join(
        str(record.__dict__) for record in caplog.records if record.name.startswith(("bots", "staff", "finance"))
    )
    for secret in ("Водкина", "9990001122", "4111", "А123ВС777", "petrova"):
        assert secret not in logged


def test_help_before_the_code_does_not_swallow_it(telegram: SandboxClient) -> None:
    for id, steps in ((4201, ("/start", "/help")), (4202, ("/help",))):
        chat = newcomer(telegram, id=id)
        for step in steps:
            chat.sends(step)
            chat.sees("How it works" if step == "/help" else "send the invite code", fresh=True)
        chat.sends(InviteFactory().code)
        chat.sees("Consent to the processing")


def test_help_keeps_the_keyboard_of_a_question(telegram: SandboxClient, city: City) -> None:
    chat = begin(telegram)
    fill(chat, city, until="phone")
    chat.sends("/help")
    chat.sees("How it works", fresh=True)
    chat.presses("Send my number")
    chat.sees("Were you invited")


def test_a_question_with_keys_has_a_way_back_when_it_is_changed(telegram: SandboxClient, city: City) -> None:
    chat = begin(telegram)
    fill(chat, city)
    before = MasterDraft.objects.get().data
    for button, question in (("Phone", "Your phone?"), ("Home", "Where do you start from?")):
        chat.presses("Change")
        chat.presses(button)
        chat.sees(question, fresh=True)
        assert chat.keyboard()[-1] == ["↩️ Leave as it is"]
        chat.presses("Leave as it is")
        chat.sees("Your application", fresh=True)
        assert chat.keyboard() == []
    assert MasterDraft.objects.get().data == before
