"""Approving many commissions: first what it would be, then each on its own, with an answer for each."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import DomainError, InvalidError
from fieldservice.lib.money import show_money
from finance import scope
from finance.enums import CommissionStatus
from finance.models import Commission
from finance.models.commission import TO_CHECK
from finance.services import commissions
from staff.models import StaffUser

log = logging.getLogger(__name__)
LIMIT = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one commission; `sentence` says why not."""

    commission_id: int
    done: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What an approval of these would be: only unpaid ones count."""

    rows: tuple[Commission, ...]

    @property
    def open(self) -> list[Commission]:
        """The unpaid ones."""
        return [row for row in self.rows if row.status in CommissionStatus.UNPAID]

    @property
    def total(self) -> Decimal:
        """Their sum."""
        return sum((row.amount for row in self.open), Decimal(0))


def preview(*, member: StaffUser, ids: Iterable[int]) -> Preview:
    """The commissions of `ids` the member sees, by number. Raises InvalidError for too many."""
    wanted = set(ids)
    if len(wanted) > LIMIT:
        raise InvalidError(_("At most %(limit)s at once, please: narrow the list.") % {"limit": LIMIT})
    return Preview(tuple(scope.visible_to(member).filter(pk__in=wanted).order_by("pk")))


def reported(*, member: StaffUser, days: int, now: datetime) -> Preview:
    """Payments reported within the last `days` days, longest waiting first; at most LIMIT."""
    rows: QuerySet[Commission] = scope.visible_to(member).filter(
        TO_CHECK, paid_reported_at__gte=now - timedelta(days=days)
    )
    return Preview(tuple(rows.order_by("paid_reported_at", "pk")[:LIMIT]))


def approve(*, actor: Actor, seen: Sequence[tuple[int, Decimal]]) -> list[Outcome]:
    """Approve each of (number, the due that was shown), each in a transaction of its own: one never stops another."""
    return [_one(actor, pk, due) for pk, due in seen[:LIMIT]]


def _one(actor: Actor, commission_id: int, due: Decimal) -> Outcome:
    try:
        commission = commissions.approve(commission_id=commission_id, actor=actor, seen=due)
    except DomainError as error:
        return Outcome(commission_id, False, str(error))
    except Exception:
        log.exception("bulk_approve_failed", extra={"commission": commission_id})
        return Outcome(commission_id, False, _("It could not be approved; try it alone."))
    return Outcome(commission_id, True, _("Approved: %(sum)s") % {"sum": show_money(commission.amount)})
