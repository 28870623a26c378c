"""The money journal: what every service writes beside its change, in the same transaction.

An entry moves `amount` from one account to another, so all accounts together are always zero. A row that came from
elsewhere (an import, plain SQL) is taken over with OPENING entries before its first change.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.db import connection

from fieldservice.lib.actor import Actor
from finance.enums import Account as A
from finance.enums import EntryKind as K
from finance.models import Commission, JournalEntry, ReferralReward

#: as in migration 0002, for the rows of `ids` that the journal does not know
TAKE_OVER = {
    "commissions": """
INSERT INTO money_journal(kind, debit, credit, amount, order_id, commission_id, master_id)
SELECT 'OPENING', p.debit, p.credit, p.amount, c.order_id, c.id, c.master_id
  FROM commissions c CROSS JOIN LATERAL (VALUES
       ('DEBTS', 'INCOME', c.amount),
       ('CASH', 'DEBTS', coalesce(c.paid_amount, c.amount)),
       ('DIFFERENCES', 'DEBTS', c.amount - c.paid_amount),
       ('DEBTS', 'DIFFERENCES', c.paid_amount - c.amount)) AS p(debit, credit, amount)
 WHERE c.id = ANY(%s)
   AND (p.credit = 'INCOME' OR (c.status = 'APPROVED' AND (p.debit = 'CASH' OR p.amount > 0)))
   AND NOT EXISTS (SELECT 1 FROM money_journal j WHERE j.commission_id = c.id AND j.reward_id IS NULL)""",
    "rewards": """
INSERT INTO money_journal(kind, debit, credit, amount, reward_id, commission_id, master_id)
SELECT 'OPENING', p.debit, p.credit, p.amount, r.id, r.commission_id, r.referrer_id
  FROM referral_rewards r CROSS JOIN LATERAL (VALUES
       ('REWARDS', 'REWARDS_DUE', CASE WHEN r.status = 'CANCELED' THEN 0 ELSE r.amount END),
       ('REWARDS_DUE', 'CASH', r.amount)) AS p(debit, credit, amount)
 WHERE r.id = ANY(%s) AND (p.debit = 'REWARDS' OR r.status = 'PAID')
   AND NOT EXISTS (SELECT 1 FROM money_journal j WHERE j.reward_id = r.id)""",
}


def take_over(what: str, ids: Iterable[int]) -> int:
    """Write the opening entries of `commissions` or `rewards` the journal does not know; the rows are locked."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_OVER[what], [list(ids)])
        return cursor.rowcount


def commission_created(commission: Commission, *, actor: Actor, now: datetime) -> None:
    """The master owes the due."""
    _write([(K.CREATED, A.DEBTS, A.INCOME, commission.amount)], commission, actor, now)


def commission_changed(commission: Commission, before: Decimal, *, actor: Actor, now: datetime, note: str) -> None:
    """The due was corrected."""
    _write([(K.CHANGED, A.DEBTS, A.INCOME, commission.amount - before)], commission, actor, now, note)


def commission_approved(commission: Commission, *, actor: Actor, now: datetime) -> None:
    """The money is here; what differs from the due is written off, or was a gift."""
    _write(_settled(commission, K.APPROVED, 1), commission, actor, now, commission.amount_reason or "")


def approval_revoked(commission: Commission, *, actor: Actor, now: datetime, note: str) -> None:
    """The opposite of an approval. Called with the amounts of the approval still on the row."""
    _write(_settled(commission, K.REVOKED, -1), commission, actor, now, note)


def commission_rejected(commission: Commission, *, actor: Actor, now: datetime, note: str) -> None:
    """A reported payment was not found: no money moved, and that is what the entry says."""
    _write([(K.REJECTED, A.DEBTS, A.DEBTS, Decimal(0))], commission, actor, now, note)


def reward_accrued(reward: ReferralReward, *, actor: Actor, now: datetime) -> None:
    """The inviter is owed the reward."""
    _write_reward(K.REWARD, A.REWARDS, A.REWARDS_DUE, reward, actor, now)


def reward_canceled(reward: ReferralReward, *, actor: Actor, now: datetime, note: str) -> None:
    """The inviter is owed nothing for it any more."""
    _write_reward(K.REWARD_CANCELED, A.REWARDS_DUE, A.REWARDS, reward, actor, now, note)


def rewards_paid(rewards: Iterable[ReferralReward], *, actor: Actor, now: datetime) -> None:
    """The rewards of a batch went to the bank."""
    JournalEntry.objects.bulk_create(
        [_reward_entry(K.REWARD_PAID, A.REWARDS_DUE, A.CASH, reward, actor, now) for reward in rewards],
        batch_size=1000,
    )


Line = tuple[K, A, A, Decimal]


def _settled(commission: Commission, kind: K, sign: int) -> list[Line]:
    paid = commission.amount if commission.paid_amount is None else commission.paid_amount
    lines: list[Line] = [(kind, A.CASH, A.DEBTS, sign * paid)]
    if paid != commission.amount:
        lines.append((kind, A.DIFFERENCES, A.DEBTS, sign * (commission.amount - paid)))
    return lines


def _write(lines: Iterable[Line], commission: Commission, actor: Actor, now: datetime, note: str = "") -> None:
    JournalEntry.objects.bulk_create(
        JournalEntry(
            kind=kind,
            debit=debit if amount >= 0 else credit,  # less than nothing goes the other way
            credit=credit if amount >= 0 else debit,
            amount=abs(amount),
            order_id=commission.order_id,
            commission_id=commission.pk,
            master_id=commission.master_id,
            staff_id=actor.staff_id,
            note=note,
            created_at=now,
        )
        for kind, debit, credit, amount in lines
    )


def _write_reward(
    kind: K, debit: A, credit: A, reward: ReferralReward, actor: Actor, now: datetime, note: str = ""
) -> None:
    entry = _reward_entry(kind, debit, credit, reward, actor, now)
    entry.note = note
    entry.save(force_insert=True)


def _reward_entry(kind: K, debit: A, credit: A, reward: ReferralReward, actor: Actor, now: datetime) -> JournalEntry:
    return JournalEntry(
        kind=kind,
        debit=debit,
        credit=credit,
        amount=reward.amount,
        reward_id=reward.pk,
        commission_id=reward.commission_id,
        payout_id=reward.payout_id,
        master_id=reward.referrer_id,
        staff_id=actor.staff_id,
        created_at=now,
    )
