"""Blocking and unblocking masters."""

from __future__ import annotations

import pytest
from django.utils import timezone

from fieldservice.lib.actor import SYSTEM, Actor
from fieldservice.lib.errors import ForbiddenError, InvalidError, NotFoundError
from fieldservice.outbox.models import Notification
from geo.tests.factories import CityFactory
from staff.enums import BlockReason, Role
from staff.models import AuditLog, Master
from staff.selectors import block_reason
from staff.services import moderation
from staff.tests.factories import MasterFactory, StaffUserFactory

pytestmark = pytest.mark.django_db


def admin_of(master: Master, role: str = Role.CITY_ADMIN) -> Actor:
    return Actor.of_staff(StaffUserFactory(role=role, cities=[master.city]), via="bot")


def block(master: Master, actor: Actor, reason: str = "rude to clients", **options) -> Master:
    moderation.block(master_id=master.pk, reason=reason, actor=actor, now=timezone.now(), **options)
    return Master.objects.get(pk=master.pk)


def unblock(master: Master, actor: Actor) -> Master:
    moderation.unblock(master_id=master.pk, actor=actor, now=timezone.now())
    return Master.objects.get(pk=master.pk)


def told() -> list[str]:
    return list(Notification.objects.order_by("pk").values_list("event", flat=True))


class TestBlock:
    def test_the_shift_ends_the_master_is_told_and_an_audit_row_kept(self):
        master = MasterFactory(shift_status="BREAK", break_until=timezone.now())
        actor = admin_of(master)
        blocked = block(master, actor, "  rude to\nclients ")
        assert (blocked.is_blocked, blocked.blocked_reason, blocked.blocked_at is not None) == (
            True, "rude to clients", True
        )  # fmt: skip
        assert (blocked.shift_status, blocked.break_until, blocked.version) == ("SHIFT_OFF", None, 2)
        row = Notification.objects.get()
        assert (row.event, row.master, row.payload) == ("account_blocked", master, {"reason": "rude to clients"})
        audit = AuditLog.objects.get()
        assert (audit.action, audit.master, audit.admin_id) == ("block_master", master, actor.staff_id)
        assert (audit.payload_json["reason"], audit.payload_json["via"]) == ("rude to clients", "bot")
        assert audit.payload_json["changes"]["is_blocked"] == ["False", "True"]

    def test_a_second_block_changes_nothing(self):
        master = MasterFactory()
        block(master, admin_of(master))
        assert block(master, admin_of(master), "something else").blocked_reason == "rude to clients"
        assert block(master, SYSTEM, BlockReason.COMMISSION_OVERDUE).blocked_reason == "rude to clients"
        assert told() == ["account_blocked"]

    def test_staff_s_words_replace_a_reason_of_the_system_s(self):
        """Else paying the commission would lift what staff decided."""
        master = MasterFactory()
        block(master, SYSTEM, BlockReason.COMMISSION_OVERDUE)
        assert block(master, admin_of(master)).blocked_reason == "rude to clients"

    def test_the_caller_may_tell_him_itself(self):
        block(MasterFactory(), SYSTEM, BlockReason.COMMISSION_OVERDUE, tell=False)
        assert told() == []

    @pytest.mark.parametrize("reason", ["", "no", "x" * 201])
    def test_a_reason_is_required(self, reason):
        master = MasterFactory()
        with pytest.raises(InvalidError):
            block(master, admin_of(master), reason)

    def test_a_known_reason_is_shown_in_words(self):
        master = block(MasterFactory(), SYSTEM, BlockReason.COMMISSION_OVERDUE)
        assert block_reason(master) == "the commission is overdue"


class TestUnblock:
    def test_the_master_is_free_off_shift_and_told(self):
        master = MasterFactory()
        block(master, admin_of(master))
        free = unblock(master, admin_of(master))
        assert (free.is_blocked, free.blocked_reason, free.blocked_at, free.shift_status) == (
            False, None, None, "SHIFT_OFF"
        )  # fmt: skip
        assert told() == ["account_blocked", "account_unblocked"]
        assert AuditLog.objects.latest("pk").payload_json["reason"] == "rude to clients"

    def test_a_free_master_is_left_alone(self):
        unblock(MasterFactory(), SYSTEM)
        assert told() == []
        assert not AuditLog.objects.exists()


class TestRights:
    @pytest.mark.parametrize("verb", [block, unblock])
    def test_logists_and_masters_may_not(self, verb):
        master = MasterFactory()
        for actor in (admin_of(master, Role.LOGIST), Actor.of_master(master)):
            with pytest.raises(ForbiddenError):
                verb(master, actor)

    @pytest.mark.parametrize("verb", [block, unblock])
    def test_a_stranger_s_master_is_like_none(self, verb):
        stranger = Actor.of_staff(StaffUserFactory(role=Role.CITY_ADMIN, cities=[CityFactory()]))
        for master in (MasterFactory(), Master(pk=4242)):
            with pytest.raises(NotFoundError, match=r"There is no such master\."):
                verb(master, stranger)

    def test_a_global_admin_may_everywhere(self):
        boss = Actor.of_staff(StaffUserFactory(role=Role.GLOBAL_ADMIN))
        assert block(MasterFactory(), boss).is_blocked
