"""The outbox: write a row in the transaction that causes the message; the bot's process delivers it (spec §11)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from fieldservice.outbox.models import BotName, Lane, Notification, Outcome

TO_MASTERS = """
INSERT INTO notifications_outbox(bot, master_id, event, payload, lane, expires_at, edits_key, dedup_key)
SELECT 'master', m, %(event)s, p::jsonb, %(lane)s, %(expires)s, k, CASE WHEN %(once)s THEN k END
  FROM unnest(%(masters)s::int[], %(payloads)s::text[], %(keys)s::text[]) AS t(m, p, k)
ON CONFLICT DO NOTHING"""
#: the pump listens to `outbox_<bot>`
CHANNEL = "outbox_{bot}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What to say to whom: exactly one of `master_id`, `staff_id`, `chat_id` (a channel)."""

    event: str
    payload: dict[str, Any] = field(default_factory=dict)
    master_id: int | None = None
    staff_id: int | None = None
    chat_id: int | None = None
    lane: Lane = Lane.PERSONAL
    due_at: datetime | None = None
    expires_at: datetime | None = None
    #: at most one row with this key is ever written
    dedup_key: str | None = None
    #: rows with one key are one message on the screen: the first sends it, later ones edit it
    edits_key: str | None = None
    #: the bot that sends it, where it is not the usual one
    via: BotName | None = None

    def __post_init__(self) -> None:
        if [self.master_id, self.staff_id, self.chat_id].count(None) != 2:
            raise ValueError(f"{self.event}: a message has exactly one of master_id, staff_id, chat_id")

    @property
    def bot(self) -> str:
        """Masters hear from the master bot, everybody else from the admin bot."""
        return self.via or (BotName.MASTER if self.master_id else BotName.ADMIN)


def enqueue(messages: Message | Iterable[Message]) -> None:
    """Write the messages in the running transaction and wake the pumps when it commits."""
    batch = [messages] if isinstance(messages, Message) else list(messages)
    if not batch:
        return
    now = timezone.now()
    Notification.objects.bulk_create(
        [
            Notification(
                event=m.event,
                payload=m.payload,
                master_id=m.master_id,
                staff_id=m.staff_id,
                chat_id=m.chat_id,
                bot=m.bot,
                lane=m.lane,
                due_at=m.due_at or now,
                expires_at=m.expires_at,
                dedup_key=m.dedup_key,
                edits_key=m.edits_key,
            )
            for m in batch
        ],
        batch_size=1000,
        ignore_conflicts=True,  # a dedup key that is there already: the message is on its way
    )
    ring({m.bot for m in batch})


def enqueue_to_masters(
    event: str,
    rows: Sequence[tuple[int, str, str]],
    *,
    lane: Lane,
    expires_at: datetime | None = None,
    once: bool = False,
) -> None:
    """The same event for many masters in one statement: rows of (master id, payload as JSON, edits key).

    `once`: the edits key is the dedup key, too: the message is sent once, later rows with the key edit it.
    """
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            TO_MASTERS,
            {
                "event": event, "lane": int(lane), "expires": expires_at, "once": once,
                "masters": [master for master, _, _ in rows], "payloads": [payload for _, payload, _ in rows],
                "keys": [key for *_, key in rows],
            },
        )  # fmt: skip
    ring({BotName.MASTER})


def ring(bots: Iterable[str]) -> None:
    """NOTIFY the pumps; PostgreSQL delivers it at commit, and never after a rollback."""
    with connection.cursor() as cursor:
        for bot in sorted(set(bots)):
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL.format(bot=bot)])


def claim(*, bot: str, limit: int, lease: timedelta, now: datetime) -> list[Notification]:
    """Up to `limit` due rows for `bot`, most urgent first, leased so that no other pump takes them.

    A row whose lease ran out (its pump was killed) is claimed again.
    """
    with transaction.atomic():
        rows = list(
            Notification.objects.select_for_update(skip_locked=True)
            .filter(Q(leased_until__isnull=True) | Q(leased_until__lte=now))
            .filter(bot=bot, processed_at__isnull=True, due_at__lte=now)
            .order_by("lane", "due_at", "id")[:limit]
        )
        Notification.objects.filter(pk__in=[row.pk for row in rows]).update(leased_until=now + lease)
    return rows


def settle(
    row: Notification,
    *,
    outcome: Outcome,
    now: datetime,
    chat_id: int | None = None,
    message_id: int | None = None,
    error: str = "",
) -> None:
    """The row is done: sent, skipped or failed for good. `chat_id` and `message_id` let later rows edit it."""
    Notification.objects.filter(pk=row.pk).update(
        processed_at=now,
        outcome=outcome,
        leased_until=None,
        attempt_count=row.attempt_count + 1,
        last_error=error[:500] or None,
        chat_id=chat_id or row.chat_id,
        message_id=message_id or row.message_id,
    )


def retry(row: Notification, *, due_at: datetime, error: str) -> None:
    """Try again at `due_at`."""
    Notification.objects.filter(pk=row.pk, processed_at__isnull=True).update(
        due_at=due_at, leased_until=None, attempt_count=row.attempt_count + 1, last_error=error[:500]
    )


@transaction.atomic
def revive(ids: Iterable[int], *, now: datetime) -> list[int]:
    """Messages that failed for good are tried once more, from the start; returns their numbers.

    One whose time is over stays as it is: it is no longer true.
    """
    rows = Notification.objects.filter(pk__in=list(ids), outcome=Outcome.FAILED)
    rows = rows.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))
    found = dict(rows.select_for_update().values_list("pk", "bot"))
    again = Notification.objects.filter(pk__in=found)
    again.update(processed_at=None, outcome=None, due_at=now, attempt_count=0, leased_until=None)
    ring(found.values())
    return sorted(found)


def release(rows: Sequence[Notification]) -> None:
    """Give leased rows back unsent (the pump stops)."""
    Notification.objects.filter(pk__in=[row.pk for row in rows], processed_at__isnull=True).update(leased_until=None)


def sent_message(edits_key: str) -> tuple[int, int] | None:
    """(chat_id, message_id) of the message on the screen for `edits_key`; None when none was sent."""
    row = (
        Notification.objects.filter(edits_key=edits_key, outcome=Outcome.SENT, message_id__isnull=False)
        .order_by("-id")
        .values_list("chat_id", "message_id")
        .first()
    )
    return (row[0], row[1]) if row and row[0] and row[1] else None
