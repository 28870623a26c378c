"""Who invited whom, and rewards: level 1 10 %, level 2 5 % of the approved amount (spec §8)."""

from __future__ import annotations

import secrets
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fieldservice.lib.actor import Actor
from fieldservice.lib.clean import check_reason
from fieldservice.lib.errors import ConflictError, InvalidError, NotFoundError
from fieldservice.lib.fields import parse_code
from fieldservice.lib.money import round_money
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from finance.enums import RewardStatus
from finance.models import Commission, Referral, ReferralReward
from finance.services import journal
from staff.models import Master
from staff.scope import require, require_city
from staff.selectors import inviter_by_code
from staff.services.moderation import audit

LEVELS = {1: Decimal(10), 2: Decimal(5)}
#: without letters and digits that look alike
ALPHABET, LENGTH = "ABCDEFGHJKMNPQRSTUVWXYZ23456789", 8
#: `a` invited `b` invited … : everybody above a master
ABOVE = """
WITH RECURSIVE above(id) AS (
    SELECT referrer_id FROM referrals WHERE master_id = %s
    UNION SELECT r.referrer_id FROM referrals r JOIN above a ON r.master_id = a.id)
SELECT id FROM above"""


def code_of(*, master_id: int) -> str:
    """The master's own code, made when it is first asked for; it never changes."""
    for _attempt in range(10):
        found = Master.objects.filter(pk=master_id).values_list("referral_code", flat=True).first()
        if found:
            return found
        fresh = "".join(secrets.choice(ALPHABET) for _letter in range(LENGTH))
        try:
            with transaction.atomic():
                Master.objects.filter(pk=master_id, referral_code__isnull=True).update(referral_code=fresh)
        except IntegrityError:  # somebody else's: one in 10^11, but then another one is made
            continue
    raise NotFoundError(_("There is no such master."))


def inviter_of(code: str, *, master_id: int | None = None) -> Master:
    """The master whose code this is. Raises InvalidError with a sentence: malformed, unknown, one's own."""
    try:
        inviter = inviter_by_code(parse_code(code, LENGTH))
    except InvalidError as error:
        raise InvalidError({"referral_code": str(error)}) from error
    if inviter is None:
        raise InvalidError({"referral_code": _("There is no such referral code. Look once more, or skip this step.")})
    if inviter.pk == master_id:
        raise InvalidError({"referral_code": _("This is your own code. Skip this step, please.")})
    return inviter


@transaction.atomic
def join(*, master_id: int, code: str, actor: Actor, now: datetime | None = None) -> Referral:
    """The master was invited by the owner of the code. Once; never in a circle; the inviter is told.

    Repeating it with the same code is harmless.
    """
    now = now or timezone.now()
    with connection.cursor() as cursor:  # two who invite each other at once would both see no circle
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('referrals'))")
    inviter = inviter_of(code, master_id=master_id)
    existing = Referral.objects.filter(master_id=master_id).first()
    if existing is not None:
        if existing.referrer_id == inviter.pk:
            return existing
        raise ConflictError(_("You were invited by another master already: this cannot be changed."))
    if master_id in _above(inviter.pk):
        raise ConflictError(_("This person was invited by you: he cannot be your inviter. Skip the referral code."))
    made = Referral.objects.create(master_id=master_id, referrer_id=inviter.pk, created_at=now)
    Master.objects.filter(pk=master_id).update(referred_by_master_id=inviter.pk)  # what v1.2 showed; never read
    outbox.enqueue(
        Message(
            event="referral_registered",
            master_id=inviter.pk,
            payload={"master_id": master_id},
            dedup_key=f"referral:{master_id}",
        )
    )
    return made


def accrue(commission: Commission, *, actor: Actor, now: datetime) -> list[ReferralReward]:
    """Write the rewards of an approved commission, once per level, and tell the inviters. In a transaction."""
    made: list[ReferralReward] = []
    seen, invited = {commission.master_id}, commission.master_id
    for level, percent in LEVELS.items():
        inviter = Referral.objects.filter(master_id=invited).values_list("referrer_id", flat=True).first()
        if inviter is None or inviter in seen:  # the chain ends, or would turn back on itself
            break
        seen.add(inviter)
        invited = inviter
        amount = round_money((commission.paid_amount or Decimal(0)) * percent / 100)
        if amount > 0 and _earns(inviter):
            reward = _reward(commission, level, inviter, percent, amount, now)
            made += [reward] if reward else []
    for reward in made:
        journal.reward_accrued(reward, actor=actor, now=now)
    outbox.enqueue(
        Message(
            event="referral_reward_accrued",
            master_id=r.referrer_id,
            payload={"reward_id": r.pk, "amount": str(r.amount), "level": r.level, "order_id": commission.order_id},
        )
        for r in made
    )
    return made


