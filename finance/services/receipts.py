"""Receipts of payments: what a master sends to prove that he has paid, at any time until it is approved."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ConflictError, InvalidError, NotFoundError
from finance.enums import CommissionStatus
from finance.models import Commission
from finance.selectors import receipts_of
from finance.services import notices
from orders.enums import AttachmentEntity
from orders.services import files
from orders.services.files import FileRef

LIMIT = 10


@transaction.atomic
def attach(*, commission_id: int, actor: Actor, file: FileRef, now: datetime | None = None) -> int:
    """Keep a receipt of an own, unpaid commission; the admins hear of the first one of each report. How many there are.

    The same file twice is kept once.
    """
    now = now or timezone.now()
    rows = Commission.objects.select_for_update(no_key=True, of=("self",)).select_related("order")
    commission = rows.filter(pk=commission_id, master_id=actor.master_id or 0).first()
    if commission is None:
        raise NotFoundError(_("There is no commission #%(id)s.") % {"id": commission_id})
    if commission.status not in CommissionStatus.UNPAID:
        raise ConflictError(_("Commission #%(id)s is approved already: nothing to pay.") % {"id": commission.pk})
    present = receipts_of(commission.pk)
    known = {row.file_unique_id for row in present}
    if len(present) >= LIMIT and (file.file_unique_id or file.file_id) not in known:
        raise InvalidError(_("There are %(limit)s receipts already: that is enough.") % {"limit": LIMIT})
    files.attach(file, entity=AttachmentEntity.COMMISSION, entity_id=commission.pk, actor=actor, now=now)
    if not commission.has_checks:
        commission.has_checks = True
        commission.save(update_fields=["has_checks", "updated_at"])
    latest = commission.paid_reported_at or commission.reminded_at  # reported, or last rejected
    occasion = f"receipt:{int(latest.timestamp()) if latest else 0}"
    notices.tell_admins(commission, "commission_receipt", occasion)
    return len(receipts_of(commission.pk))
