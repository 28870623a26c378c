"""Any order of doings against a model of a few lines: same states, same refusals, the journal agrees after each."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldservice.lib.errors import ConflictError
from finance.models import Commission, ReferralReward
from finance.services import commissions, ledger, payouts, referrals
from finance.services.settlement import close_job
from finance.tests.factories import ReferralFactory
from orders.models import Order
from orders.services.files import FileRef
from orders.tests.factories import OrderFactory
from orders.tests.people import as_master, staff
from staff.enums import Role
from staff.models import Master
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db
ACT = FileRef(file_type="PHOTO", file_id="f", file_unique_id="u")
VERBS = [
    "report",
    "approve",
    "approve_less",
    "reject",
    "revoke",
    "overdue",
    "correct",
    "batch",
    "paid",
    "unbatch",
    "drop",
]


class Model:
    """What ought to be. One commission of 2500, one inviter."""

    def __init__(self) -> None:
        self.status, self.reported, self.due, self.paid = "WAIT_PAY", False, Decimal(2500), None
        self.reward: str | None = None
        self.reward_sum = Decimal(0)
        self.batched = False

    def report(self) -> bool:
        if self.status == "APPROVED":
            return False
        self.reported = True
        self.status = "REPORTED" if self.status == "WAIT_PAY" else self.status
        return True

    def approve(self, paid: Decimal | None = None) -> bool:
        if self.status == "APPROVED":
            return False
        self.status, self.paid = "APPROVED", self.due if paid is None else paid
        if self.reward in (None, "CANCELED"):
            self.reward, self.reward_sum = "ACCRUED", (self.paid / 10).quantize(Decimal("0.01"))
        return True

    def approve_less(self) -> bool:
        return self.approve(Decimal(100))

    def reject(self) -> bool:
        if not (self.status == "REPORTED" or (self.status == "OVERDUE" and self.reported)):
            return False
        self.status, self.reported = ("WAIT_PAY" if self.status == "REPORTED" else self.status), False
        return True

    def revoke(self) -> bool:
        if self.status != "APPROVED" or self.batched:
            return False
        self.status, self.paid, self.reported = "WAIT_PAY", None, False
        self.reward = "CANCELED" if self.reward == "ACCRUED" else self.reward
        return True

    def overdue(self) -> bool:
        self.status = "OVERDUE" if self.status == "WAIT_PAY" else self.status
        return True

    def correct(self) -> bool:
        if self.status == "APPROVED":
            return False
        self.due = Decimal(2000) if self.due == 2500 else Decimal(2500)
        return True

    def batch(self) -> bool:
        if self.reward != "ACCRUED" or self.batched:
            return False
        self.batched = True
        return True

    def paid_out(self) -> bool:
        if not self.batched:
            return False
        self.batched, self.reward = False, "PAID"
        return True

    def unbatch(self) -> bool:
        if not self.batched:
            return False
        self.batched = False
        return True

    def drop(self) -> bool:
        if self.reward != "ACCRUED" or self.batched:
            return False
        self.reward = "CANCELED"
        return True


class Real:
    """The services."""

    def __init__(self) -> None:
        order = OrderFactory(assigned=True, status="WORKING")
        self.master: Master = order.assigned_master
        self.inviter = MasterFactory()
        ReferralFactory(master=self.master, referrer=self.inviter)
        made = close_job(order_id=order.pk, actor=as_master(self.master), total_sum=Decimal(5000), act=ACT)
        assert made is not None
        self.pk, self.boss, self.now = made.pk, staff(Role.GLOBAL_ADMIN), timezone.now()

    def do(self, verb: str) -> Any:
        self.now += timedelta(minutes=1)
        mine = {"commission_id": self.pk, "actor": self.boss, "now": self.now}
        reward = ReferralReward.objects.first()
        match verb:
            case "report":
                return commissions.report_paid(**mine | {"actor": as_master(self.master)})
            case "approve":
                return commissions.approve(**mine)
            case "approve_less":
                return commissions.approve(**mine, amount=Decimal(100), reason="agreed upon")
            case "reject":
                return commissions.reject(**mine, reason="not found")
            case "revoke":
                return commissions.revoke(**mine, reason="a mistake")
            case "overdue":
                return commissions.mark_overdue(now=self.now + timedelta(days=2))
            case "correct":
                total = Decimal(4000) if Order.objects.get().total_sum == 5000 else Decimal(5000)
                return commissions.correct(**mine, total_sum=total, reason="mistyped")
        if reward is None:
            raise ConflictError("no reward")
        if verb == "batch":
            return payouts.create(actor=self.boss, reward_ids=[reward.pk], now=self.now)
        if verb == "drop":
            return referrals.cancel(reward_id=reward.pk, actor=self.boss, reason="a fraud", now=self.now)
        if reward.payout_id is None:
            raise ConflictError("no batch")
        if verb == "paid":
            return payouts.mark_paid(payout_id=reward.payout_id, actor=self.boss, now=self.now)
        return payouts.cancel(payout_id=reward.payout_id, actor=self.boss, reason="mistake", now=self.now)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(VERBS), max_size=14))
def test_services_and_model_agree(verbs):
    Order.objects.all().delete()
    model, real = Model(), Real()
    for verb in verbs:
        legal = {"paid": model.paid_out}.get(verb, getattr(model, verb, None))()
        try:
            real.do(verb)
        except ConflictError:
            assert not legal, verb
        else:
            assert legal, verb
        row = Commission.objects.get()
        assert (row.status, row.amount, row.paid_amount) == (model.status, model.due, model.paid), verb
        assert (row.paid_reported_at is not None) == model.reported, verb
        reward = ReferralReward.objects.first()
        assert (reward.status if reward else None) == model.reward, verb
        if reward:
            assert (reward.amount, reward.payout_id is not None and reward.status == "ACCRUED") == (
                model.reward_sum, model.batched
            )  # fmt: skip
        blocked = Master.objects.get(pk=real.master.pk).is_blocked
        assert blocked == (model.status == "OVERDUE")
    report = ledger.check()
    mine = [line for line in report.differences if f"#{real.pk}:" in line]
    assert mine == []
    assert sum(report.balances.values()) == 0
