"""When dispatch cannot help: who is told, once per episode, and when an episode ends (spec §4)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from fieldservice.outbox.models import Notification
from fieldservice.runtime.models import Setting
from orders.dispatch import engine
from orders.models import DispatchDecision, Order, OrderStatusHistory
from orders.services import manual, offers
from orders.tests.factories import OrderFactory
from orders.tests.people import as_master, logist_of
from staff.enums import Role
from staff.models import Skill
from staff.tests.factories import MasterFactory, SkillFactory, StaffUserFactory

pytestmark = pytest.mark.django_db
TICK = timedelta(seconds=31)


class Desk:
    """The office of one order's city, with ALERTS, and a clock."""

    def __init__(self, order: Order) -> None:
        Setting.objects.create(key="alerts_channel_id", value="-1001")
        self.logist = StaffUserFactory(role=Role.LOGIST, cities=[order.city])
        self.admin = StaffUserFactory(role=Role.CITY_ADMIN, cities=[order.city])
        self.boss = StaffUserFactory(role=Role.GLOBAL_ADMIN)
        StaffUserFactory(role=Role.LOGIST)  # of no city
        StaffUserFactory(role=Role.LOGIST, cities=[order.city], is_active=False)
        StaffUserFactory(role=Role.LOGIST, cities=[order.city], tg_user_id=None)
        self.now = timezone.now()

    def tick(self, after: timedelta = TICK) -> engine.Report:
        self.now += after
        return engine.tick(now=self.now)


def notices(event: str) -> list[tuple[int | None, int | None]]:
    """(staff member, channel) of the notices, oldest first."""
    return list(Notification.objects.filter(event=event).order_by("pk").values_list("staff_id", "chat_id"))


def remarks(order: Order) -> list[str]:
    return [row.reason for row in OrderStatusHistory.objects.filter(order=order).order_by("pk")]


class TestToLogists:
    @pytest.mark.parametrize(
        ("values", "reason", "again"),
        [
            ({}, "no_candidates", True),
            ({"district": None}, "no_district", False),
            ({"dispatch_round": 2}, "rounds_exhausted", False),
        ],
    )
    def test_the_city_s_logists_and_the_channel_are_told(self, values, reason, again):
        order = OrderFactory(**values)
        desk = Desk(order)
        desk.tick()
        order.refresh_from_db()
        assert (order.escalation_reason, order.dist_escalated_logist_at) == (reason, desk.now)
        assert (order.escalation_logist_notified_at, order.status, order.version) == (desk.now, "SEARCHING", 1)
        assert order.dispatch_at == (desk.now + timedelta(seconds=30) if again else None)
        assert notices("escalation_logist") == [(desk.logist.pk, None), (None, -1001)]
        assert Notification.objects.first().payload == {"order_id": order.pk, "reason": reason}
        row = OrderStatusHistory.objects.get()
        assert (row.reason, row.actor_type, row.context) == (
            "distribution_escalate_logist", "AUTO_DISTRIBUTION", {"reason": reason}
        )  # fmt: skip

    def test_a_switched_off_skill_is_an_unknown_category(self):
        SkillFactory(code="ELECTRICS")
        Skill.objects.update(is_active=False)
        order = OrderFactory()
        Desk(order).tick()
        order.refresh_from_db()
        assert (order.escalation_reason, order.dispatch_at) == ("no_category", None)

    def test_an_episode_is_told_once_and_searched_at_every_tick(self):
        order = OrderFactory()
        desk = Desk(order)
        for _tick in range(4):
            assert len(desk.tick().decisions) == 1
        assert len(notices("escalation_logist")) == 2
        assert remarks(order) == ["distribution_escalate_logist"]
        assert DispatchDecision.objects.count() == 1

    def test_an_offer_ends_the_episode_and_a_new_one_is_told_again(self):
        order = OrderFactory()
        desk = Desk(order)
        desk.tick()
        master = MasterFactory(districts=[order.district])
        desk.tick()
        order.refresh_from_db()
        assert (order.dist_escalated_logist_at, order.escalation_reason, order.escalation_logist_notified_at) == (
            None, None, None
        )  # fmt: skip
        offers.decline(offer_id=order.offers.get().pk, actor=as_master(master), now=desk.now)
        desk.tick()
        assert len(notices("escalation_logist")) == 4
        order.refresh_from_db()
        assert order.dist_escalated_logist_at == desk.now

    def test_an_offer_by_hand_ends_the_episode(self):
        order = OrderFactory(dispatch_round=2)
        desk = Desk(order)
        desk.tick()
        master = MasterFactory(districts=[order.district])
        offer = manual.offer(order_id=order.pk, master_id=master.pk, actor=logist_of(order), now=desk.now)
        order.refresh_from_db()
        assert (order.dist_escalated_logist_at, order.dispatch_at) == (None, offer.expires_at)
        desk.tick(timedelta(minutes=3))
        order.refresh_from_db()
        assert (order.dist_escalated_logist_at, order.escalation_reason) == (desk.now, "rounds_exhausted")

    def test_search_again_begins_anew(self):
        order = OrderFactory(dispatch_round=2)
        desk = Desk(order)
        desk.tick()
        manual.search_again(order_id=order.pk, actor=logist_of(order), now=desk.now)
        MasterFactory(districts=[order.district])
        assert [str(d.outcome) for d in desk.tick().decisions] == ["offered"]
        order.refresh_from_db()
        assert (order.search_number, order.dispatch_round, order.dist_escalated_logist_at) == (2, 1, None)

    def test_without_a_channel_and_logists_the_mark_is_there_all_the_same(self):
        order = OrderFactory(district=None)
        engine.tick()
        order.refresh_from_db()
        assert order.dist_escalated_logist_at is not None
        assert not Notification.objects.exists()

    def test_a_logist_of_two_cities_is_told_once_per_order(self):
        first, second = OrderFactory(), OrderFactory()
        member = StaffUserFactory(role=Role.LOGIST, cities=[first.city, second.city])
        engine.tick()
        told = Notification.objects.values_list("staff_id", "payload__order_id")
        assert sorted(told) == [(member.pk, first.pk), (member.pk, second.pk)]


