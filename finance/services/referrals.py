"""Rewards for those who invited a master: level 1 10 %, level 2 5 % of the approved amount (spec §8)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from fieldservice.lib.money import round_money
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from finance.enums import RewardStatus
from finance.models import Commission, Referral, ReferralReward
from staff.models import Master

LEVELS = {1: Decimal(10), 2: Decimal(5)}


def accrue(commission: Commission, *, now: datetime) -> list[ReferralReward]:
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
            reward, created = ReferralReward.objects.get_or_create(
                commission=commission,
                level=level,
                defaults={
                    "referrer_id": inviter,
                    "referred_master_id": commission.master_id,
                    "percent": percent,
                    "amount": amount,
                    "status": RewardStatus.ACCRUED,
                    "created_at": now,
                },
            )
            made += [reward] if created else []
    outbox.enqueue(
        Message(
            event="referral_reward_accrued",
            master_id=r.referrer_id,
            payload={"reward_id": r.pk, "amount": str(r.amount), "level": r.level, "order_id": commission.order_id},
        )
        for r in made
    )
    return made


def _earns(master_id: int) -> bool:
    return Master.objects.filter(pk=master_id, is_active=True, is_deleted=False, moderation_status="APPROVED").exists()
