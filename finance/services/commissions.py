"""THE writer of `Commission.status`: created with the act, reported, approved, rejected, overdue (spec §8).

Lock order: Order → Commission → Master.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fieldservice.lib.actor import SYSTEM, Actor
from fieldservice.lib.clean import check_reason
from fieldservice.lib.errors import ConflictError, InvalidError, NotFoundError
from fieldservice.lib.money import check_sum, round_money
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from fieldservice.runtime import registry
from finance.enums import CommissionStatus
from finance.models import Commission
from finance.services import referrals, requisites
from orders.enums import OrderStatus
from orders.models import Order
from orders.selectors import average_checks
from orders.services import lifecycle
from staff.enums import BlockReason, Role
from staff.models import Master, StaffUser
from staff.scope import require, require_city
from staff.services import moderation

S = CommissionStatus
log = logging.getLogger(__name__)


def create(order: Order, *, now: datetime) -> Commission:
    """The commission of an order that was just finished (locked, PAYMENT): rate, deadline and requisites are frozen.

    An order has one: v1.2 took orders back from PAYMENT, and their commission is there already.
    """
    if existing := Commission.objects.filter(order=order).first():
        return existing
    values = registry.read(
        [
            "commission_deadline_hours",
            "commission_percent_default",
            "commission_percent_high_volume",
            "commission_high_volume_threshold",
        ]
    )
    master = Master.objects.get(pk=order.assigned_master_id or 0)
    average = average_checks([master.pk], now=now).get(master.pk, Decimal(0))
    high = round_money(average) >= values["commission_high_volume_threshold"]
    percent = values["commission_percent_high_volume" if high else "commission_percent_default"]
    version = requisites.current()
    return Commission.objects.create(
        order=order,
        master=master,
        amount=round_money(order.total_sum * percent / 100),
        rate=Decimal(percent) / 100,
        status=S.WAIT_PAY,
        created_at=now,
        deadline_at=now + timedelta(hours=values["commission_deadline_hours"]),
        requisites=version,
        pay_to_snapshot=requisites.snapshot(version, order=order, master=master),
    )


@transaction.atomic
def report_paid(*, commission_id: int, actor: Actor, now: datetime | None = None) -> Commission:
    """The master says «I paid»; admins are told. An overdue commission stays overdue, its report is noted."""
    now = now or timezone.now()
    commission = _lock(commission_id)
    if actor.kind != lifecycle.MASTER or commission.master_id != actor.master_id:
        raise NotFoundError(_no_commission(commission_id))
    if commission.status == S.APPROVED:
        raise ConflictError(_("Commission #%(id)s is approved already: nothing to pay.") % {"id": commission.pk})
    if commission.paid_reported_at:
        return commission
    commission.paid_reported_at = now
    if commission.status == S.WAIT_PAY:
        commission.status = S.REPORTED
    commission.save(update_fields=["status", "paid_reported_at", "updated_at"])
    _tell_admins(commission, "commission_reported", f"reported:{int(now.timestamp())}")
    return commission


@transaction.atomic
def approve(
    *, commission_id: int, actor: Actor, amount: Decimal | None = None, reason: str = "", now: datetime | None = None
) -> Commission:
    """The money is here: the order is closed, rewards accrue, a block for this debt ends.

    `amount` differs from the due only with a reason of 3–200 characters. A second approval is refused.
    """
    now = now or timezone.now()
    commission = _for_staff(commission_id, actor)
    if commission.status == S.APPROVED:
        raise ConflictError(
            _("Commission #%(id)s is approved already.") % {"id": commission.pk}, code="already_approved"
        )
    paid, why = _paid(commission, amount, reason)
    commission.status, commission.is_paid, commission.paid_amount = S.APPROVED, True, paid
    commission.paid_approved_at, commission.approved_by_staff_id = now, actor.staff_id
    commission.amount_reason, commission.payment_reference = why, None
    commission.save(
        update_fields=[
            "status",
            "is_paid",
            "paid_amount",
            "paid_approved_at",
            "approved_by_staff",
            "amount_reason",
            "payment_reference",
            "updated_at",
        ]
    )
    if commission.order.status == OrderStatus.PAYMENT:  # v1.2 let orders be closed or cancelled before
        lifecycle.close_paid(commission.order, actor=actor, now=now)
    referrals.accrue(commission, now=now)
    outbox.enqueue(
        Message(event="commission_approved", master_id=commission.master_id, payload={"commission_id": commission.pk})
    )
    _lift_block(commission.master_id, now)
    return commission


@transaction.atomic
def reject(*, commission_id: int, actor: Actor, reason: str, now: datetime | None = None) -> Commission:
    """The reported payment was not found: back to WAIT_PAY with at least an hour to pay; the master is told why."""
    now = now or timezone.now()
    reason = check_reason(reason)
    commission = _for_staff(commission_id, actor)
    if commission.status != S.REPORTED:
        raise ConflictError(
            _("Commission #%(id)s is «%(status)s»: there is no report to reject.")
            % {"id": commission.pk, "status": commission.get_status_display()}
        )
    commission.status, commission.paid_reported_at = S.WAIT_PAY, None
    commission.deadline_at = max(commission.deadline_at, now + timedelta(hours=1))
    commission.payment_reference = reason[:120]
    commission.save(update_fields=["status", "paid_reported_at", "deadline_at", "payment_reference", "updated_at"])
    outbox.enqueue(
        Message(
            event="commission_rejected",
            master_id=commission.master_id,
            payload={"commission_id": commission.pk, "reason": reason},
        )
    )
    return commission


def mark_overdue(*, now: datetime, limit: int = 500) -> int:
    """Unpaid, unreported, past the deadline: OVERDUE, the master is blocked and told, ALERTS too. Returns how many."""
    late = Commission.objects.filter(status=S.WAIT_PAY, deadline_at__lt=now).order_by("deadline_at")
    done = 0
    for pk in late.values_list("pk", flat=True)[:limit]:
        try:
            done += _mark_one(pk, now)
        except Exception:  # one bad row must not keep the others from their deadline
            log.exception("mark_overdue_failed", extra={"commission": pk})
    return done


@transaction.atomic
def _mark_one(commission_id: int, now: datetime) -> bool:
    commission = _lock(commission_id)
    if commission.status != S.WAIT_PAY or commission.deadline_at >= now:  # paid or reported a moment ago
        return False
    commission.status, commission.blocked_applied, commission.blocked_at = S.OVERDUE, True, now
    commission.save(update_fields=["status", "blocked_applied", "blocked_at", "updated_at"])
    moderation.block(
        master_id=commission.master_id, reason=BlockReason.COMMISSION_OVERDUE, actor=SYSTEM, now=now, tell=False
    )
    outbox.enqueue(
        Message(event="commission_overdue", master_id=commission.master_id, payload={"commission_id": commission.pk})
    )
    _tell_admins(commission, "commission_overdue_alert", "overdue")
    return True


def _lift_block(master_id: int, now: datetime) -> None:
    # the lock first: of two approvals at once, each would see the other's commission as overdue still
    master = Master.objects.select_for_update(no_key=True).get(pk=master_id)
    still = Commission.objects.filter(master_id=master_id, status=S.OVERDUE).exists()
    if master.is_blocked and master.blocked_reason == BlockReason.COMMISSION_OVERDUE and not still:
        moderation.unblock(master_id=master_id, actor=SYSTEM, now=now)


def _lock(commission_id: int) -> Commission:
    order_id = Commission.objects.filter(pk=commission_id).values_list("order_id", flat=True).first()
    if order_id is None:
        raise NotFoundError(_no_commission(commission_id))
    order = lifecycle.lock(order_id)
    commission = Commission.objects.select_for_update(no_key=True).get(pk=commission_id)
    commission.order = order
    return commission


def _for_staff(commission_id: int, actor: Actor) -> Commission:
    require(actor, "finance.approve")
    commission = _lock(commission_id)
    require_city(actor, commission.order.city_id, missing=_no_commission(commission_id))
    return commission


def _no_commission(commission_id: int) -> str:
    return _("There is no commission #%(id)s.") % {"id": commission_id}


def _paid(commission: Commission, amount: Decimal | None, reason: str) -> tuple[Decimal, str | None]:
    if amount is None or amount == commission.amount:
        return commission.amount, None
    try:
        amount = check_sum(amount)
    except InvalidError as error:
        raise InvalidError({"amount": str(error)}) from error
    return (amount, None) if amount == commission.amount else (amount, check_reason(reason))


def _tell_admins(commission: Commission, event: str, occasion: str) -> None:
    admins = StaffUser.objects.filter(is_active=True, tg_user_id__isnull=False)
    city = commission.order.city_id
    people = admins.filter(role=Role.GLOBAL_ADMIN).union(admins.filter(role=Role.CITY_ADMIN, cities=city))
    payload = {"commission_id": commission.pk}
    messages = [
        Message(
            event=event,
            staff_id=person.pk,
            payload=payload,
            dedup_key=f"commission:{commission.pk}:{occasion}:{person.pk}",
        )
        for person in people
    ]
    channel = registry.get("alerts_channel_id") if event == "commission_overdue_alert" else 0
    if channel:
        messages.append(
            Message(
                event=event,
                chat_id=channel,
                payload=payload,
                dedup_key=f"commission:{commission.pk}:{occasion}:channel",
            )
        )
    outbox.enqueue(messages)
