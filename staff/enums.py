"""Roles and states of people."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a staff member may do; see staff.access."""

    GLOBAL_ADMIN = "GLOBAL_ADMIN", _("Global admin")
    CITY_ADMIN = "CITY_ADMIN", _("City admin")
    LOGIST = "LOGIST", _("Logist")


class ModerationStatus(models.TextChoices):
    PENDING = "PENDING", _("On moderation")
    APPROVED = "APPROVED", _("Approved")
    REJECTED = "REJECTED", _("Rejected")


class ShiftStatus(models.TextChoices):
    SHIFT_OFF = "SHIFT_OFF", _("Off shift")
    SHIFT_ON = "SHIFT_ON", _("On shift")
    BREAK = "BREAK", _("On a break")


class PayoutMethod(models.TextChoices):
    CARD = "CARD", _("Card")
    SBP = "SBP", _("SBP")
    YOOMONEY = "YOOMONEY", _("YooMoney")
    BANK_ACCOUNT = "BANK_ACCOUNT", _("Bank account")
    CASH = "CASH", _("Cash")


class BlockReason(models.TextChoices):
    """Reasons the system itself blocks a master for; staff write theirs as text."""

    COMMISSION_OVERDUE = "commission_overdue", _("the commission is overdue")
    GUARANTEE_REFUSAL = "guarantee_refusal", _("a guarantee visit was refused")
    MANUAL_FINANCE = "manual_block_from_finance", _("blocked by the finance desk")
