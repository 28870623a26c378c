"""Rewards are paid out in batches, once, by those who may see them."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from functools import partial

import pytest
from django.utils import timezone

from fieldservice.lib.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from fieldservice.outbox.models import Notification
from fieldservice.runtime.models import Setting
from fieldservice.tests.racing import codes, racers, winners
from finance import scope
from finance.models import JournalEntry, Payout, ReferralReward
from finance.services import ledger, payouts, referrals
from finance.tests.factories import CommissionFactory, ReferralRewardFactory
from orders.tests.counting import nothing_written
from orders.tests.people import as_master, staff
from staff.enums import Role
from staff.models import AuditLog
from staff.tests.factories import MasterFactory, StaffUserFactory

pytestmark = pytest.mark.django_db


def boss():
    return staff(Role.GLOBAL_ADMIN)


def reward(**values) -> ReferralReward:
    master = {"payout_method": "CARD", "payout_data": {"card_number": "2200 0000 0000 0004"}}
    return ReferralRewardFactory(**{f"referrer__{name}": value for name, value in master.items()} | values)


class TestAsk:
    def test_the_admins_are_told_the_sum_once(self):
        first = reward()
        master = first.referrer
        second = ReferralRewardFactory(referrer=master)
        ReferralRewardFactory(referrer=master, status="CANCELED")
        StaffUserFactory(role=Role.GLOBAL_ADMIN)
        mine = StaffUserFactory(role=Role.CITY_ADMIN, cities=[master.city])
        StaffUserFactory(role=Role.CITY_ADMIN)
        now = timezone.now()
        for _twice in range(2):
            assert payouts.ask(actor=as_master(master), now=now) == 500
        assert set(ReferralReward.objects.exclude(requested_at=None)) == {first, second}
        rows = Notification.objects.filter(event="payout_requested")
        assert rows.count() == 2
        assert rows.get(staff=mine).payload == {"master_id": master.pk, "amount": "500.00"}

    def test_nothing_and_too_little_are_refused(self):
        master = MasterFactory(payout_method="CARD")
        with pytest.raises(ConflictError, match="nothing to pay out yet"):
            payouts.ask(actor=as_master(master))
        Setting.objects.create(key="referral_payout_min", value="251")
        small = reward()
        with pytest.raises(ConflictError, match=r"the balance is 250\D₽, payouts begin at 251\D₽"):
            payouts.ask(actor=as_master(small.referrer))

    def test_where_to_pay_must_be_known(self):
        row = ReferralRewardFactory()
        with pytest.raises(ConflictError, match="where to pay to"):
            payouts.ask(actor=as_master(row.referrer))
        with pytest.raises(NotFoundError):
            payouts.ask(actor=boss())


class TestBatch:
    def test_created_paid_told(self):
        one, two = reward(), reward()
        three = ReferralRewardFactory(referrer=one.referrer)
        actor, now = boss(), timezone.now()
        payout = payouts.create(actor=actor, reward_ids=[one.pk, two.pk, three.pk])
        assert (payout.total, payout.masters_count, payout.status) == (750, 2, "OPEN")
        assert set(ReferralReward.objects.values_list("status", "payout")) == {("ACCRUED", payout.pk)}
        payouts.mark_paid(payout_id=payout.pk, actor=actor, now=now)
        assert set(ReferralReward.objects.values_list("status", "paid_at")) == {("PAID", now)}
        rows = Notification.objects.filter(event="referral_paid").order_by("master_id")
        assert {(r.master_id, r.payload["amount"]) for r in rows} == {
            (one.referrer_id, "500.00"), (two.referrer_id, "250.00")
        }  # fmt: skip
        assert JournalEntry.objects.filter(kind="REWARD_PAID", payout_id=payout.pk).count() == 3
        ledger.take_over()
        assert ledger.check().differences == ()

    def test_a_batch_is_closed_once(self):
        payout = payouts.create(actor=boss(), reward_ids=[reward().pk])
        payouts.mark_paid(payout_id=payout.pk, actor=boss())
        actor = boss()
        for call in (
            partial(payouts.mark_paid, payout_id=payout.pk, actor=actor),
            partial(payouts.cancel, payout_id=payout.pk, actor=actor, reason="mistake"),
        ):
            with nothing_written(), pytest.raises(ConflictError, match="is «Paid» already"):
                call()

    def test_a_cancelled_batch_gives_its_rewards_back(self):
        row = reward()
        payout = payouts.create(actor=boss(), reward_ids=[row.pk])
        payouts.cancel(payout_id=payout.pk, actor=boss(), reason="wrong month")
        row.refresh_from_db()
        assert (row.status, row.payout_id) == ("ACCRUED", None)
        payout.refresh_from_db()
        assert (payout.status, payout.reason) == ("CANCELED", "wrong month")
        payouts.create(actor=boss(), reward_ids=[row.pk])

    @pytest.mark.parametrize("state", ["PAID", "CANCELED", "taken", "unknown"])
    def test_what_cannot_be_paid_refuses_the_whole_batch(self, state):
        good, bad = reward(), reward(status=state if state in ("PAID", "CANCELED") else "ACCRUED")
        actor = boss()
        if state == "taken":
            payouts.create(actor=actor, reward_ids=[bad.pk])
        number = 4242 if state == "unknown" else bad.pk
        with nothing_written(), pytest.raises(ConflictError, match=rf"Reward #{number} cannot be paid out"):
            payouts.create(actor=actor, reward_ids=[good.pk, number])

    def test_no_rewards_no_batch(self):
        actor = boss()
        with nothing_written(), pytest.raises(InvalidError, match="Choose rewards first"):
            payouts.create(actor=actor, reward_ids=[])


class TestScope:
    def test_a_city_admin_pays_for_his_city_only(self):
        mine, strange = reward(), reward()
        actor = staff(Role.CITY_ADMIN, mine.commission.order.city)
        with nothing_written(), pytest.raises(ConflictError):
            payouts.create(actor=actor, reward_ids=[mine.pk, strange.pk])
        other = payouts.create(actor=boss(), reward_ids=[strange.pk])
        for call in (payouts.mark_paid, payouts.bank_file):
            with nothing_written(), pytest.raises(NotFoundError, match=rf"There is no payout #{other.pk}\."):
                call(payout_id=other.pk, actor=actor)
        own = payouts.create(actor=actor, reward_ids=[mine.pk])
        payouts.mark_paid(payout_id=own.pk, actor=actor)

    def test_a_batch_of_several_cities_is_for_those_who_see_all(self):
        rows = [reward(), reward()]
        payout = payouts.create(actor=boss(), reward_ids=[row.pk for row in rows])
        city = rows[0].commission.order.city
        half = StaffUserFactory(role=Role.CITY_ADMIN, cities=[city])
        both = StaffUserFactory(role=Role.CITY_ADMIN, cities=[row.commission.order.city for row in rows])
        nobody = StaffUserFactory(role=Role.LOGIST, cities=[city])
        seen = [set(scope.payouts_visible_to(member)) for member in (half, both, nobody)]
        assert seen == [set(), {payout}, set()]
        assert set(scope.rewards_visible_to(half)) == {rows[0]}
        assert set(scope.rewards_visible_to(nobody)) == set()

    def test_a_logist_may_nothing(self):
        row = reward()
        actor = staff(Role.LOGIST, row.commission.order.city)
        with nothing_written(), pytest.raises(ForbiddenError):
            payouts.create(actor=actor, reward_ids=[row.pk])
        with nothing_written(), pytest.raises(ForbiddenError):
            referrals.cancel(reward_id=row.pk, actor=actor, reason="because")


def test_the_bank_file_has_a_line_per_master_and_no_formulas():
    row = reward(referrer__full_name="=HYPERLINK(1)", referrer__phone="+79990000001")
    ReferralRewardFactory(referrer=row.referrer, amount=Decimal("0.50"))
    payout = payouts.create(actor=boss(), reward_ids=list(ReferralReward.objects.values_list("pk", flat=True)))
    text = payouts.bank_file(payout_id=payout.pk, actor=boss())
    assert text.startswith("\ufeffpayout_id;")
    (line,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";")
    assert line == {
        "payout_id": str(payout.pk), "master_id": str(row.referrer_id), "master_name": "'=HYPERLINK(1)",
        "master_phone": "+79990000001", "method": "CARD", "details": "2200 0000 0000 0004", "amount": "250.50",
        "purpose": f"Referral rewards, payout {payout.pk}",
    }  # fmt: skip
    assert AuditLog.objects.filter(action="payout_file").count() == 1


class TestCancelReward:
    def test_the_inviter_is_told_why(self):
        row = reward()
        referrals.cancel(reward_id=row.pk, actor=boss(), reason="a fraud")
        row.refresh_from_db()
        assert (row.status, row.cancel_reason) == ("CANCELED", "a fraud")
        told = Notification.objects.get(event="referral_reward_canceled")
        assert (told.master_id, told.payload) == (row.referrer_id, {"reward_id": row.pk, "reason": "a fraud"})

    def test_not_twice_not_when_paid_not_in_a_batch(self):
        actor = boss()
        for row, sentence in (
            (reward(status="PAID"), "it cannot be canceled"),
            (reward(status="CANCELED"), "it cannot be canceled"),
        ):
            with nothing_written(), pytest.raises(ConflictError, match=sentence):
                referrals.cancel(reward_id=row.pk, actor=actor, reason="a fraud")
        row = reward()
        payouts.create(actor=actor, reward_ids=[row.pk])
        with nothing_written(), pytest.raises(ConflictError, match="cancel the payout first"):
            referrals.cancel(reward_id=row.pk, actor=actor, reason="a fraud")

    def test_a_stranger_s_reward_is_like_none(self):
        row = reward()
        actor = staff(Role.CITY_ADMIN, CommissionFactory().order.city)
        for number in (row.pk, 4242):
            with nothing_written(), pytest.raises(NotFoundError, match=rf"There is no reward #{number}\."):
                referrals.cancel(reward_id=number, actor=actor, reason="a fraud")


@pytest.mark.django_db(transaction=True)
def test_two_cashiers_and_a_judge_at_once_pay_once():
    actor = boss()
    with racers(4) as crew:
        for _round in range(15):
            row = reward()
            batch = partial(payouts.create, actor=actor, reward_ids=[row.pk])
            results = crew.run(batch, batch, partial(referrals.cancel, reward_id=row.pk, actor=actor, reason="fraud"))
            assert len(winners(results)) == 1
            assert codes(results) == ["conflict", "conflict"]
            row.refresh_from_db()
            if row.payout_id:
                pay = partial(payouts.mark_paid, payout_id=row.payout_id, actor=actor)
                stop = partial(payouts.cancel, payout_id=row.payout_id, actor=actor, reason="mistake")
                assert len(winners(crew.run(pay, pay, stop, stop))) == 1
    ledger.take_over()
    assert ledger.check().differences == ()
    paid = sum(Payout.objects.filter(status="PAID").values_list("total", flat=True))
    assert -ledger.check().balances["CASH"] == paid
