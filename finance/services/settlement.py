"""Closing a job: the act, the sum and the commission in one transaction (spec §3, §8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.money import check_sum
from finance.models import Commission
from finance.services import commissions
from orders.enums import AttachmentEntity, OrderStatus
from orders.models import Order
from orders.services import files, lifecycle
from orders.services.files import FileRef


@transaction.atomic
def close_job(
    *, order_id: int, actor: Actor, total_sum: Decimal, act: FileRef | Sequence[FileRef], now: datetime | None = None
) -> Commission | None:
    """The assigned master hands in sum and act. NORMAL: PAYMENT with a commission; GUARANTEE: CLOSED, None.

    A repeated call (a double tap, the next page of an album) keeps its files and returns the same commission.
    """
    now = now or timezone.now()
    pages = [act] if isinstance(act, FileRef) else list(act)
    if not pages:
        raise InvalidError({"act": _("Send a photo or a document of the signed act.")})
    order = lifecycle.lock(order_id)
    lifecycle.own(order, actor)
    first_time = order.status == OrderStatus.WORKING
    if first_time:
        _finish(order, actor, total_sum, now)
    elif order.status not in (OrderStatus.PAYMENT, OrderStatus.CLOSED):
        lifecycle.finish(order, actor=actor, total_sum=total_sum, now=now)  # says what the order's state is
    for page in pages:
        files.attach(page, entity=AttachmentEntity.ORDER, entity_id=order.pk, actor=actor, now=now, document_type="act")
    if lifecycle.is_guarantee(order):
        return None
    return (
        commissions.create(order, actor=actor, now=now)
        if first_time
        else Commission.objects.filter(order=order).first()
    )


def _finish(order: Order, actor: Actor, total_sum: Decimal, now: datetime) -> None:
    try:
        total_sum = Decimal(0) if lifecycle.is_guarantee(order) else check_sum(total_sum)
    except InvalidError as error:
        raise InvalidError({"total_sum": str(error)}) from error
    lifecycle.finish(order, actor=actor, total_sum=total_sum, now=now)
