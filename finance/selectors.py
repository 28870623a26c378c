"""Reading money: what a master owes, has paid and has earned by invitations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Max, Q, QuerySet, Sum

from fieldservice.lib.prepared import prepared
from finance.enums import CommissionStatus, RewardStatus
from finance.models import Commission, OwnerRequisites, Referral, ReferralReward
from finance.models.commission import TO_CHECK
from finance.models.referral import TO_PAY
from orders.models import Attachment
from orders.selectors import commission_files

ZERO = Decimal(0)
#: what lists show of a commission; the rest is read when it is asked for
LISTED = (
    "order_id", "amount", "paid_amount", "status", "deadline_at", "paid_reported_at", "paid_approved_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Totals:
    """How many commissions and how much, by state; and of them all, what waits for a check."""

    counts: dict[str, int]
    sums: dict[str, Decimal]
    to_check: int
    sum_to_check: Decimal

    def count(self, *states: str) -> int:
        """How many in these states."""
        return sum(self.counts.get(state, 0) for state in states)

    def sum(self, *states: str) -> Decimal:
        """How much: what was paid of the approved ones, what is due of the others."""
        return sum((self.sums.get(state, ZERO) for state in states), ZERO)


def totals(rows: QuerySet[Commission]) -> Totals:
    """The totals of `rows`, in one statement."""
    return _totals(_by_status(rows))


def totals_of(master_id: int) -> Totals:
    """The totals of a master, in one statement."""
    return _totals(_states_of(master_id=master_id))


@prepared
def _states_of(*, master_id: int) -> Any:
    return _by_status(Commission.objects.filter(master_id=master_id))


def _by_status(rows: QuerySet[Commission]) -> Any:
    return rows.order_by().values_list("status").annotate(
        Count("id"), Sum("amount"), Sum("paid_amount"),
        checks=Count("id", filter=TO_CHECK), sum_of_checks=Sum("amount", filter=TO_CHECK),
    )  # fmt: skip


def _totals(found: Iterable[Any]) -> Totals:
    counts, sums, to_check, sum_to_check = {}, {}, 0, ZERO
    for status, count, due, paid, checks, sum_of_checks in found:
        to_check, sum_to_check = to_check + checks, sum_to_check + (sum_of_checks or ZERO)
        counts[str(status)] = count
        sums[str(status)] = (paid if status == CommissionStatus.APPROVED and paid is not None else due) or ZERO
    return Totals(counts, sums, to_check, sum_to_check)


def commissions_of(master_id: int) -> QuerySet[Commission]:
    """The master's commissions."""
    return Commission.objects.select_related("order__city").filter(master_id=master_id)


def some_commissions(
    *, master_id: int, states: tuple[str, ...], order: tuple[str, ...], start: int, size: int
) -> list[Commission]:
    """Some of the master's commissions in these states, each with the `zone` of its city."""
    return _some(states, order, start, start + size, master_id=master_id)


@prepared
def _some(
    states: tuple[str, ...], order: tuple[str, ...], start: int, end: int, *, master_id: int
) -> QuerySet[Commission]:
    rows = Commission.objects.filter(master_id=master_id, status__in=states).only(*LISTED)
    return rows.annotate(zone=F("order__city__timezone")).order_by(*order)[start:end]


def commission_of(*, master_id: int, commission_id: int) -> Commission | None:
    """The master's own commission in any state."""
    return _commission_of.first(master_id=master_id, commission_id=commission_id)


@prepared
def _commission_of(*, master_id: int, commission_id: int) -> QuerySet[Commission]:
    return commissions_of(master_id).select_related("order__district", "order__street").filter(pk=commission_id)


def commission_for(*, master_id: int, order_id: int) -> Commission | None:
    """What the master owes for the order."""
    return _commission_for.first(master_id=master_id, order_id=order_id)


@prepared
def _commission_for(*, master_id: int, order_id: int) -> QuerySet[Commission]:
    return Commission.objects.filter(master_id=master_id, order_id=order_id).order_by("pk")[:1]


def receipts_of(commission_id: int) -> list[Attachment]:
    """What the master sent to prove a payment, oldest first."""
    return commission_files(commission_id)


def latest_requisites_id() -> int | None:
    """The version in force."""
    newest: int | None = OwnerRequisites.objects.aggregate(newest=Max("pk"))["newest"]
    return newest


@dataclass(frozen=True, slots=True)
class Balance:
    """What a master has earned by invitations: to be paid out, asked for, on its way to the bank, paid."""

    open: Decimal
    requested: Decimal
    in_payout: Decimal
    paid: Decimal
    #: level → (rewards, sum), without cancelled ones
    levels: dict[int, tuple[int, Decimal]]

    @property
    def earned(self) -> Decimal:
        """Everything, without what was cancelled."""
        return sum((amount for _count, amount in self.levels.values()), ZERO)


def balance(*, master_id: int) -> Balance:
    """The balance of an inviter, in one statement."""
    rows = ReferralReward.objects.filter(referrer_id=master_id).exclude(status=RewardStatus.CANCELED)
    accrued = Q(status=RewardStatus.ACCRUED)
    by_level = rows.order_by().values("level").annotate(
        count=Count("id"),
        total=Sum("amount"),
        open=Sum("amount", filter=TO_PAY),
        requested=Sum("amount", filter=TO_PAY & Q(requested_at__isnull=False)),
        in_payout=Sum("amount", filter=accrued & Q(payout__isnull=False)),
        paid=Sum("amount", filter=Q(status=RewardStatus.PAID)),
    )  # fmt: skip
    found = list(by_level)
    parts = {name: _sum(row[name] for row in found) for name in ("open", "requested", "in_payout", "paid")}
    return Balance(**parts, levels={row["level"]: (row["count"], row["total"] or ZERO) for row in found})


def invited_by(*, master_id: int) -> QuerySet[Referral]:
    """Whom the master invited, newest first."""
    return Referral.objects.select_related("master").filter(referrer_id=master_id).order_by("-created_at", "-id")


def rewards_of(*, master_id: int) -> QuerySet[ReferralReward]:
    """The rewards of an inviter, newest first."""
    rows = ReferralReward.objects.select_related("commission").filter(referrer_id=master_id)
    return rows.order_by("-created_at", "-id")


def _sum(values: Iterable[Decimal | None]) -> Decimal:
    return sum((value for value in values if value), ZERO)
