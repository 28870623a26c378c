"""Who hears of a commission: its master, the admins of its city, the ALERTS channel."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from fieldservice.runtime import registry
from finance.models import Commission
from staff.enums import Role
from staff.models import StaffUser


def tell_master(commission: Commission, event: str, expires: datetime | None = None, **payload: Any) -> None:
    """A message to the master about his commission; pointless after `expires`."""
    outbox.enqueue(
        Message(
            event=event,
            master_id=commission.master_id,
            payload={"commission_id": commission.pk} | payload,
            expires_at=expires,
        )
    )


def tell_admins(commission: Commission, event: str, occasion: str, *, channel: bool = False) -> None:
    """A message to everybody who may approve it, once for each `occasion`; with `channel` also to ALERTS."""
    payload = {"commission_id": commission.pk}
    key = f"commission:{commission.pk}:{occasion}"
    messages = [
        Message(event=event, staff_id=pk, payload=payload, dedup_key=f"{key}:{pk}")
        for pk in admins_of(commission.order.city_id)
    ]
    chat_id = registry.get("alerts_channel_id") if channel else 0
    if chat_id:
        messages.append(Message(event=event, chat_id=chat_id, payload=payload, dedup_key=f"{key}:channel"))
    outbox.enqueue(messages)


def admins_of(city_id: int) -> list[int]:
    """The admins of the city who have Telegram."""
    admins = StaffUser.objects.filter(is_active=True, tg_user_id__isnull=False)
    everywhere = admins.filter(role=Role.GLOBAL_ADMIN).values_list("pk", flat=True)
    here = admins.filter(role=Role.CITY_ADMIN, cities=city_id).values_list("pk", flat=True)
    return sorted({*everywhere, *here})
