"""A trace of every change of who knows what and who serves where."""

from __future__ import annotations

from django.db import models


class CoverageChange(models.Model):
    """Somebody's skills, districts or city changed, or a skill itself.

    Written by triggers in the same transaction, whoever makes the change. Numbers are random: those of the visible rows
    identify the state of `master_skills` and `master_districts` (`orders.dispatch.coverage`).
    """

    id = models.BigIntegerField(primary_key=True)

    class Meta:
        db_table = "coverage_changes"
        verbose_name, verbose_name_plural = "coverage change", "coverage changes"

    def __str__(self) -> str:
        return f"{self.pk}"
