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
from fieldservice.lib.errors import ConflictError, InvalidError, NotFoundError, StaleError
from fieldservice.lib.money import check_sum, round_money, show_money
from fieldservice.runtime import registry
from finance.enums import CommissionStatus
from finance.models import Commission
from finance.services import journal, notices, referrals, requisites
from orders.enums import OrderStatus
from orders.models import Order
from orders.selectors import average_checks
from orders.services import lifecycle
from staff.enums import BlockReason
from staff.models import Master
from staff.scope import require, require_city
from staff.services import moderation

S = CommissionStatus
log = logging.getLogger(__name__)
#: at least so long after a rejection
GRACE = timedelta(hours=1)
#: the columns of an approval and of its end
APPROVAL = [
    "status", "is_paid", "paid_amount", "paid_approved_at", "approved_by_staff", "amount_reason", "updated_at",
]  # fmt: skip


def create(order: Order, *, actor: Actor, now: datetime) -> Commission:
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
    commission = Commission.objects.create(
        order=order,
        master=master,
        amount=round_money(order.total_sum * percent / 100),
        rate=Decimal(percent) / 100,
        status=S.WAIT_PAY,
        created_at=now,
        deadline_at=now + timedelta(hours=values["commission_deadline_hours"]),
        requisites=version,
        pay_to_snapshot=requisites.snapshot(version, order=order, master=master),
        reminded_at=now,
    )
    journal.commission_created(commission, actor=actor, now=now)
    return commission


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
    commission.paid_reported_at, commission.report_alerted_at = now, None
    if commission.status == S.WAIT_PAY:
        commission.status = S.REPORTED
    commission.save(update_fields=["status", "paid_reported_at", "report_alerted_at", "updated_at"])
    notices.tell_admins(commission, "commission_reported", f"reported:{int(now.timestamp())}")
    return commission


@transaction.atomic
def approve(
    *,
    commission_id: int,
    actor: Actor,
    amount: Decimal | None = None,
    reason: str = "",
    seen: Decimal | None = None,
    now: datetime | None = None,
) -> Commission:
    """The money is here: the order is closed, rewards accrue, a block for this debt ends.

    `amount` differs from the due only with a reason of 3–200 characters. A second approval is refused, and so is one
    by somebody who saw another due (`seen`).
    """
    now = now or timezone.now()
    commission = _for_staff(commission_id, actor)
    if commission.status == S.APPROVED:
        raise ConflictError(
            _("Commission #%(id)s is approved already.") % {"id": commission.pk}, code="already_approved"
        )
    if seen is not None and seen != commission.amount:
        raise StaleError(
            _("Commission #%(id)s is %(amount)s now: look at it again.")
            % {"id": commission.pk, "amount": show_money(commission.amount)}
        )
    paid, why = _paid(commission, amount, reason)
    commission.status, commission.is_paid, commission.paid_amount = S.APPROVED, True, paid
    commission.paid_approved_at, commission.approved_by_staff_id = now, actor.staff_id
    commission.amount_reason, commission.payment_reference, commission.reject_reason = why, None, None
    commission.save(update_fields=[*APPROVAL, "payment_reference", "reject_reason"])
    journal.commission_approved(commission, actor=actor, now=now)
    if commission.order.status == OrderStatus.PAYMENT:  # v1.2 let orders be closed or cancelled before
        lifecycle.close_paid(commission.order, actor=actor, now=now)
    referrals.accrue(commission, actor=actor, now=now)
    notices.tell_master(commission, "commission_approved")
    _lift_block(commission.master_id, now)
    return commission


@transaction.atomic
def reject(*, commission_id: int, actor: Actor, reason: str, now: datetime | None = None) -> Commission:
    """The reported payment was not found; the master is told why.

    REPORTED goes back to WAIT_PAY with at least an hour to pay. OVERDUE stays so, and its master blocked: a false
    report buys no time. He may report anew.
    """
    now = now or timezone.now()
    reason = check_reason(reason)
    commission = _for_staff(commission_id, actor)
    if not commission.waits_for_check:
        raise ConflictError(
            _("Commission #%(id)s is «%(status)s»: there is no report to reject.")
            % {"id": commission.pk, "status": commission.get_status_display()}
        )
    if commission.status == S.REPORTED:
        commission.status = S.WAIT_PAY
        commission.deadline_at = max(commission.deadline_at, now + GRACE)
    commission.paid_reported_at, commission.reminded_at = None, now
    commission.reject_reason, commission.payment_reference = reason, reason[:120]
    commission.save(
        update_fields=[
            "status", "paid_reported_at", "reminded_at", "deadline_at", "reject_reason", "payment_reference",
            "updated_at",
        ]
    )  # fmt: skip
    journal.commission_rejected(commission, actor=actor, now=now, note=reason)
    notices.tell_master(commission, "commission_rejected", reason=reason)
    return commission