@transaction.atomic
def cancel(*, reward_id: int, actor: Actor, reason: str, now: datetime | None = None) -> ReferralReward:
    """Staff take a reward back that was not paid out; the inviter is told why."""
    require(actor, "finance.payout")
    reason = check_reason(reason)
    missing = _("There is no reward #%(id)s.") % {"id": reward_id}
    reward = ReferralReward.objects.select_for_update(no_key=True).filter(pk=reward_id).first()
    if reward is None:
        raise NotFoundError(missing)
    require_city(actor, Commission.objects.values_list("order__city_id", flat=True).get(pk=reward.commission_id),
                 missing=missing)  # fmt: skip
    if reward.status != RewardStatus.ACCRUED:
        raise ConflictError(
            _("Reward #%(id)s is «%(status)s»: it cannot be canceled.")
            % {"id": reward.pk, "status": reward.get_status_display()}
        )
    if reward.payout_id:
        raise ConflictError(
            _("Reward #%(id)s is in payout #%(payout)s: cancel the payout first, or note that it was paid.")
            % {"id": reward.pk, "payout": reward.payout_id}
        )
    _cancel(reward, actor, reason, now or timezone.now())
    audit("reward_canceled", actor=actor, master_id=reward.referrer_id, reward_id=reward.pk, reason=reason)
    return reward


def cancel_of(commission: Commission, *, actor: Actor, reason: str, now: datetime) -> None:
    """The approval was revoked: its rewards go, but for those paid out. The commission is locked.

    A reward in an open batch stops this: its money may be under way.
    """
    rewards = ReferralReward.objects.select_for_update(no_key=True).filter(
        commission=commission, status=RewardStatus.ACCRUED
    )
    for reward in rewards.order_by("pk"):
        if reward.payout_id:
            raise ConflictError(
                _("Reward #%(id)s is in payout #%(payout)s: cancel the payout first, or note that it was paid.")
                % {"id": reward.pk, "payout": reward.payout_id}
            )
        _cancel(reward, actor, reason, now)


def _cancel(reward: ReferralReward, actor: Actor, reason: str, now: datetime) -> None:
    journal.take_over("rewards", [reward.pk])
    reward.status, reward.cancel_reason, reward.requested_at = RewardStatus.CANCELED, reason, None
    reward.save(update_fields=["status", "cancel_reason", "requested_at"])
    journal.reward_canceled(reward, actor=actor, now=now, note=reason)
    outbox.enqueue(
        Message(
            event="referral_reward_canceled",
            master_id=reward.referrer_id,
            payload={"reward_id": reward.pk, "reason": reason},
        )
    )


def _reward(
    commission: Commission, level: int, inviter: int, percent: Decimal, amount: Decimal, now: datetime
) -> ReferralReward | None:
    """The new reward; one that was cancelled with an earlier approval lives again; None: it is there already."""
    values = {
        "referrer_id": inviter, "referred_master_id": commission.master_id, "percent": percent, "amount": amount,
        "status": RewardStatus.ACCRUED, "created_at": now, "cancel_reason": None,
    }  # fmt: skip
    reward, created = ReferralReward.objects.select_for_update(no_key=True).get_or_create(
        commission=commission, level=level, defaults=values
    )
    if created:
        return reward
    if reward.status != RewardStatus.CANCELED:
        return None
    journal.take_over("rewards", [reward.pk])
    for name, value in values.items():
        setattr(reward, name, value)
    reward.save(update_fields=list(values))
    return reward


def _above(master_id: int) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(ABOVE, [master_id])
        return {row[0] for row in cursor.fetchall()}


def _earns(master_id: int) -> bool:
    return Master.objects.filter(pk=master_id, is_active=True, is_deleted=False, moderation_status="APPROVED").exists()
