"""Orders a person may see: admin, bots and exports load orders through here and nowhere else."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from fieldservice.lib.errors import NotFoundError
from orders.models import Order
from staff import scope
from staff.models import StaffUser


def visible_to(member: StaffUser) -> QuerySet[Order]:
    """The orders of the member's cities."""
    orders = Order.objects.select_related("city", "district", "street", "assigned_master")
    return orders if scope.sees_all(member) else orders.filter(city_id__in=scope.city_ids(member))


def get_for(member: StaffUser, pk: int) -> Order:
    """One order. Raises NotFoundError: a stranger's order does not exist."""
    order = visible_to(member).filter(pk=pk).first()
    if order is None:
        raise NotFoundError(_("There is no order #%(id)s.") % {"id": pk})
    return order
