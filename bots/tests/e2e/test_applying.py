"""From an invite code to the first shift, through the real bots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from bots import fsm
from bots.master.apply import entry
from bots.sandbox import SandboxClient
from bots.sandbox.client import ChatClient
from bots.tests.e2e.scene import master, member, outbox_is_empty
from bots.throttle import Throttle
from fieldservice.lib.actor import COMMAND_LINE
from finance.models import Referral
from geo.models import City
from geo.tests.factories import CityFactory, DistrictFactory
from orders.models import Attachment
from staff.enums import ModerationStatus, Role
from staff.models import Master, MasterDraft, MasterInviteCode, Skill
from staff.services import moderation
from staff.tests.factories import InviteFactory

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots")]
NEWCOMER = 4001
CARD = "4111 1111 1111 1111"


@pytest.fixture(autouse=True)
def nobody_is_too_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form is filled in here in a second."""
    monkeypatch.setattr(Throttle, "allows", lambda *args: True)


@pytest.fixture(autouse=True)
def skill(transactional_db: None) -> None:
    """Other tests leave the table of skills empty."""
    Skill.objects.update_or_create(code="ELECTRICS", defaults={"name": "Электрика"})


@pytest.fixture
def city() -> City:
    city = CityFactory(name="Казань")
    for name in ("Вахитовский", "Советский"):
        DistrictFactory(city=city, name=name)
    return city


def newcomer(telegram: SandboxClient, *, language: str = "en", id: int = NEWCOMER) -> ChatClient:
    person = telegram.person("Newcomer", id=id, language=language, username="newcomer", phone="+79990001122")
    return person.chat("master")


def begin(telegram: SandboxClient, **fields: Any) -> ChatClient:
    """A newcomer at the first question, by a deep link."""
    chat = newcomer(telegram, **fields)
    chat.follows(InviteFactory().code)
    chat.sees("Consent to the processing")
    return chat


def fill(chat: ChatClient, city: City, *, until: str = "summary") -> None:
    """Answer every question, up to the one named."""
    steps = {
        "consent": lambda: chat.presses("I agree"),
        "surname": lambda: chat.sends("петрова-водкина"),
        "first name": lambda: chat.sends("Анна"),
        "patronymic": lambda: chat.presses("Skip"),
        "phone": lambda: chat.presses("Send my number"),
        "invited by": lambda: chat.presses("Skip"),
        "Your city": lambda: (chat.sends("казн"), chat.presses(city.name)),
        "districts": lambda: (chat.presses("Советский"), chat.presses("Done")),
        "have a vehicle": lambda: chat.presses("Yes"),
        "licence plate": lambda: chat.sends("а 123 вс 777"),
        "What can you do": lambda: (chat.presses("Электрика"), chat.presses("Done")),
        "photo of your passport": lambda: chat.sends_photo(),
        "A selfie": lambda: chat.sends_photo(),
        "pay you": lambda: chat.presses("Card"),
        "Payout details": lambda: chat.sends(CARD),
        "start from": lambda: chat.presses("Skip"),
        "summary": lambda: None,
    }
    for question, act in steps.items():
        chat.sees("Your application" if question == "summary" else question)
        if question == until:
            return
        act()


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


def test_rejected_corrected_sent_again(telegram: SandboxClient, city: City) -> None:
    boss, other = (member(telegram, Role.GLOBAL_ADMIN) for _ in range(2))
    chat = begin(telegram)
    fill(chat, city)
    chat.presses("Send the application")
    boss.chat.presses("Reject")
    boss.chat.sees("Why do you reject")
    boss.chat.sends("x")
    boss.chat.sees("3 to 200 characters")
    boss.chat.sends("Фамилия с ошибкой")
    boss.chat.sees("Rejected: the master is told why.")
    other.chat.sees("Application: Rejected")  # nobody else decides it once more
    assert "Approve" not in str(other.chat.sees("Application: Rejected").buttons)
    told = chat.sees("Your application was rejected")
    assert "Фамилия с ошибкой" in told.text
    chat.sends("/start")
    assert "Фамилия с ошибкой" in chat.sees("Correct it and apply again", fresh=True).text
    chat.presses("Apply again")
    chat.sees("Your application", fresh=True)  # filled in, documents included
    chat.presses("Change")
    chat.presses("Surname")
    chat.sends("Петрова")
    chat.presses("Send the application")
    chat.sees("is being checked", fresh=True)
    row = Master.objects.get()
    assert (row.full_name, row.moderation_reason) == ("Петрова Анна", None)
    assert Attachment.objects.count() == 2
    boss.chat.sees("A new application", fresh=True)
    boss.chat.presses("Approve")
    chat.sees("Your application is approved")


def test_a_closed_account_applies_again_and_is_whole_after_approval(telegram: SandboxClient, city: City) -> None:
    boss = member(telegram)
    chat = begin(telegram)
    fill(chat, city)
    chat.presses("Send the application")
    boss.chat.presses("Approve")
    chat.sees("Your application is approved")
    row = Master.objects.get()
    moderation.block(master_id=row.pk, reason="Грубил", actor=COMMAND_LINE, now=timezone.now())
    moderation.close_account(master_id=row.pk, reason="Уволен", actor=COMMAND_LINE)
    chat.sees("Your account is closed")
    chat.presses("Apply again")
    chat.presses("Send the application")
    chat.sees("is being checked")
    boss.chat.sees("A new application", fresh=True)
    boss.chat.presses("Approve")
    chat.sees("Your application is approved", fresh=True)
    row.refresh_from_db()
    assert (row.is_deleted, row.is_blocked, row.is_active, row.verified) == (False, False, True, True)
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


