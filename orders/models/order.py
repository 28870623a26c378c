"""An order and its history. `orders.services.lifecycle` is the only writer of `Order.status`."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, PgEnumField, named_fk
from orders.enums import ActorType, Category, OrderStatus, OrderType
from staff.models import Master, StaffUser

SEARCHING = Q(status__in=OrderStatus.SEARCH, assigned_master__isnull=True)


class Order(models.Model):
    """A client's request. Times are UTC; the client is a name and a phone on the order."""

    city = models.ForeignKey("geo.City", models.RESTRICT, db_index=False, db_constraint=False, verbose_name=_("city"))
    district = models.ForeignKey(
        "geo.District",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        verbose_name=_("district"),
    )
    street = models.ForeignKey(
        "geo.Street",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        verbose_name=_("street"),
    )
    #: as typed, when the catalogue has no such street
    street_text = models.CharField(_("street (typed)"), max_length=200, null=True, blank=True)
    house = models.CharField(_("house"), max_length=32, null=True, blank=True)
    apartment = models.CharField(_("flat"), max_length=32, null=True, blank=True)
    address_comment = models.TextField(_("address comment"), null=True, blank=True)
    client_name = models.CharField(_("client"), max_length=160, null=True, blank=True)
    client_phone = models.CharField(_("client's phone"), max_length=32, null=True, blank=True)
    status = PgEnumField(
        _("status"),
        enum_type="order_status",
        choices=OrderStatus.choices,
        default=OrderStatus.CREATED,
        db_default=OrderStatus.CREATED.value,
    )
    preferred_master = models.ForeignKey(
        Master,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="preferred_orders",
        verbose_name=_("preferred master"),
    )
    assigned_master = models.ForeignKey(
        Master,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="orders",
        verbose_name=_("master"),
    )
    created_by_staff = models.ForeignKey(
        StaffUser,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="created_orders",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True, db_default=Now())
    version = models.IntegerField(_("version"), default=1, db_default=1, editable=False)
    company_payment = models.DecimalField(
        _("paid by the company"), max_digits=10, decimal_places=2, default=0, db_default=0
    )
    guarantee_source_order = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="guarantees",
        verbose_name=_("guarantee for"),
    )
    category = PgEnumField(
        _("category"),
        enum_type="order_category",
        choices=Category.choices,
        default=Category.ELECTRICS,
        db_default=Category.ELECTRICS.value,
    )
    description = models.TextField(_("description"), null=True, blank=True)
    late_visit = models.BooleanField(_("late visit"), default=False, db_default=False)
    dist_escalated_logist_at = models.DateTimeField(_("escalated to a logist"), null=True, blank=True)
    dist_escalated_admin_at = models.DateTimeField(_("escalated to an admin"), null=True, blank=True)
    lat = models.FloatField(_("latitude"), null=True, blank=True)
    lon = models.FloatField(_("longitude"), null=True, blank=True)
    timeslot_start_utc = models.DateTimeField(_("slot from"), null=True, blank=True)
    timeslot_end_utc = models.DateTimeField(_("slot to"), null=True, blank=True)
    total_sum = models.DecimalField(_("sum"), max_digits=10, decimal_places=2, default=0, db_default=0)
    cancel_reason = models.TextField(_("reason of the cancellation"), null=True, blank=True)
    no_district = models.BooleanField(_("no district"), default=False, db_default=False)
    type = PgEnumField(
        _("type"),
        enum_type="order_type",
        choices=OrderType.choices,
        default=OrderType.NORMAL,
        db_default=OrderType.NORMAL.value,
    )
    geocode_provider = models.CharField(_("geocoder"), max_length=32, null=True, blank=True)
    geocode_confidence = models.IntegerField(_("confidence of the geocoder"), null=True, blank=True)
    escalation_logist_notified_at = models.DateTimeField(_("logist told"), null=True, blank=True)
    escalation_admin_notified_at = models.DateTimeField(_("admin told"), null=True, blank=True)
    # --- new columns; every one has a default in the database, so a row from plain SQL is a valid row
    #: when the engine looks at the order next; NULL: not before somebody acts
    dispatch_at = models.DateTimeField(_("next look"), null=True, blank=True, db_default=Now(), editable=False)
    #: "return to search" and "search again" begin a new search: masters may be asked anew
    search_number = models.IntegerField(_("search"), default=1, db_default=1, editable=False)
    #: when the current search began; NULL: at creation
    search_started_at = models.DateTimeField(_("search began"), null=True, blank=True, editable=False)
    #: rounds used in the current search
    dispatch_round = models.SmallIntegerField(_("round"), default=0, db_default=0, editable=False)
    #: rounds the current search may use, frozen at its first decision; NULL: not decided yet
    rounds_limit = models.SmallIntegerField(_("rounds allowed"), null=True, blank=True, editable=False)
    escalation_reason = models.CharField(
        _("reason of the escalation"), max_length=32, null=True, blank=True, editable=False
    )
    dispatch_error = models.TextField(_("dispatch error"), null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, editable=False)
    #: when the geocoder is asked about the address; NULL: nothing to ask
    geocode_at = models.DateTimeField(_("geocoder asked at"), null=True, blank=True, editable=False)
    #: makes a repeated "create" with the same key return the same order
    external_key = models.CharField(_("external key"), max_length=80, null=True, blank=True, editable=False)

    class Meta:
        db_table = "orders"
        verbose_name, verbose_name_plural = _("order"), _("orders")
        indexes = [
            LongIndex(fields=["assigned_master"], name="ix_orders__assigned_master"),
            LongIndex(fields=["preferred_master"], name="ix_orders__preferred_master"),
            LongIndex(fields=["created_at"], name="ix_orders__created_at"),
            LongIndex(fields=["client_phone"], name="ix_orders__phone"),
            LongIndex(fields=["city"], name="ix_orders__city_id"),
            LongIndex(fields=["district"], name="ix_orders__district_id"),
            LongIndex(fields=["street"], name="ix_orders__street_id"),
            LongIndex(fields=["guarantee_source_order"], name="ix_orders__guarantee_source"),
            LongIndex(fields=["city", "status"], name="ix_orders__city_status"),
            LongIndex(fields=["status", "city"], name="ix_orders__status_city"),
            # the figures of one city among a million orders, from the index alone: its days, its offers and commissions
            LongIndex(fields=["city", "created_at"], name="ix_orders__city_created_at", include=["id", "status"]),
            LongIndex(fields=["status", "city", "timeslot_start_utc"], name="ix_orders__status_city_timeslot_start"),
            LongIndex(fields=["category"], name="ix_orders__category"),
            LongIndex(fields=["type"], name="ix_orders__type"),
            # the dispatch queue: due orders only, whatever the number of closed ones
            LongIndex(
                fields=["dispatch_at"], name="ix_orders__due", condition=SEARCHING & Q(dispatch_at__isnull=False)
            ),
            LongIndex(
                fields=["dispatch_at"],
                name="ix_orders__wake",
                condition=Q(status__in=("CREATED", "DEFERRED"), dispatch_at__isnull=False),
            ),
            LongIndex(
                fields=["dist_escalated_logist_at"],
                name="ix_orders__escalation_admin_due",
                condition=SEARCHING & Q(dist_escalated_logist_at__isnull=False, dist_escalated_admin_at__isnull=True),
            ),
            LongIndex(fields=["geocode_at"], name="ix_orders__geocode_due", condition=Q(geocode_at__isnull=False)),
            # finished orders, newest first: the lists of the office
            LongIndex(
                F("closed_at").desc(nulls_last=True),  # rows of other systems may lack it
                F("id").desc(),
                name="ix_orders__closed_at",
                condition=Q(status="CLOSED"),
            ),
            # load of a master, and the 7-day average check
            LongIndex(
                fields=["assigned_master"],
                name="ix_orders__active_load",
                condition=Q(status__in=OrderStatus.ACTIVE),
            ),
            LongIndex(
                fields=["created_at"],
                name="ix_orders__average_check",
                include=["assigned_master", "total_sum"],
                condition=Q(status__in=("PAYMENT", "CLOSED"), type="NORMAL"),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="ck_orders__timeslot_range",
                condition=Q(timeslot_start_utc__isnull=True, timeslot_end_utc__isnull=True)
                | Q(
                    timeslot_start_utc__isnull=False,
                    timeslot_end_utc__isnull=False,
                    timeslot_start_utc__lt=F("timeslot_end_utc"),
                ),
            ),
            models.UniqueConstraint(
                fields=["external_key"], name="uq_orders__external_key", condition=Q(external_key__isnull=False)
            ),
            named_fk("orders", "city_id", "cities", "RESTRICT"),
            named_fk("orders", "district_id", "districts", "SET NULL"),
            named_fk("orders", "street_id", "streets", "SET NULL"),
            named_fk("orders", "preferred_master_id", "masters", "SET NULL"),
            named_fk("orders", "assigned_master_id", "masters", "SET NULL"),
            named_fk("orders", "created_by_staff_id", "staff_users", "SET NULL"),
            named_fk("orders", "guarantee_source_order_id", "orders", "SET NULL"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def street_name(self) -> str:
        """The street of the catalogue, else as it was typed."""
        return self.street.name if self.street else self.street_text or ""


class OrderStatusHistory(models.Model):
    """One transition, or a remark on the order with equal from and to. Append-only."""

    order = models.ForeignKey(
        Order, models.CASCADE, db_index=False, db_constraint=False, related_name="history", verbose_name=_("order")
    )
    from_status = PgEnumField(_("from"), enum_type="order_status", choices=OrderStatus.choices, null=True, blank=True)
    to_status = PgEnumField(_("to"), enum_type="order_status", choices=OrderStatus.choices)
    reason = models.TextField(_("reason"), null=True, blank=True)
    changed_by_staff = models.ForeignKey(
        StaffUser,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("staff member"),
    )
    changed_by_master = models.ForeignKey(
        Master,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("master"),
    )
    created_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)
    actor_type = PgEnumField(
        _("who"),
        enum_type="actor_type",
        choices=ActorType.choices,
        default=ActorType.SYSTEM,
        db_default=ActorType.SYSTEM.value,
    )
    context = models.JSONField(_("details"), default=dict, db_default={}, blank=True)

    class Meta:
        db_table = "order_status_history"
        verbose_name, verbose_name_plural = _("history record"), _("order history")
        indexes = [
            LongIndex(fields=["order", "created_at"], name="ix_order_status_history__order_created_at"),
            LongIndex(fields=["actor_type"], name="ix_order_status_history__actor_type"),
        ]
        constraints = [
            named_fk("order_status_history", "order_id", "orders", "CASCADE"),
            named_fk("order_status_history", "changed_by_staff_id", "staff_users", "SET NULL"),
            named_fk("order_status_history", "changed_by_master_id", "masters", "SET NULL"),
        ]

    def __str__(self) -> str:
        return f"#{self.order_id}: {self.get_to_status_display()}"
