"""States of money."""

from enum import nonmember

from django.db import models
from django.utils.translation import gettext_lazy as _


class CommissionStatus(models.TextChoices):
    WAIT_PAY = "WAIT_PAY", _("Awaiting payment")
    REPORTED = "REPORTED", _("Payment reported")
    APPROVED = "APPROVED", _("Approved")
    OVERDUE = "OVERDUE", _("Overdue")

    UNPAID = nonmember(("WAIT_PAY", "REPORTED", "OVERDUE"))


class RewardStatus(models.TextChoices):
    ACCRUED = "ACCRUED", _("Accrued")
    PAID = "PAID", _("Paid")
    CANCELED = "CANCELED", _("Canceled")
