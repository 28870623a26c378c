"""Orders and what belongs to them, for tests."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import factory
from django.utils import timezone

from geo.tests.factories import CityFactory, DistrictFactory, PlaceFactory
from orders.enums import AttachmentEntity, FileType, OfferState, OrderStatus
from orders.models import Attachment, Offer, Order, OrderStatusHistory
from staff.tests.factories import MasterFactory, phone


class OrderFactory(PlaceFactory):
    """An order that searches for a master, in a district, due now; no history rows, no offers.

    `OrderFactory(district=None, city=city)` is an order without a district. Traits: `assigned=True` (to a new master
    of the district unless `assigned_master` is given), `in_payment=True` and `closed=True` (besides, a sum of 5000).
    """

    class Meta:
        model = Order

    class Params:
        on_master = factory.LazyAttribute(lambda o: o.assigned or o.in_payment or o.closed)
        assigned = False
        in_payment = False
        closed = False

    city = factory.SubFactory(CityFactory)
    district = factory.SubFactory(DistrictFactory, city=factory.SelfAttribute("..city"))
    no_district = factory.LazyAttribute(lambda o: o.district is None)
    house = factory.Sequence(lambda n: str(n % 200 + 1))
    client_name = factory.Sequence(lambda n: f"Клиент {n}")
    client_phone = factory.Sequence(phone)
    description = "Не работает розетка"
    assigned_master = factory.Maybe(
        "on_master", factory.SubFactory(MasterFactory, city=factory.SelfAttribute("..city")), None
    )
    total_sum = factory.LazyAttribute(lambda o: Decimal(5000) if o.in_payment or o.closed else Decimal(0))
    closed_at = factory.LazyAttribute(lambda o: timezone.now() if o.closed else None)

    @factory.lazy_attribute
    def status(self) -> OrderStatus:
        if self.closed:
            return OrderStatus.CLOSED
        if self.in_payment:
            return OrderStatus.PAYMENT
        return OrderStatus.ASSIGNED if self.assigned else OrderStatus.SEARCHING


class OfferFactory(factory.django.DjangoModelFactory):
    """A live offer to a master of the order's city, just delivered."""

    class Meta:
        model = Offer

    order = factory.SubFactory(OrderFactory)
    master = factory.SubFactory(MasterFactory, city=factory.SelfAttribute("..order.city"))
    state = OfferState.SENT
    sent_at = factory.LazyFunction(timezone.now)
    delivered_at = factory.SelfAttribute("sent_at")
    sla_seconds = 120
    expires_at = factory.LazyAttribute(lambda o: o.sent_at + timedelta(seconds=o.sla_seconds))


class HistoryFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = OrderStatusHistory

    order = factory.SubFactory(OrderFactory)
    from_status = OrderStatus.CREATED
    to_status = OrderStatus.SEARCHING


class AttachmentFactory(factory.django.DjangoModelFactory):
    """A photo of an order: `AttachmentFactory(entity_id=order.pk)`."""

    class Meta:
        model = Attachment

    entity_type = AttachmentEntity.ORDER
    entity_id = factory.Sequence(lambda n: n + 1)
    file_type = FileType.PHOTO
    file_id = factory.Sequence(lambda n: f"file-{n}")
