"""Applications between masters and staff: who decides, who hears of it, who comes back."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.utils import timezone

from bots import guesses
from bots.sandbox import SandboxClient
from bots.tests.e2e.applicants import NEWCOMER, begin, fill, fill_rest, introduce, newcomer
from bots.tests.e2e.scene import master, member, outbox_is_empty
from fieldservice.lib.actor import COMMAND_LINE
from finance.models import Referral
from geo.models import City
from geo.tests.factories import CityFactory
from orders.models import Attachment
from staff.enums import ModerationStatus, Role
from staff.models import AuditLog, Master, MasterDraft, MasterInviteCode
from staff.services import applications, moderation
from staff.tests.factories import InviteFactory

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots", "applying")]


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


def test_one_code_lets_one_person_in(telegram: SandboxClient, city: City) -> None:
    invite = InviteFactory()
    first, second = newcomer(telegram), newcomer(telegram, id=4002)
    for chat in (first, second):
        chat.follows(invite.code)
        fill(chat, city)
    first.presses("Send the application")
    first.sees("is being checked")
    second.presses("Send the application")
    second.sees("has been used. Ask the office for a new one.")
    second.sends(InviteFactory().code)  # a new code, the same answers
    second.sees("Your application")
    second.presses("Send the application")
    second.sees("is being checked")


def test_a_nameless_row_of_the_old_system_is_no_way_around_the_code(telegram: SandboxClient) -> None:
    Master.objects.create(tg_user_id=NEWCOMER, full_name="", is_active=False)
    chat = newcomer(telegram)
    chat.starts()
    asked = chat.sees("send the invite code")
    assert "nothing to apply for again" in chat.presses_data("m:onb:again", message=asked).text
    assert not MasterDraft.objects.exists()
    chat.sends(InviteFactory().code)
    chat.sees("Consent to the processing")


def test_an_old_name_with_brackets_opens_with_its_documents(telegram: SandboxClient, city: City) -> None:
    boss = member(telegram)
    chat = begin(telegram)
    fill(chat, city)
    chat.presses("Send the application")
    chat.sees("is being checked")
    Master.objects.update(full_name="Иванов <b>Иван")
    boss.chat.presses("Open the application")
    boss.chat.presses("Documents")
    boss.chat.sees("Иванов <b>Иван", media="photo")
    assert AuditLog.objects.get(action="documents_viewed").admin_id == boss.row.pk


def test_codes_cannot_be_guessed(telegram: SandboxClient) -> None:
    invite = InviteFactory()
    chat = newcomer(telegram, id=4999)
    chat.starts()
    chat.sees("send the invite code")
    for n in range(10):
        chat.sends(f"ZZZZ{n:02d}")
        chat.sees(f"There is no invite code ZZZZ{n:02d}")
    chat.sends(invite.code)
    chat.sees("Too many wrong codes")
    assert not MasterDraft.objects.exists()
    cache.delete(guesses._key(4999))  # an hour later
    chat.sends(invite.code)
    chat.sees("Consent to the processing")


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
    applications.reject(master_id=referral.master_id, reason="Нет фото", actor=COMMAND_LINE, now=timezone.now())
    chat.sees("was rejected")
    chat.presses("Apply again")
    chat.presses("Send the application")
    chat.sees("is being checked", fresh=True)
    outbox_is_empty()
    assert len([m for m in inviter.chat.messages() if "with your referral code" in m.text]) == 1
    assert Referral.objects.get() == referral


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


def test_a_city_to_invite_for_is_found_by_a_part_of_its_name(telegram: SandboxClient) -> None:
    boss = member(telegram)
    for number in range(12):
        CityFactory(name=f"Ариево-{number:02d}")
    moscow, far = CityFactory(name="Москва"), CityFactory(name="Яхрома")
    boss.chat.presses("Applications")
    boss.chat.presses("Invite a master")
    boss.chat.sees("type a part of a name")
    boss.chat.sends_sticker()
    boss.chat.sees("There is no such city", fresh=True)
    boss.chat.sends("ариево")
    assert "Any city" not in str(boss.chat.sees("For which city?", fresh=True).buttons)
    boss.chat.presses("▶")
    assert boss.chat.sees("Page 2 of 2").buttons[0] == ["Ариево-10", "Ариево-11"]
    boss.chat.presses("All cities")
    boss.chat.presses("▶")
    boss.chat.presses(far.name)
    boss.chat.sees("Invite code")
    boss.chat.presses("One more")
    boss.chat.sends("москва")
    boss.chat.sees("Invite code", fresh=True)
    assert [row.city for row in MasterInviteCode.objects.order_by("pk")] == [far, moscow]


def test_a_reason_typed_after_somebody_elses_decision_ends_the_question(telegram: SandboxClient, city: City) -> None:
    boss = member(telegram)
    chat = begin(telegram)
    fill(chat, city)
    chat.presses("Send the application")
    boss.chat.presses("Reject")
    boss.chat.sees("Why do you reject")
    row = Master.objects.get()
    applications.approve(master_id=row.pk, actor=COMMAND_LINE, now=timezone.now(), version=row.version)
    boss.chat.sends("Фамилия с ошибкой")
    shown = boss.chat.sees("decided already", fresh=True)
    assert "Why do you reject" not in shown.text
    assert row.full_name in shown.text
    boss.chat.sends("Фамилия с ошибкой")
    boss.chat.sees("Use the buttons, please.", fresh=True)  # nothing is asked any more
    row.refresh_from_db()
    assert row.moderation_status == ModerationStatus.APPROVED
