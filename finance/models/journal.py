"""Every change of money, for ever."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex
from finance.enums import Account, EntryKind


class JournalEntry(models.Model):
    """`amount` roubles go from account `credit` to account `debit`: each row balances by itself.

    Append-only, by a trigger. No foreign keys: what was written stays, whatever becomes of the rows it is about.
    """

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)
    kind = models.CharField(_("what"), max_length=24, choices=EntryKind.choices)
    debit = models.CharField(_("to"), max_length=16, choices=Account.choices)
    credit = models.CharField(_("from"), max_length=16, choices=Account.choices)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    order_id = models.IntegerField(_("order"), null=True, blank=True)
    commission_id = models.IntegerField(_("commission"), null=True, blank=True)
    reward_id = models.IntegerField(_("reward"), null=True, blank=True)
    payout_id = models.IntegerField(_("payout"), null=True, blank=True)
    master_id = models.IntegerField(_("master"), null=True, blank=True)
    staff_id = models.IntegerField(_("staff member"), null=True, blank=True)
    note = models.CharField(_("remark"), max_length=200, blank=True, default="", db_default="")

    class Meta:
        db_table = "money_journal"
        verbose_name, verbose_name_plural = _("journal entry"), _("money journal")
        indexes = [
            LongIndex(fields=["commission_id"], name="ix_money_journal__commission"),
            LongIndex(fields=["reward_id"], name="ix_money_journal__reward", condition=Q(reward_id__isnull=False)),
        ]
        constraints = [models.CheckConstraint(name="ck_money_journal__amount", condition=Q(amount__gte=0))]

    def __str__(self) -> str:
        return f"{self.credit} → {self.debit}: {self.amount}"
