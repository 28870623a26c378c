"""Two cities full of secrets: masters in every situation, staff of every role, people who are neither."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from bots.tests.fuzz.secrets import Secrets
from fieldservice.lib.actor import Actor
from fieldservice.runtime.models import Setting
from finance.enums import CommissionStatus
from finance.models import Commission, Referral
from finance.tests.factories import CommissionFactory, OwnerRequisitesFactory, ReferralRewardFactory, png
from geo.models import City, District
from geo.tests.factories import CityFactory, DistrictFactory, StreetFactory
from orders.enums import AttachmentEntity, OrderStatus, OrderType
from orders.models import Order
from orders.tests.factories import AttachmentFactory, OfferFactory, OrderFactory
from staff.enums import ModerationStatus, PayoutMethod, Role, ShiftStatus
from staff.models import Master
from staff.services import access_codes, onboarding
from staff.tests.factories import InviteFactory, MasterFactory, StaffUserFactory


@dataclass
class Town:
    """Who uses which bot, the numbers and words their addresses may carry, and what must stay secret."""

    masters: list[int]
    staff: list[int]
    ids: list[int]
    #: bot → what lets one in
    codes: dict[str, list[str]]
    orders: list[int]
    secrets: Secrets


class Builder:
    """Makes a town. `stranger`: the first of a hundred Telegram ids nobody has."""

    def __init__(self, dice: random.Random, stranger: int) -> None:
        self.dice, self.stranger, self.secrets = dice, stranger, Secrets(dice)
        self.numbers = itertools.count(stranger)
        self.rows: list[Any] = []
        self.orders: list[int] = []

    def build(self) -> Town:
        OwnerRequisitesFactory(sbp_qr=png())
        here, there = (DistrictFactory(), DistrictFactory(city__timezone="Asia/Novosibirsk"))
        CityFactory()  # without districts
        for district in (here, there):  # a street in another district than the one that was chosen
            StreetFactory(city=district.city, district=DistrictFactory(city=district.city))
        # in every other town it is too late for today, whatever the hour
        late = {"value": self.dice.choice(["00:01", "23:59"]), "value_type": "TIME"}
        Setting.objects.all().delete()
        Setting.objects.create(key="asap_late_threshold", **late)
        masters = [*self.masters(here), *self.masters(there)]
        applicants = self.applicants(here.city)
        office = self.office(here.city, there.city)
        self.rows += [here.city, there.city, here, there, *masters, *applicants, *office]
        boss, city = Actor.of_staff(office[-1]), [here.city_id]
        invites = [InviteFactory(city=here.city).code, *(InviteFactory().code for _ in range(2))]
        access = [access_codes.issue(actor=boss, role=role, city_ids=city, now=timezone.now()).code
                  for role in (Role.LOGIST, Role.LOGIST, Role.CITY_ADMIN)]  # fmt: skip
        self.secrets.look(self.orders)
        outsiders = [self.stranger, self.stranger + 1]
        return Town(
            masters=[*(row.tg_user_id for row in (*masters, *applicants)), self.stranger + 2, *outsiders],
            staff=[*(row.tg_user_id for row in office), *outsiders],
            ids=[row.pk for row in self.rows], codes={"master": invites, "admin": access}, orders=self.orders,
            secrets=self.secrets,
        )  # fmt: skip

    def masters(self, district: District) -> list[Master]:
        """On shift, on a break, off shift, blocked for a debt; each with an order of every kind."""
        found = []
        for number, shift in enumerate([*ShiftStatus, ShiftStatus.SHIFT_ON]):
            on_break = timezone.now() + timedelta(hours=1) if shift == ShiftStatus.BREAK else None
            master = self.master(
                district.city, districts=[district], shift_status=shift, break_until=on_break,
                is_blocked=number == 3, blocked_reason="commission_overdue" if number == 3 else None,
                max_active_orders_override=20,
            )  # fmt: skip
            self.work(district, master, CommissionStatus.OVERDUE if number == 3 else CommissionStatus.WAIT_PAY)
            found.append(master)
        self.offered(district, found)
        for master in found[1:]:
            Referral.objects.create(master=master, referrer=found[0])
        return found

    def master(self, city: City, **fields: Any) -> Master:
        """A master with a phone and an account of his own."""
        account = {"account": f"4100{self.dice.randrange(10**11):011d}"}
        row = MasterFactory(
            city=city, phone=self.secrets.phone(), payout_method=PayoutMethod.YOOMONEY, payout_data=account,
            referral_code=f"R{next(self.numbers):07X}", **fields,
        )  # fmt: skip
        self.secrets.master(row)
        return row

    def work(self, district: District, master: Master, owed: CommissionStatus) -> None:
        """Orders in every status on his hands, debts and rewards."""
        for status in (OrderStatus.ASSIGNED, OrderStatus.EN_ROUTE, OrderStatus.WORKING):
            self.order(district, assigned=True, assigned_master=master, status=status)
        visit = self.order(district, assigned=True, assigned_master=master, status=OrderStatus.WORKING)
        Order.objects.filter(pk=visit.pk).update(type=OrderType.GUARANTEE, company_payment=2500)
        unpaid = self.commission(self.order(district, in_payment=True, assigned_master=master), status=owed)
        self.commission(self.order(district, closed=True, assigned_master=master), status=CommissionStatus.APPROVED,
                        paid_approved_at=timezone.now(), paid_amount=None)  # fmt: skip
        old = self.order(district, closed=True, assigned_master=master, closed_at=timezone.now() - timedelta(days=9999))
        self.secrets.forgotten.add(old.pk)
        ReferralRewardFactory(commission=unpaid, referrer=master)
        for order in (visit, old, unpaid.order):
            AttachmentFactory(entity_id=order.pk, caption=self.secrets.word(), bot="admin")

    def offered(self, district: District, masters: list[Master]) -> None:
        """Orders that look for somebody, wait for the morning, or have no district."""
        for asked in (masters, masters[:1], masters[1:]):
            order = self.order(district, status=OrderStatus.SEARCHING)
            self.rows += [OfferFactory(order=order, master=master) for master in asked]
        tomorrow = timezone.now() + timedelta(days=1)
        self.order(district, status=OrderStatus.DEFERRED, dispatch_at=tomorrow)
        self.order(None, city=district.city, status=OrderStatus.SEARCHING)
        self.order(district, status=OrderStatus.CANCELED, cancel_reason="client")

    def order(self, district: District | None, **fields: Any) -> Order:
        """An order nobody else's looks like."""
        words = {"street_text": self.secrets.word(), "apartment": self.secrets.word()[:9]}
        order = OrderFactory(
            district=district, client_name=self.secrets.word(), client_phone=self.secrets.phone(),
            description=f"<{self.secrets.word()}> &amp; {'я' * self.dice.choice([0, 10, 3000])}",
            address_comment="& <", **words, **fields,
        )  # fmt: skip
        order.description = order.description.split("<")[1].split(">")[0]  # the word itself; the row keeps the rest
        self.secrets.order(order)
        self.rows.append(order)
        self.orders.append(order.pk)
        return order

    def commission(self, order: Order, **fields: Any) -> Commission:
        """A debt of a sum nobody else owes."""
        row = CommissionFactory(order=order, amount=self.secrets.sum(), **fields)
        self.secrets.commission(row)
        self.rows.append(row)
        return row

    def applicants(self, city: City) -> list[Master]:
        """Waiting, rejected, gone; and one in the middle of the questions."""
        code = InviteFactory(city=city).code
        onboarding.begin(tg_user_id=self.stranger + 2, code=code, now=timezone.now())
        now = timezone.now()
        found = [
            *(self.master(city, moderation_status=ModerationStatus.PENDING, applied_at=now) for _ in range(3)),
            *(self.master(city, moderation_status=ModerationStatus.REJECTED, applied_at=now) for _ in range(2)),
            self.master(city, is_deleted=True, applied_at=now),
        ]
        for master in found:
            for kind in ("passport", "selfie"):
                AttachmentFactory(entity_type=AttachmentEntity.MASTER, entity_id=master.pk, document_type=kind)
        return found

    def office(self, here: City, there: City) -> list[Any]:
        """One of every role, one whose access is off."""
        return [
            StaffUserFactory(role=Role.LOGIST, cities=[here]),
            StaffUserFactory(role=Role.CITY_ADMIN, cities=[here]),
            StaffUserFactory(role=Role.CITY_ADMIN, cities=[there]),
            StaffUserFactory(role=Role.LOGIST, cities=[]),
            StaffUserFactory(role=Role.LOGIST, cities=[here], is_active=False),
            StaffUserFactory(role=Role.GLOBAL_ADMIN),
            StaffUserFactory(role=Role.GLOBAL_ADMIN),
        ]