def test_one_code_lets_one_person_in(telegram: SandboxClient, city: City) -> None:
    invite = InviteFactory()
    first, second = newcomer(telegram), newcomer(telegram, id=4002)
    for chat in (first, second):
        chat.follows(invite.code)
        fill(chat, city)
    first.presses("Send the application")
    first.sees("is being checked")
    assert "has been used" in second.presses("Send the application").text
    second.sees("Your application")  # nothing is lost
    second.follows(InviteFactory().code)  # a new code, the same answers
    second.presses("Send the application")
    second.sees("is being checked")


def test_codes_cannot_be_guessed(telegram: SandboxClient) -> None:
    invite = InviteFactory()
    chat = newcomer(telegram, id=4999)
    chat.starts()
    for n in range(10):
        chat.sends(f"ZZZZ{n:02d}")
        chat.sees(f"There is no invite code ZZZZ{n:02d}")
    chat.sends(invite.code)
    chat.sees("Too many wrong codes")
    cache.delete(entry._key(4999))


def test_consent_refused_nothing_kept(telegram: SandboxClient) -> None:
    chat = begin(telegram)
    chat.presses("I do not agree")
    chat.sees("Nothing was kept")
    assert not MasterDraft.objects.exists()
    chat.presses("Start over")
    chat.sees("send the invite code")


def test_who_is_being_checked_cannot_send_again(telegram: SandboxClient, city: City) -> None:
    chat = begin(telegram)
    fill(chat, city)
    form = chat.sees("Your application")
    chat.presses("Send the application")
    chat.sees("is being checked")
    for address in ("m:onb:send", "m:onb:again", "m:onb:edit:phone"):
        assert "applied already" in chat.presses_data(address, message=form).text
    chat.follows(InviteFactory(code="BB0000").code)
    chat.sees("is being checked", fresh=True)
    assert MasterInviteCode.objects.get(code="BB0000").used_at is None
    chat.presses_data("m:sh:on", message=form)
    assert "not approved yet" in chat.toast()


def test_an_inviter_hears_of_it_once(telegram: SandboxClient, city: City) -> None:
    inviter = master(telegram, city=city, referral_code="ABCD1234")
    chat = newcomer(telegram)
    chat.follows("ABCD1234")  # the link of an inviter; a code of the office is needed besides
    chat.sees("send the invite code")
    chat.sends(InviteFactory().code)
    introduce(chat)
    chat.sees("Your city?")  # the referral code is known
    fill_rest(chat, city)
    assert f"Invited by {inviter.row.full_name}" in chat.sees("Your application").text
    chat.presses("Send the application")
    inviter.chat.sees("Иванов Иван has applied with your referral code.")
    referral = Referral.objects.get()
    assert (referral.referrer, referral.master.referred_by_master) == (inviter.row, inviter.row)


def test_staff_of_other_cities_neither_hear_nor_decide(telegram: SandboxClient, city: City) -> None:
    stranger = member(telegram, Role.CITY_ADMIN, cities=[CityFactory()])
    clerk = member(telegram, Role.LOGIST, cities=[city])
    chat = begin(telegram)
    fill(chat, city)
    chat.presses("Send the application")
    chat.sees("is being checked")
    outbox_is_empty()
    row = Master.objects.get()
    for person in (stranger, clerk):
        person.chat.does_not_see("A new application")
        menu = person.chat.sees("Field Service")
        for address in (f"adm:mod:card:{row.pk}", f"adm:mod:docs:{row.pk}", f"adm:mod:ok:{row.pk}:1"):
            assert person.chat.presses_data(address, message=menu).alert
    row.refresh_from_db()
    assert row.moderation_status == ModerationStatus.PENDING


def test_staff_invite_for_their_cities(telegram: SandboxClient, city: City) -> None:
    CityFactory(name="Чужой")
    boss = member(telegram, Role.CITY_ADMIN, cities=[city])
    boss.chat.presses("Applications")
    boss.chat.sees("No application waits")
    boss.chat.presses("Invite a master")
    assert "Чужой" not in str(boss.chat.sees("For which city?").buttons)
    boss.chat.presses(city.name)
    shown = boss.chat.sees("Invite code")
    link = shown.button("Link")["value"]
    assert link.startswith("https://t.me/")
    chat = newcomer(telegram)
    chat.follows(link.partition("start=")[2])
    chat.sees("Consent")
    assert MasterDraft.objects.get().data["city"] == city.pk


def introduce(chat: ChatClient) -> None:
    chat.presses("I agree")
    for question, answer in (
        ("surname", "Иванов"), ("first name", "Иван"), ("patronymic", "-"), ("Your phone", "+7 999 000-11-22")
    ):  # fmt: skip
        chat.sees(question)
        chat.sends(answer)


def fill_rest(chat: ChatClient, city: City) -> None:
    chat.sends(city.name)
    chat.presses(city.name)
    chat.presses("Советский")
    chat.presses("Done (1)")
    chat.presses("No")
    chat.presses("Электрика")
    chat.presses("Done (1)")
    chat.sends_photo()
    chat.sees("A selfie")
    chat.sends_photo()
    chat.presses("Cash")
    chat.presses("Skip")
