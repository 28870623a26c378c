"""Finished orders: filters, sums, what was earned."""

from __future__ import annotations

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots.buttons import back, pager, tap
from bots.callbacks import on
from bots.master import active, finance, past
from bots.master.menu import menu_button
from bots.media import Enclosure
from bots.screens import PAGE, page
from bots.visit import Reply, Visit
from fieldservice.lib.errors import NotFoundError
from fieldservice.lib.localtime import zone
from finance import statistics
from finance.models import Commission
from orders.enums import OrderStatus
from orders.models import Order
from orders.selectors import PLACES, order_files

#: filter → statuses
FILTERS = {"all": OrderStatus.FINAL, "closed": (OrderStatus.CLOSED,), "canceled": (OrderStatus.CANCELED,)}
TITLES = {"all": gettext_lazy("All"), "closed": gettext_lazy("✅ Closed"), "canceled": gettext_lazy("❌ Canceled")}


@on("m:hist", needs="approved")
def history(visit: Visit, chosen: str = "all", number: int = 1) -> Reply:
    """A page of finished orders, the latest first; the filters stay whatever is found."""
    chosen = chosen if chosen in FILTERS else "all"
    rows_ = _finished(visit.master.pk).filter(status__in=FILTERS[chosen])
    figures = rows_.aggregate(count=Count("id"), sum=Sum("total_sum"))
    pages = max(1, -(-figures["count"] // PAGE))
    number = min(max(number, 1), pages)
    found = rows_.select_related(*PLACES).order_by(Coalesce("closed_at", "updated_at").desc(), "-id")[
        (number - 1) * PAGE : number * PAGE
    ]
    items = list(found)
    rows = [
        [tap(f"· {title} ·" if name == chosen else str(title), "m:hist", name) for name, title in TITLES.items()],
        *([tap(_("Open #%(id)s") % {"id": order.pk}, "m:hist:card", order.pk, chosen, number)] for order in items),
        pager("m:hist", number, pages, chosen),
        [menu_button()],
    ]
    done = statistics.done(master_id=visit.master.pk) if chosen != "canceled" else None
    return Reply(page("master/history.html", rows, orders=items, count=figures["count"], done=done, page=number,
                      pages=pages, chosen=chosen))  # fmt: skip


@on("m:hist:card", needs="approved",
    back=lambda visit, order_id, chosen="all", number=1: history(visit, chosen, number))  # fmt: skip
def card(visit: Visit, order_id: int, chosen: str = "all", number: int = 1) -> Reply:
    """One finished order; one that is not finished opens as an active one."""
    order = active.own(visit, order_id)
    if order.status not in OrderStatus.FINAL:
        return active.card(visit, order_id)
    return Reply(past.screen(order, chosen, number))


@on("m:hist:files", needs="approved", back=card)
def show_files(visit: Visit, order_id: int, chosen: str = "all", number: int = 1) -> Reply:
    """The act and whatever else was attached."""
    order = active.own(visit, order_id)
    found = order_files(order.pk)
    if not found:
        raise NotFoundError(_("There are no files."))
    caption = _("Order #%(id)s") % {"id": order.pk}
    files = tuple(Enclosure(row.file_type, row.file_id, row.bot, row.file_name or "", caption) for row in found)
    return Reply(card(visit, order_id, chosen, number).screen, files=files)


@on("m:hist:cm", needs="approved", back=card)
def commission_of_past_order(visit: Visit, order_id: int, chosen: str = "all", number: int = 1) -> Reply:
    """What was paid for it; Back leads to the order."""
    order = active.own(visit, order_id)
    found = Commission.objects.filter(order_id=order.pk, master_id=visit.master.pk).values_list("pk", flat=True).first()
    came_from = back("m:hist:card", order_id, chosen, number)
    return Reply(finance.screen(finance.own(visit, found or 0), came_from=came_from))


@on("m:st", needs="approved")
def figures(visit: Visit) -> Reply:
    """The master's own figures, with their units."""
    now, master = timezone.now(), visit.master
    since = statistics.month_start(now, zone(master.city.timezone if master.city else None))
    context = {
        "ever": statistics.done(master_id=master.pk),
        "month": statistics.done(master_id=master.pk, since=since),
        "rate": statistics.rate(master_id=master.pk, now=now),
        "answers": statistics.answers(master_id=master.pk, now=now),
        "days": statistics.OFFER_DAYS,
        "master": master,
    }
    rows = [[tap(_("📚 History"), "m:hist"), tap(_("💳 Finance"), "m:fin")], [menu_button()]]
    return Reply(page("master/figures.html", rows, **context))


def _finished(master_id: int) -> QuerySet[Order]:
    return Order.objects.filter(assigned_master_id=master_id)
