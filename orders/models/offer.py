"""An offer of an order to a master. `orders.services.offers` is the only writer of `Offer.state`."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, PgEnumField, named_fk
from orders.enums import OfferState
from orders.models.order import Order
from staff.models import Master


class Offer(models.Model):
    """Carries its own deadline: changing the SLA later does not bend an offer that is out."""

    order = models.ForeignKey(
        Order, models.CASCADE, db_index=False, db_constraint=False, related_name="offers", verbose_name=_("order")
    )
    master = models.ForeignKey(
        Master, models.CASCADE, db_index=False, db_constraint=False, related_name="offers", verbose_name=_("master")
    )
    round_number = models.SmallIntegerField(_("round"), default=1, db_default=1)
    state = PgEnumField(_("state"), enum_type="offer_state", choices=OfferState.choices)
    sent_at = models.DateTimeField(_("sent"), db_default=Now())
    responded_at = models.DateTimeField(_("answered"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    # --- new columns
    search_number = models.IntegerField(_("search"), default=1, db_default=1, editable=False)
    sla_seconds = models.IntegerField(_("seconds to answer"), default=120, db_default=120, editable=False)
    is_manual = models.BooleanField(_("by hand"), default=False, db_default=False, editable=False)
    #: staff confirmed an offer to a master who is off shift, on a break or at the limit
    staff_confirmed = models.BooleanField(_("confirmed by staff"), default=False, db_default=False, editable=False)
    #: when the message reached Telegram; the deadline counts from here
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True, editable=False)
    close_reason = models.CharField(_("why it ended"), max_length=32, null=True, blank=True, editable=False)

    class Meta:
        db_table = "offers"
        verbose_name, verbose_name_plural = _("offer"), _("offers")
        indexes = [
            LongIndex(fields=["order", "state"], name="ix_offers__order_state"),
            LongIndex(fields=["master", "state"], name="ix_offers__master_state"),
            LongIndex(fields=["expires_at"], name="ix_offers__expires_at"),
            LongIndex(fields=["master"], name="ix_offers__live", condition=Q(state__in=OfferState.LIVE)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "master"],
                name="uq_offers__order_master",
                condition=Q(state__in=("SENT", "VIEWED", "ACCEPTED")),
            ),
            models.UniqueConstraint(
                fields=["order"], name="uix_offers__order_accepted_once", condition=Q(state="ACCEPTED")
            ),
            named_fk("offers", "order_id", "orders", "CASCADE"),
            named_fk("offers", "master_id", "masters", "CASCADE"),
        ]

    def __str__(self) -> str:
        return f"#{self.order_id}: {self.get_state_display()}"
