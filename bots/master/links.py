"""From an order to its commission and from a commission to its order; Back leads where one came from."""

from __future__ import annotations

from django.utils.translation import gettext as _

from bots.buttons import back
from bots.callbacks import on
from bots.master import active, finance
from bots.visit import Reply, Visit
from fieldservice.lib.errors import NotFoundError
from finance.models import Commission


@on("m:fin:cm:ord", needs="approved", back=finance.card)
def order_of_commission(visit: Visit, commission_id: int, number: int = 1, tab: str = "-") -> Reply:
    """The order a commission is for; closed ones open as well."""
    order = active.own(visit, finance.own(visit, commission_id).order_id)
    way_back = back("m:fin:cm", commission_id, number, tab)
    return Reply(active.screen(order, came_from=way_back))


@on("m:act:cm", needs="approved", back=active.card)
def commission_of_order(visit: Visit, order_id: int, number: int = 1) -> Reply:
    """The commission of an order."""
    order = active.own(visit, order_id)
    found = Commission.objects.filter(order_id=order.pk).values_list("pk", flat=True).first()
    if found is None:
        raise NotFoundError(_("There is no commission #%(id)s.") % {"id": order_id})
    return Reply(finance.screen(finance.own(visit, found), came_from=back("m:act:card", order_id, number)))
