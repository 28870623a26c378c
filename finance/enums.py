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


class PayoutStatus(models.TextChoices):
    OPEN = "OPEN", _("To be paid")
    PAID = "PAID", _("Paid")
    CANCELED = "CANCELED", _("Canceled")


class Account(models.TextChoices):
    """Where money lies in the journal."""

    DEBTS = "DEBTS", _("Debts of masters")
    INCOME = "INCOME", _("Commissions earned")
    CASH = "CASH", _("Money received")
    DIFFERENCES = "DIFFERENCES", _("Differences from the due")
    REWARDS = "REWARDS", _("Cost of rewards")
    REWARDS_DUE = "REWARDS_DUE", _("Owed to inviters")


class EntryKind(models.TextChoices):
    """Why money moved."""

    OPENING = "OPENING", _("Taken over")
    CREATED = "CREATED", _("Commission created")
    CHANGED = "CHANGED", _("Commission changed")
    APPROVED = "APPROVED", _("Commission approved")
    REJECTED = "REJECTED", _("Payment not found")
    REVOKED = "REVOKED", _("Approval revoked")
    REWARD = "REWARD", _("Reward accrued")
    REWARD_CANCELED = "REWARD_CANCELED", _("Reward canceled")
    REWARD_PAID = "REWARD_PAID", _("Reward paid out")


class ExportKind(models.TextChoices):
    ORDERS = "orders", _("Orders")
    COMMISSIONS = "commissions", _("Commissions")
    REWARDS = "ref_rewards", _("Rewards")
    ALL = "all", _("All three")


class ExportFormat(models.TextChoices):
    CSV = "csv", "CSV"
    XLSX = "xlsx", "Excel (XLSX)"


class ExportStatus(models.TextChoices):
    QUEUED = "QUEUED", _("In the queue")
    RUNNING = "RUNNING", _("Being written")
    DONE = "DONE", _("Ready")
    FAILED = "FAILED", _("Failed")
    CANCELED = "CANCELED", _("Canceled")
    EXPIRED = "EXPIRED", _("Expired")

    LIVE = nonmember(("QUEUED", "RUNNING"))