class TestToAdmins:
    def test_after_ten_minutes_admins_are_told_once(self):
        order = OrderFactory(district=None)
        desk = Desk(order)
        desk.tick()
        assert desk.tick(timedelta(minutes=9, seconds=59)).escalated_to_admins == []
        assert desk.tick(timedelta(seconds=1)).escalated_to_admins == [order.pk]
        for _tick in range(3):
            assert desk.tick(timedelta(minutes=30)).escalated_to_admins == []
        order.refresh_from_db()
        assert order.dist_escalated_admin_at == order.escalation_admin_notified_at
        assert set(notices("escalation_admin")) == {(desk.admin.pk, None), (desk.boss.pk, None), (None, -1001)}
        assert len(notices("escalation_admin")) == 3
        assert remarks(order) == ["distribution_escalate_logist", "distribution_escalate_admin"]

    def test_the_minutes_are_a_setting(self):
        Setting.objects.create(key="escalate_to_admin_after_min", value="0")
        order = OrderFactory(district=None)
        desk = Desk(order)
        desk.tick()
        assert desk.tick(timedelta(0)).escalated_to_admins == [order.pk]

    def test_an_order_that_found_its_master_is_no_matter_for_admins(self):
        order = OrderFactory()
        desk = Desk(order)
        desk.tick()
        master = MasterFactory(districts=[order.district])
        desk.tick()
        offers.accept(offer_id=order.offers.get().pk, actor=as_master(master), now=desk.now)
        assert desk.tick(timedelta(hours=1)).escalated_to_admins == []

    def test_a_city_admin_of_another_city_is_not_told(self):
        order = OrderFactory(district=None)
        StaffUserFactory(role=Role.CITY_ADMIN, cities=[OrderFactory(dispatch_at=None).city])
        now = timezone.now()
        engine.tick(now=now)
        engine.tick(now=now + timedelta(minutes=10))
        assert Order.objects.get(pk=order.pk).dist_escalated_admin_at
        assert notices("escalation_admin") == []
