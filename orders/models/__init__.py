"""Orders and what happens to them."""

from orders.models.attachment import Attachment
from orders.models.offer import Offer
from orders.models.order import Order, OrderStatusHistory
from orders.models.rating import OrderRating
from orders.models.trace import DispatchBatch, DispatchDecision, DispatchTrace, DistributionMetric

__all__ = [
    "Attachment",
    "DispatchBatch",
    "DispatchDecision",
    "DispatchTrace",
    "DistributionMetric",
    "Offer",
    "Order",
    "OrderRating",
    "OrderStatusHistory",
]
