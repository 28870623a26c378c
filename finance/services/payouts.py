"""Paying rewards out: a master asks, staff put what is owed into a batch, the bank pays, staff say so.

Lock order: Payout → rewards by id.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.clean import check_reason
from fieldservice.lib.errors import ConflictError, InvalidError, NotFoundError
from fieldservice.lib.money import show_money
from fieldservice.lib.tables import neutral
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from fieldservice.runtime import registry
from finance import scope
from finance.enums import PayoutStatus, RewardStatus
from finance.models import Payout, ReferralReward
from finance.models.referral import TO_PAY
from finance.services import journal, notices
from staff.models import Master, StaffUser
from staff.scope import require
from staff.services.moderation import audit

#: rewards of one batch
LIMIT = 5000
COLUMNS = ("payout_id", "master_id", "master_name", "master_phone", "method", "details", "amount", "purpose")


@transaction.atomic
def ask(*, actor: Actor, now: datetime | None = None) -> Decimal:
    """A master asks for everything accrued; the admins of his city are told once. Returns the sum."""
    now = now or timezone.now()
    master = Master.objects.select_for_update(no_key=True).filter(pk=actor.master_id or 0, is_deleted=False).first()
    if master is None:
        raise NotFoundError(_("There is no such master."))
    if not master.payout_method:
        raise ConflictError(_("Tell us in your profile first where to pay to."))
    rewards = ReferralReward.objects.select_for_update(no_key=True).filter(TO_PAY, referrer=master).order_by("pk")
    open_ = list(rewards[:LIMIT])
    total = sum((reward.amount for reward in open_), Decimal(0))
    least = registry.get("referral_payout_min")
    if not open_ or total < least:
        raise ConflictError(
            _("There is nothing to pay out yet: the balance is %(balance)s, payouts begin at %(least)s.")
            % {"balance": show_money(total), "least": show_money(least)}
        )
    fresh = [reward.pk for reward in open_ if reward.requested_at is None]
    if fresh:
        ReferralReward.objects.filter(pk__in=fresh).update(requested_at=now)
        _tell_admins(master, total, fresh[-1])
    return total


@transaction.atomic
def create(*, actor: Actor, reward_ids: Iterable[int], now: datetime | None = None) -> Payout:
    """A batch of these rewards. What is paid, cancelled, in another batch or not visible is refused as a whole."""
    require(actor, "finance.payout")
    wanted = sorted(set(reward_ids))
    if not wanted:
        raise InvalidError(_("Choose rewards first."))
    if len(wanted) > LIMIT:
        raise InvalidError(_("A payout has %(limit)s rewards at most.") % {"limit": LIMIT})
    seen = _rewards_of(actor).filter(pk__in=wanted)
    rewards = list(
        ReferralReward.objects.select_for_update(no_key=True).filter(pk__in=seen.values("pk")).order_by("pk")
    )
    taken = [reward.pk for reward in rewards if reward.status != RewardStatus.ACCRUED or reward.payout_id]
    if taken or len(rewards) != len(wanted):
        strange = taken or sorted(set(wanted) - {reward.pk for reward in rewards})
        raise ConflictError(
            _("Reward #%(id)s cannot be paid out: it is paid, canceled or in another payout.") % {"id": strange[0]}
        )
    payout = Payout.objects.create(
        total=sum((reward.amount for reward in rewards), Decimal(0)),
        masters_count=len({reward.referrer_id for reward in rewards}),
        created_by_staff_id=actor.staff_id,
        created_at=now or timezone.now(),
    )
    ReferralReward.objects.filter(pk__in=wanted).update(payout=payout)
    audit("payout_created", actor=actor, payout_id=payout.pk, total=str(payout.total), rewards=len(rewards))
    return payout


@transaction.atomic
def mark_paid(*, payout_id: int, actor: Actor, now: datetime | None = None) -> Payout:
    """The bank has paid: every reward of the batch is PAID, every inviter is told the sum. Once."""
    now = now or timezone.now()
    payout = _lock(payout_id, actor)
    rewards = list(payout.rewards.select_for_update(no_key=True).order_by("pk"))
    journal.take_over("rewards", [reward.pk for reward in rewards])
    payout.rewards.update(status=RewardStatus.PAID, paid_at=now)
    journal.rewards_paid(rewards, actor=actor, now=now)
    _close(payout, PayoutStatus.PAID, actor, now)
    sums: dict[int, Decimal] = {}
    for reward in rewards:
        sums[reward.referrer_id] = sums.get(reward.referrer_id, Decimal(0)) + reward.amount
    outbox.enqueue(
        Message(
            event="referral_paid",
            master_id=master_id,
            payload={"payout_id": payout.pk, "amount": str(total)},
            dedup_key=f"payout:{payout.pk}:{master_id}",
        )
        for master_id, total in sums.items()
    )
    return payout


@transaction.atomic
def cancel(*, payout_id: int, actor: Actor, reason: str, now: datetime | None = None) -> Payout:
    """Nothing was paid: the rewards can go into another batch."""
    reason = check_reason(reason)
    payout = _lock(payout_id, actor)
    payout.rewards.update(payout=None)
    payout.reason = reason
    _close(payout, PayoutStatus.CANCELED, actor, now or timezone.now())
    return payout


def bank_file(*, payout_id: int, actor: Actor) -> str:
    """The batch as CSV for the bank: a line per master, with full payment details. Each reading is audited."""
    require(actor, "finance.payout")
    payout = _found(payout_id, actor)
    lines = (
        payout.rewards.values("referrer_id", "referrer__full_name", "referrer__phone", "referrer__payout_method",
                              "referrer__payout_data")
        .annotate(total=Sum("amount")).order_by("referrer_id")
    )  # fmt: skip
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(COLUMNS)
    for line in lines:
        writer.writerow(_line(payout, line))
    audit("payout_file", actor=actor, payout_id=payout.pk)
    return "\ufeff" + out.getvalue()


def details(data: Any) -> str:
    """Where to pay to, as onboarding stored it: the values, joined."""
    values = data.values() if isinstance(data, dict) else [data] if data else []
    return ", ".join(str(value) for value in values if value not in (None, ""))


def _line(payout: Payout, line: Any) -> Sequence[str]:
    return [
        str(payout.pk),
        str(line["referrer_id"]),
        neutral(line["referrer__full_name"] or ""),
        neutral(line["referrer__phone"] or ""),
        line["referrer__payout_method"] or "",
        neutral(details(line["referrer__payout_data"])),
        f"{line['total']:.2f}",
        _("Referral rewards, payout %(id)s") % {"id": payout.pk},
    ]


def _close(payout: Payout, status: PayoutStatus, actor: Actor, now: datetime) -> None:
    payout.status, payout.closed_at, payout.closed_by_staff_id = status, now, actor.staff_id
    payout.save(update_fields=["status", "closed_at", "closed_by_staff", "reason"])
    audit(f"payout_{status.value.lower()}", actor=actor, payout_id=payout.pk, reason=payout.reason or "")


def _lock(payout_id: int, actor: Actor) -> Payout:
    require(actor, "finance.payout")
    _found(payout_id, actor)
    payout = Payout.objects.select_for_update(no_key=True).get(pk=payout_id)
    if payout.status != PayoutStatus.OPEN:
        raise ConflictError(
            _("Payout #%(id)s is «%(status)s» already.") % {"id": payout.pk, "status": payout.get_status_display()}
        )
    return payout


def _found(payout_id: int, actor: Actor) -> Payout:
    payout = _payouts_of(actor).filter(pk=payout_id).first()
    if payout is None:
        raise NotFoundError(_("There is no payout #%(id)s.") % {"id": payout_id})
    return payout


def _member(actor: Actor) -> StaffUser | None:
    return StaffUser.objects.filter(pk=actor.staff_id or 0).first() if actor.kind == "staff" else None


def _rewards_of(actor: Actor) -> QuerySet[ReferralReward]:
    member = _member(actor)
    return scope.rewards_visible_to(member) if member else ReferralReward.objects.all()


def _payouts_of(actor: Actor) -> QuerySet[Payout]:
    member = _member(actor)
    return scope.payouts_visible_to(member) if member else Payout.objects.all()


def _tell_admins(master: Master, total: Decimal, latest: int) -> None:
    payload = {"master_id": master.pk, "amount": str(total)}
    outbox.enqueue(
        Message(
            event="payout_requested",
            staff_id=pk,
            payload=payload,
            dedup_key=f"payout_request:{master.pk}:{latest}:{pk}",
        )
        for pk in notices.admins_of(master.city_id or 0)
    )