@transaction.atomic
def revoke(*, commission_id: int, actor: Actor, reason: str, now: datetime | None = None) -> Commission:
    """An approval was a mistake: the debt is there again with a new term, rewards not yet paid out are cancelled.

    The order stays CLOSED: the work is done. A reward that was paid out stays paid.
    """
    now = now or timezone.now()
    reason = check_reason(reason)
    commission = _for_staff(commission_id, actor)
    if commission.status != S.APPROVED:
        raise ConflictError(_("Commission #%(id)s is not approved.") % {"id": commission.pk})
    journal.approval_revoked(commission, actor=actor, now=now, note=reason)
    referrals.cancel_of(commission, actor=actor, reason=reason, now=now)
    term = timedelta(hours=registry.get("commission_deadline_hours"))
    commission.status, commission.is_paid, commission.paid_amount = S.WAIT_PAY, False, None
    commission.paid_approved_at, commission.approved_by_staff_id, commission.amount_reason = None, None, None
    commission.paid_reported_at, commission.reject_reason = None, reason
    commission.deadline_at, commission.reminded_at = now + term, now
    commission.save(update_fields=[*APPROVAL, "paid_reported_at", "reject_reason", "deadline_at", "reminded_at"])
    moderation.audit(
        "commission_revoked", actor=actor, master_id=commission.master_id, commission_id=commission.pk, reason=reason
    )
    notices.tell_master(commission, "commission_revoked", reason=reason)
    return commission


@transaction.atomic
def correct(
    *, commission_id: int, actor: Actor, total_sum: Decimal, reason: str, now: datetime | None = None
) -> Commission:
    """The order's sum was mistyped: the right one, and the due of the same rate. Not once it is approved."""
    now = now or timezone.now()
    reason, total_sum = check_reason(reason), _sum("total_sum", total_sum)
    commission = _for_staff(commission_id, actor)
    if commission.status == S.APPROVED:
        raise ConflictError(
            _("Commission #%(id)s is approved already: revoke the approval first.") % {"id": commission.pk}
        )
    order, before = commission.order, commission.amount
    if order.total_sum == total_sum:
        raise InvalidError({"total_sum": _("This is the sum of the order already.")})
    was = order.total_sum
    lifecycle.correct_sum(order, total_sum=total_sum, actor=actor, reason=reason, now=now)
    commission.amount = round_money(total_sum * _rate(commission, was))
    commission.save(update_fields=["amount", "updated_at"])
    journal.commission_changed(commission, before, actor=actor, now=now, note=reason)
    notices.tell_master(commission, "commission_changed", reason=reason, before=str(before))
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
    notices.tell_master(commission, "commission_overdue")
    notices.tell_admins(commission, "commission_overdue_alert", f"overdue:{int(now.timestamp())}", channel=True)
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
    journal.take_over("commissions", [commission.pk])
    return commission


def _no_commission(commission_id: int) -> str:
    return _("There is no commission #%(id)s.") % {"id": commission_id}


def _rate(commission: Commission, total_sum: Decimal) -> Decimal:
    """The frozen rate; v1.2 rows without one have the share they were made with."""
    if commission.rate is not None:
        return commission.rate
    return commission.amount / total_sum if total_sum else Decimal(0)


def _paid(commission: Commission, amount: Decimal | None, reason: str) -> tuple[Decimal, str | None]:
    if amount is None or amount == commission.amount:
        return commission.amount, None
    amount = _sum("amount", amount)
    return (amount, None) if amount == commission.amount else (amount, check_reason(reason))


def _sum(field: str, value: Decimal) -> Decimal:
    try:
        return check_sum(value)
    except InvalidError as error:
        raise InvalidError({field: str(error)}) from error
