"""A master's shift: on, off, break, return."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from fieldservice.lib.actor import SYSTEM, Actor
from fieldservice.lib.errors import ConflictError, InvalidError, NotFoundError
from fieldservice.outbox.models import Notification
from fieldservice.tests.racing import racers
from geo.tests.factories import CityFactory
from staff.enums import Role
from staff.models import Master
from staff.services import shifts
from staff.tests.factories import MasterFactory, StaffUserFactory

pytestmark = pytest.mark.django_db


def me(master: Master) -> Actor:
    return Actor.of_master(master)


def state(master: Master) -> tuple[str, bool, object]:
    master = Master.objects.get(pk=master.pk)
    return master.shift_status, master.is_on_shift, master.break_until


class TestStart:
    @pytest.mark.parametrize("before", ["SHIFT_OFF", "BREAK", "SHIFT_ON"])
    @pytest.mark.parametrize("verb", [shifts.start, shifts.resume])
    def test_the_shift_begins_whatever_was_before(self, before, verb):
        master = MasterFactory(shift_status=before, break_until=timezone.now())
        verb(master_id=master.pk, actor=me(master))
        assert state(master) == ("SHIFT_ON", True, None)

    @pytest.mark.parametrize(
        ("values", "why"),
        [
            ({"is_blocked": True, "blocked_reason": "guarantee_refusal"}, "a guarantee visit was refused"),
            ({"is_deleted": True}, "your account is closed"),
            ({"is_active": False}, "your account is switched off"),
            ({"moderation_status": "PENDING"}, "your application is not approved yet"),
        ],
    )
    @pytest.mark.parametrize("verb", [shifts.start, shifts.resume])
    def test_who_may_not_work_is_told_why(self, values, why, verb):
        master = MasterFactory(shift_status="SHIFT_OFF", **values)
        with pytest.raises(ConflictError) as caught:
            verb(master_id=master.pk, actor=me(master))
        assert (caught.value.code, str(caught.value)) == ("blocked", f"You cannot start a shift: {why}.")
        assert state(master)[0] == "SHIFT_OFF"

    def test_a_master_without_a_city_may_start_too(self):
        master = MasterFactory(city=None, shift_status="SHIFT_OFF")
        shifts.start(master_id=master.pk, actor=me(master))
        assert state(master)[0] == "SHIFT_ON"


class TestStop:
    @pytest.mark.parametrize("before", ["SHIFT_OFF", "BREAK", "SHIFT_ON"])
    def test_the_shift_ends(self, before):
        master = MasterFactory(shift_status=before, break_until=timezone.now())
        shifts.stop(master_id=master.pk, actor=me(master))
        assert state(master) == ("SHIFT_OFF", False, None)

    def test_a_blocked_master_may_stop(self):
        master = MasterFactory(is_blocked=True)
        shifts.stop(master_id=master.pk, actor=me(master))
        assert state(master)[0] == "SHIFT_OFF"


class TestBreak:
    @pytest.mark.parametrize("minutes", [15, 60, 120])
    def test_a_break_has_an_end(self, minutes):
        master, now = MasterFactory(), timezone.now()
        shifts.take_break(master_id=master.pk, minutes=minutes, actor=me(master), now=now)
        assert state(master) == ("BREAK", False, now + timedelta(minutes=minutes))

    def test_a_break_is_extended_from_now_on(self):
        master, now = MasterFactory(), timezone.now()
        shifts.take_break(master_id=master.pk, minutes=120, actor=me(master), now=now)
        shifts.take_break(master_id=master.pk, minutes=15, actor=me(master), now=now + timedelta(minutes=10))
        assert state(master)[2] == now + timedelta(minutes=25)

    @pytest.mark.parametrize("minutes", [0, -15, 14, 121, 10**9])
    def test_another_length_is_refused(self, minutes):
        master = MasterFactory()
        with pytest.raises(InvalidError, match="A break lasts 15 minutes, 1 hour or 2 hours"):
            shifts.take_break(master_id=master.pk, minutes=minutes, actor=me(master))

    def test_off_shift_there_is_nothing_to_pause(self):
        master = MasterFactory(shift_status="SHIFT_OFF")
        with pytest.raises(ConflictError, match="You are off shift"):
            shifts.take_break(master_id=master.pk, minutes=15, actor=me(master))


class TestEndOfBreaks:
    def test_the_shift_is_off_and_the_master_told_once(self):
        now = timezone.now()
        over = MasterFactory(shift_status="BREAK", break_until=now)
        still = MasterFactory(shift_status="BREAK", break_until=now + timedelta(seconds=1))
        endless = MasterFactory(shift_status="BREAK", break_until=None)
        assert shifts.end_breaks(now=now) == 1
        assert shifts.end_breaks(now=now) == 0
        assert state(over) == ("SHIFT_OFF", False, None)
        assert state(still)[0] == state(endless)[0] == "BREAK"
        assert list(Notification.objects.values_list("event", "master_id")) == [("break_over", over.pk)]

    def test_nothing_to_do_costs_little(self, django_assert_num_queries):
        with django_assert_num_queries(3):  # savepoint, look, release
            shifts.end_breaks(now=timezone.now())


class TestWhose:
    VERBS = {
        "start": lambda pk, actor: shifts.start(master_id=pk, actor=actor),
        "resume": lambda pk, actor: shifts.resume(master_id=pk, actor=actor),
        "stop": lambda pk, actor: shifts.stop(master_id=pk, actor=actor),
        "break": lambda pk, actor: shifts.take_break(master_id=pk, minutes=15, actor=actor),
    }

    @pytest.mark.parametrize("verb", VERBS)
    def test_another_s_shift_does_not_exist(self, verb):
        master = MasterFactory()
        stranger = StaffUserFactory(role=Role.CITY_ADMIN, cities=[CityFactory()])
        for actor in (me(MasterFactory(city=master.city)), Actor.of_staff(stranger)):
            for number in (master.pk, 4242):
                with pytest.raises(NotFoundError, match=r"There is no such master\."):
                    self.VERBS[verb](number, actor)
        assert state(master)[0] == "SHIFT_ON"

    def test_the_city_s_staff_and_the_system_may(self):
        master = MasterFactory()
        member = StaffUserFactory(role=Role.CITY_ADMIN, cities=[master.city])
        for actor in (Actor.of_staff(member), SYSTEM):
            shifts.stop(master_id=master.pk, actor=actor)
            shifts.start(master_id=master.pk, actor=actor)


@pytest.mark.django_db(transaction=True)
def test_a_break_that_ends_while_its_master_returns_is_over_once():
    with racers(3) as crew:
        for _round in range(20):
            now = timezone.now()
            master = MasterFactory(shift_status="BREAK", break_until=now)
            ended = crew.run(
                *[lambda now=now: shifts.end_breaks(now=now)] * 2,
                lambda master=master: shifts.resume(master_id=master.pk, actor=me(master)),
            )
            # told that the break is over, or back before; on shift in the end either way
            assert state(master) == ("SHIFT_ON", True, None)
            assert sum(ended[:2]) == Notification.objects.filter(master_id=master.pk).count() <= 1
