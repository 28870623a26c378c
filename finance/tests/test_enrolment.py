"""Sending applications at the same moment: one person is one master, one code lets one person in."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ConflictError
from fieldservice.outbox.models import Notification
from fieldservice.tests.racing import codes, racers, winners
from finance.services import enrolment
from geo.models import City
from geo.tests.factories import CityFactory, DistrictFactory
from orders.models import Attachment
from staff.enums import ModerationStatus, Role
from staff.models import Master, MasterDraft, MasterInviteCode
from staff.services import applications, onboarding
from staff.tests.factories import InviteFactory, MasterFactory, SkillFactory, StaffUserFactory


def filled(tg_user_id: int, invite: MasterInviteCode, city: City, **answers: Any) -> MasterDraft:
    """A draft with an answer to every question."""
    draft = onboarding.begin(tg_user_id=tg_user_id, code=invite.code, now=timezone.now())
    page = {"file_type": "PHOTO", "file_id": f"p{tg_user_id}", "file_unique_id": f"u{tg_user_id}", "bot": "master"}
    draft.data = {
        "consent": {"version": onboarding.CONSENT, "at": timezone.now().isoformat()}, "last_name": "Иванов",
        "first_name": "Иван", "middle_name": "", "phone": "+79990001122", "referral": "", "city": city.pk,
        "districts": [], "vehicle": False, "plate": "", "skills": [SkillFactory().pk], "passport": [page],
        "selfie": [page], "payout_method": "CASH", "payout": {}, "bank": "", "home": [],
    } | answers  # fmt: skip
    draft.save()
    return draft


def send(tg_user_id: int) -> Master:
    return enrolment.submit(tg_user_id=tg_user_id, username="", now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_two_phones_of_one_person_make_one_master() -> None:
    city = CityFactory()
    StaffUserFactory(role=Role.GLOBAL_ADMIN)
    with racers(3) as crew:
        for tg_user_id in range(1, 6):
            filled(tg_user_id, InviteFactory(), city)
            results = crew.run(*[partial(send, tg_user_id)] * 3)
            assert len(winners(results)) == 1
    assert Master.objects.count() == 5
    assert Attachment.objects.count() == 10
    assert Notification.objects.filter(event="application").count() == 5


@pytest.mark.django_db(transaction=True)
def test_one_code_at_once_lets_one_person_in() -> None:
    city = CityFactory()
    with racers(3) as crew:
        for turn in range(5):
            invite, people = InviteFactory(), [10 * turn + n for n in range(1, 4)]
            for tg_user_id in people:
                filled(tg_user_id, invite, city)
            results = crew.run(*[partial(send, tg_user_id) for tg_user_id in people])
            assert (len(winners(results)), codes(results)) == (1, ["no_invite", "no_invite"])
            invite.refresh_from_db()
            assert invite.used_by_master == winners(results)[0]
    assert Master.objects.count() == 5
    assert MasterDraft.objects.count() == 10  # who came too late has lost no answer


@pytest.mark.django_db(transaction=True)
def test_two_moderators_at_once_decide_once() -> None:
    bosses = [StaffUserFactory(role=Role.GLOBAL_ADMIN) for _ in range(2)]
    with racers(2) as crew:
        for _round in range(10):
            master = MasterFactory(moderation_status=ModerationStatus.PENDING, is_active=False)
            common = {"master_id": master.pk, "now": timezone.now()}
            results = crew.run(
                partial(applications.approve, actor=Actor.of_staff(bosses[0]), **common),
                partial(applications.reject, actor=Actor.of_staff(bosses[1]), reason="Не подходит", **common),
            )
            assert (len(winners(results)), codes(results)) == (1, ["conflict"])
            assert Notification.objects.filter(master=master).count() == 1


@pytest.mark.django_db
def test_what_is_gone_meanwhile_is_asked_again() -> None:
    city = CityFactory()
    filled(1, InviteFactory(), city, districts=[DistrictFactory(city=city).pk])
    city.district_set.all().delete()
    with pytest.raises(ConflictError) as refused:
        send(1)
    assert refused.value.details["fields"] == ["districts"]
    draft = onboarding.ask_again(tg_user_id=1, fields=["districts"])
    assert onboarding.question(draft) == onboarding.SUMMARY  # the city has no districts any more: nothing to ask
