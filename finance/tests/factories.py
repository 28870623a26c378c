"""Money for tests. The card number is the scheme's own test number."""

from __future__ import annotations

import struct
import zlib
from datetime import timedelta
from decimal import Decimal

import factory
from django.utils import timezone

from finance.enums import CommissionStatus, RewardStatus
from finance.models import Commission, OwnerRequisites, Referral, ReferralReward
from orders.tests.factories import OrderFactory
from staff.tests.factories import MasterFactory


def png(side: int = 60) -> bytes:
    """A white square, as a picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\0" + b"\xff" * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class OwnerRequisitesFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = OwnerRequisites

    methods = factory.LazyFunction(lambda: ["card", "sbp"])
    card_number = "2200000000000004"
    card_holder = "ВЛАДЕЛЕЦ Т."
    card_bank = "Тест-Банк"
    sbp_phone = "+79990000001"
    sbp_bank = "Тест-Банк"
    comment_template = "Комиссия #<order_id> от <master_fio>"


class CommissionFactory(factory.django.DjangoModelFactory):
    """Half of the sum of an order in PAYMENT, owed by its master, due in three hours."""

    class Meta:
        model = Commission

    order = factory.SubFactory(OrderFactory, in_payment=True)
    master = factory.SelfAttribute("order.assigned_master")
    rate = Decimal("0.50")
    amount = factory.LazyAttribute(lambda o: (o.order.total_sum * o.rate).quantize(Decimal("0.01")))
    status = CommissionStatus.WAIT_PAY
    deadline_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=3))


class ReferralFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Referral

    master = factory.SubFactory(MasterFactory)
    referrer = factory.SubFactory(MasterFactory)


class ReferralRewardFactory(factory.django.DjangoModelFactory):
    """Level 1: 10 % of the commission."""

    class Meta:
        model = ReferralReward

    commission = factory.SubFactory(CommissionFactory)
    referrer = factory.SubFactory(MasterFactory)
    referred_master = factory.SelfAttribute("commission.master")
    level = 1
    percent = Decimal("10.00")
    amount = factory.LazyAttribute(lambda o: (o.commission.amount * o.percent / 100).quantize(Decimal("0.01")))
    status = RewardStatus.ACCRUED
