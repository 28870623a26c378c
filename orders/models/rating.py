"""How a visit was judged: one to five, asked from the client by the office."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, named_fk
from orders.models.order import Order
from staff.models import Master, StaffUser


class OrderRating(models.Model):
    """The one rating of an order's visit; given again, it replaces the former."""

    order = models.ForeignKey(
        Order, models.CASCADE, db_index=False, db_constraint=False, related_name="ratings", verbose_name=_("order")
    )
    master = models.ForeignKey(
        Master, models.CASCADE, db_index=False, db_constraint=False, related_name="+", verbose_name=_("master")
    )
    stars = models.SmallIntegerField(_("rating"))
    comment = models.TextField(_("comment"), null=True, blank=True)
    #: the master's rating when his first visit was rated: what v1.2 knew of him is not forgotten
    rating_before = models.FloatField(editable=False)
    rated_by_staff = models.ForeignKey(
        StaffUser,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("rated by"),
    )
    created_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)

    class Meta:
        db_table = "order_ratings"
        verbose_name, verbose_name_plural = _("rating"), _("ratings")
        indexes = [LongIndex(fields=["master", "id"], name="ix_order_ratings__master")]
        constraints = [
            models.UniqueConstraint(fields=["order"], name="uq_order_ratings__order"),
            models.CheckConstraint(name="ck_order_ratings__stars", condition=Q(stars__gte=1, stars__lte=5)),
            named_fk("order_ratings", "order_id", "orders", "CASCADE"),
            named_fk("order_ratings", "master_id", "masters", "CASCADE"),
            named_fk("order_ratings", "rated_by_staff_id", "staff_users", "SET NULL"),
        ]

    def __str__(self) -> str:
        return f"#{self.order_id}: {self.stars}"
