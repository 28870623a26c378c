"""Does the money agree? Everything is computed anew from orders and compared with the rows and with the journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from fieldservice.runtime import registry
from finance.enums import Account
from finance.models import Commission, ReferralReward
from finance.services import journal, notices

#: what each master, commission or reward has in an account, by the journal
SUMS = """
SELECT {key} AS id, sum(CASE WHEN debit = '{account}' THEN amount ELSE 0 END)
                  - sum(CASE WHEN credit = '{account}' THEN amount ELSE 0 END) AS sum
  FROM money_journal WHERE {key} IS NOT NULL AND {only} GROUP BY {key}"""


def _sums(key: str, account: str, only: str = "true") -> str:
    return SUMS.format(key=key, account=account, only=only)


#: (what must hold, the rows where it does not: number, expected, found)
CHECKS: tuple[tuple[Any, str], ...] = (
    (
        gettext_lazy("Order #%(id)s: it was closed by its master, and there is no commission"),
        """SELECT o.id, NULL::numeric, NULL::numeric FROM orders o
            WHERE o.status IN ('PAYMENT', 'CLOSED') AND o.type = 'NORMAL' AND o.guarantee_source_order_id IS NULL
              AND NOT EXISTS (SELECT 1 FROM commissions c WHERE c.order_id = o.id)
              AND EXISTS (SELECT 1 FROM order_status_history h WHERE h.order_id = o.id AND h.to_status = 'PAYMENT')""",
    ),
    (
        gettext_lazy("Commission #%(id)s: by the order's sum and the rate it is %(expected)s, its row says %(found)s"),
        """SELECT c.id, round(o.total_sum * c.rate, 2), c.amount FROM commissions c JOIN orders o ON o.id = c.order_id
            WHERE c.rate IS NOT NULL AND round(o.total_sum * c.rate, 2) <> c.amount""",
    ),
    (
        gettext_lazy("Commission #%(id)s: approved, but its order still waits for the payment"),
        """SELECT c.id, NULL::numeric, NULL::numeric FROM commissions c JOIN orders o ON o.id = c.order_id
            WHERE c.status = 'APPROVED' AND o.status = 'PAYMENT'""",
    ),
    (
        gettext_lazy("Commission #%(id)s: it came from elsewhere; enter it by manage.py check_ledger --take-over"),
        """SELECT c.id, NULL::numeric, NULL::numeric FROM commissions c
            WHERE NOT EXISTS (SELECT 1 FROM money_journal j WHERE j.commission_id = c.id AND j.reward_id IS NULL)""",
    ),
    (
        gettext_lazy("Reward #%(id)s: it came from elsewhere; enter it by manage.py check_ledger --take-over"),
        """SELECT r.id, NULL::numeric, NULL::numeric FROM referral_rewards r
            WHERE NOT EXISTS (SELECT 1 FROM money_journal j WHERE j.reward_id = r.id)""",
    ),
    (
        gettext_lazy("Commission #%(id)s: %(expected)s is owed, the journal says %(found)s"),
        f"""SELECT coalesce(c.id, j.id), coalesce(c.owed, 0), j.sum
              FROM (SELECT id, CASE WHEN status = 'APPROVED' THEN 0 ELSE amount END AS owed FROM commissions) c
              RIGHT JOIN ({_sums("commission_id", "DEBTS", "reward_id IS NULL")}) j ON j.id = c.id
             WHERE coalesce(c.owed, 0) <> j.sum""",
    ),
    (
        gettext_lazy("Commission #%(id)s: %(expected)s was paid, the journal says %(found)s"),
        f"""SELECT coalesce(c.id, j.id), coalesce(c.paid, 0), j.sum
              FROM (SELECT id, CASE WHEN status = 'APPROVED' THEN coalesce(paid_amount, amount) ELSE 0 END AS paid
                      FROM commissions) c
              RIGHT JOIN ({_sums("commission_id", "CASH", "reward_id IS NULL")}) j ON j.id = c.id
             WHERE coalesce(c.paid, 0) <> j.sum""",
    ),
    (
        gettext_lazy("Reward #%(id)s: by the paid amount and the percent it is %(expected)s, its row says %(found)s"),
        """SELECT r.id, round(coalesce(c.paid_amount, c.amount) * r.percent / 100, 2), r.amount
             FROM referral_rewards r JOIN commissions c ON c.id = r.commission_id
            WHERE c.status = 'APPROVED' AND r.status <> 'CANCELED' AND r.created_at = c.paid_approved_at
              AND round(coalesce(c.paid_amount, c.amount) * r.percent / 100, 2) <> r.amount""",
    ),
    (
        gettext_lazy("Reward #%(id)s: %(expected)s is owed to the inviter, the journal says %(found)s"),
        f"""SELECT coalesce(r.id, j.id), coalesce(r.owed, 0), -j.sum
              FROM (SELECT id, CASE WHEN status = 'ACCRUED' THEN amount ELSE 0 END AS owed FROM referral_rewards) r
              RIGHT JOIN ({_sums("reward_id", "REWARDS_DUE")}) j ON j.id = r.id
             WHERE coalesce(r.owed, 0) <> -j.sum""",
    ),
    (
        gettext_lazy("Reward #%(id)s: %(expected)s was paid out, the journal says %(found)s"),
        f"""SELECT coalesce(r.id, j.id), coalesce(r.paid, 0), -j.sum
              FROM (SELECT id, CASE WHEN status = 'PAID' THEN amount ELSE 0 END AS paid FROM referral_rewards) r
              RIGHT JOIN ({_sums("reward_id", "CASH")}) j ON j.id = r.id
             WHERE coalesce(r.paid, 0) <> -j.sum""",
    ),
    (
        gettext_lazy("Payout #%(id)s: its rewards are %(expected)s together, its row says %(found)s"),
        """SELECT p.id, coalesce(sum(r.amount), 0), p.total FROM referral_payouts p
             LEFT JOIN referral_rewards r ON r.payout_id = p.id
            WHERE p.status <> 'CANCELED' GROUP BY p.id, p.total HAVING coalesce(sum(r.amount), 0) <> p.total""",
    ),
    (
        gettext_lazy("Master #%(id)s: the tree of invitations turns back to him"),
        """WITH RECURSIVE above(start, id, seen) AS (
               SELECT master_id, referrer_id, ARRAY[referrer_id] FROM referrals
               UNION ALL SELECT a.start, r.referrer_id, a.seen || r.referrer_id
                 FROM above a JOIN referrals r ON r.master_id = a.id
                WHERE a.id <> a.start AND NOT r.referrer_id = ANY(a.seen))
           SELECT DISTINCT start, NULL::numeric, NULL::numeric FROM above WHERE id = start""",
    ),
)
#: differences shown of each kind
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Report:
    """What was found: sentences, and the balance of every account."""

    differences: tuple[str, ...]
    total: int
    balances: dict[str, Decimal]

    @property
    def agrees(self) -> bool:
        return self.total == 0


@transaction.atomic
def check() -> Report:
    """Compare everything, on one snapshot of the database. Reads only."""
    sentences: list[str] = []
    total = 0
    with connection.cursor() as cursor:
        if not connection.in_atomic_block or len(connection.savepoint_ids) == 0:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for sentence, statement in CHECKS:
            cursor.execute(f"SELECT *, count(*) OVER () FROM ({statement}) d(id, expected, found) ORDER BY id LIMIT %s",
                           [SHOWN])  # fmt: skip
            rows = cursor.fetchall()
            total += rows[0][3] if rows else 0
            sentences += [str(sentence) % {"id": pk, "expected": a, "found": b} for pk, a, b, _count in rows]
        balances = _balances(cursor)
    return Report(tuple(sentences), total, balances)


def check_and_alert(*, now: datetime) -> Report:
    """The daily run: a difference is an alert, once a day."""
    report = check()
    if not report.agrees:
        text = _("The money does not agree: %(count)s differences. %(first)s. See: manage.py check_ledger") % {
            "count": report.total,
            "first": report.differences[0],
        }
        _alert(text, f"ledger:{now:%Y-%m-%d}")
    return report


def _alert(text: str, key: str) -> None:
    """To the ALERTS channel; without one, to every GLOBAL_ADMIN."""
    payload, chat_id = {"text": text}, registry.get("alerts_channel_id")
    if chat_id:
        outbox.enqueue(Message(event="alert", chat_id=chat_id, payload=payload, dedup_key=key))
        return
    outbox.enqueue(
        Message(event="alert", staff_id=pk, payload=payload, dedup_key=f"{key}:{pk}") for pk in notices.admins_of(0)
    )


def take_over(*, limit: int = 1000) -> int:
    """Write opening entries for commissions and rewards that came from elsewhere. Returns how many entries."""
    done = 0
    for what, model in (("commissions", Commission), ("rewards", ReferralReward)):
        last = 0
        while True:
            with transaction.atomic():
                rows = model._default_manager.select_for_update(no_key=True).filter(pk__gt=last).order_by("pk")
                ids = list(rows.values_list("pk", flat=True)[:limit])
                if not ids:
                    break
                done += journal.take_over(what, ids)
                last = ids[-1]
    return done


def _balances(cursor: Any) -> dict[str, Decimal]:
    cursor.execute(
        """SELECT account, sum(amount) FROM (
               SELECT debit AS account, amount FROM money_journal
               UNION ALL SELECT credit, -amount FROM money_journal) lines GROUP BY account"""
    )
    found = dict(cursor.fetchall())
    return {account: found.get(account, Decimal(0)) for account in Account.values}
