"""Codes, drafts, decisions: what holds without any bot."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from fieldservice.lib.actor import COMMAND_LINE, Actor
from fieldservice.lib.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, StaleError
from fieldservice.outbox.models import Notification
from geo.tests.factories import CityFactory
from staff.enums import BlockReason, ModerationStatus, Role, ShiftStatus
from staff.models import AuditLog, Master, MasterDraft, Skill
from staff.services import applications, invites, moderation, onboarding, shifts
from staff.tests.factories import InviteFactory, MasterFactory, SkillFactory, StaffUserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def boss(**fields: Any) -> Actor:
    return Actor.of_staff(StaffUserFactory(**{"role": Role.GLOBAL_ADMIN} | fields))


def applicant(**fields: Any) -> Master:
    return MasterFactory(
        **{"moderation_status": ModerationStatus.PENDING, "is_active": False, "applied_at": timezone.now(),
           "shift_status": ShiftStatus.SHIFT_OFF} | fields
    )  # fmt: skip


def test_a_code_is_issued_for_own_cities_only() -> None:
    mine, foreign = CityFactory(), CityFactory()
    actor = boss(role=Role.CITY_ADMIN, cities=[mine])
    invite = invites.issue(actor=actor, now=timezone.now(), city=mine)
    assert invites.check(invite.code.lower(), now=timezone.now()) == invite
    with pytest.raises(InvalidError):
        invites.issue(actor=actor, now=timezone.now())
    with pytest.raises(NotFoundError):
        invites.issue(actor=actor, now=timezone.now(), city=foreign)
    with pytest.raises(ForbiddenError):
        invites.issue(actor=boss(role=Role.LOGIST, cities=[mine]), now=timezone.now(), city=mine)


def test_bad_codes_say_what_is_wrong_with_them() -> None:
    now = timezone.now()
    InviteFactory(code="EXPIRE", expires_at=now)
    InviteFactory(code="REVOKE", is_revoked=True)
    InviteFactory(code="USEDUP", used_by_master=MasterFactory())
    for code, words in (
        ("x", "6 Latin letters"), ("NOSUCH", "no invite code"), ("EXPIRE", "expired"), ("REVOKE", "revoked"),
        ("USEDUP", "been used"),
    ):  # fmt: skip
        with pytest.raises(InvalidError, match=words):
            invites.check(code, now=now)


def test_a_used_code_cannot_be_revoked() -> None:
    spent, open_ = InviteFactory(used_at=timezone.now()), InviteFactory()
    with pytest.raises(ConflictError):
        invites.revoke(invite_id=spent.pk, actor=boss())
    assert invites.revoke(invite_id=open_.pk, actor=boss()).is_revoked
    with pytest.raises(NotFoundError):
        invites.revoke(invite_id=0, actor=boss())


def test_one_decides_once() -> None:
    master, actor = applicant(), boss()
    version = master.version
    applications.approve(master_id=master.pk, actor=actor, now=timezone.now(), version=version)
    for again in (applications.approve, applications.reject):
        with pytest.raises(ConflictError, match="decided already: Approved"):
            again(master_id=master.pk, actor=boss(), now=timezone.now(), version=version, **(
                {"reason": "too late"} if again is applications.reject else {}
            ))  # fmt: skip
    master.refresh_from_db()
    assert (master.verified, master.is_active, master.verified_by_id) == (True, True, actor.staff_id)
    assert [n.event for n in Notification.objects.filter(master=master)] == ["moderation_approved"]
    assert AuditLog.objects.get(master=master).action == "approve_master"


def test_an_application_sent_anew_is_not_decided_unseen() -> None:
    master = applicant(version=3)
    with pytest.raises(StaleError):
        applications.approve(master_id=master.pk, actor=boss(), now=timezone.now(), version=2)


def test_a_debt_outlives_an_approval() -> None:
    """Who was closed and blocked is whole again; who owes money still owes it."""
    angry = applicant(is_blocked=True, blocked_reason="Грубил", is_deleted=True)
    debtor = applicant(is_blocked=True, blocked_reason=BlockReason.COMMISSION_OVERDUE)
    for master in (angry, debtor):
        applications.approve(master_id=master.pk, actor=boss(), now=timezone.now())
        master.refresh_from_db()
    assert (angry.is_blocked, angry.is_deleted) == (False, False)
    assert debtor.is_blocked


def test_city_admins_decide_in_their_cities_only() -> None:
    master = applicant()
    for actor in (boss(role=Role.CITY_ADMIN, cities=[CityFactory()]), boss(role=Role.CITY_ADMIN)):
        with pytest.raises(NotFoundError):
            applications.approve(master_id=master.pk, actor=actor, now=timezone.now())
    with pytest.raises(ForbiddenError):
        applications.approve(
            master_id=master.pk, actor=boss(role=Role.LOGIST, cities=[master.city]), now=timezone.now()
        )


def test_a_limit_is_told_once() -> None:
    master = MasterFactory()
    for _ in range(2):
        moderation.set_limit(master_id=master.pk, limit=2, actor=COMMAND_LINE)
    assert Notification.objects.get(master=master).event == "limit_changed"
    with pytest.raises(InvalidError):
        moderation.set_limit(master_id=master.pk, limit=21, actor=COMMAND_LINE)


def test_a_closed_account_is_told_once_and_ends_the_shift() -> None:
    master = MasterFactory()
    for _ in range(2):
        moderation.close_account(master_id=master.pk, reason="Ушёл сам", actor=COMMAND_LINE)
    master.refresh_from_db()
    assert (master.is_deleted, master.shift_status) == (True, ShiftStatus.SHIFT_OFF)
    assert Notification.objects.get(master=master).event == "account_deleted"


def test_skills_are_granted_as_seen() -> None:
    master = MasterFactory()
    wanted, other = SkillFactory(code="PLUMBING"), SkillFactory(code="WINDOWS")
    actor = Actor.of_master(master)
    applications.ask_skills(master_id=master.pk, skill_ids=[wanted.pk], actor=actor, now=timezone.now())
    applications.ask_skills(master_id=master.pk, skill_ids=[other.pk], actor=actor, now=timezone.now())
    with pytest.raises(StaleError):
        applications.decide_skills(
            master_id=master.pk, granted=True, actor=boss(), now=timezone.now(), seen=[wanted.pk]
        )
    applications.decide_skills(master_id=master.pk, granted=True, actor=boss(), now=timezone.now(), seen=[other.pk])
    assert set(master.skills.values_list("code", flat=True)) == {"ELECTRICS", "WINDOWS"}
    with pytest.raises(ConflictError):
        applications.decide_skills(master_id=master.pk, granted=False, actor=boss(), now=timezone.now())


def test_a_break_is_reminded_of_once_for_each_end() -> None:
    now = timezone.now()
    master = MasterFactory(shift_status=ShiftStatus.BREAK, break_until=now + timedelta(minutes=9))
    MasterFactory(shift_status=ShiftStatus.BREAK, break_until=now + timedelta(minutes=11))
    for _ in range(3):
        shifts.remind_breaks(now=now)
    assert Notification.objects.get().master == master
    shifts.take_break(master_id=master.pk, minutes=15, actor=Actor.of_master(master), now=now)
    shifts.remind_breaks(now=now + timedelta(minutes=6))
    assert Notification.objects.filter(master=master).count() == 2


def test_idle_applications_are_forgotten() -> None:
    onboarding.begin(tg_user_id=1, code=InviteFactory().code, now=timezone.now())
    onboarding.begin(tg_user_id=2, code=InviteFactory().code, now=timezone.now())
    MasterDraft.objects.filter(tg_user_id=1).update(updated_at=timezone.now() - timedelta(days=31))
    assert onboarding.drop_idle(now=timezone.now()) == 1
    assert MasterDraft.objects.get().tg_user_id == 2


def test_answers_are_taken_in_turn_only() -> None:
    onboarding.begin(tg_user_id=1, code=InviteFactory().code, now=timezone.now())
    with pytest.raises(ConflictError):
        onboarding.answer(tg_user_id=1, field="phone", value="+79990001122")
    with pytest.raises(NotFoundError):
        onboarding.answer(tg_user_id=2, field="consent", value={})


def test_skills_that_are_switched_off_are_not_offered() -> None:
    draft = onboarding.begin(tg_user_id=1, code=InviteFactory().code, now=timezone.now())
    skill = SkillFactory(code="PLUMBING")
    Skill.objects.filter(pk=skill.pk).update(is_active=False)
    draft.data = {field: "" for field in onboarding.FIELDS if field != "skills"}
    draft.save()
    with pytest.raises(InvalidError):
        onboarding.pick(tg_user_id=1, field="skills", choice=skill.pk)
