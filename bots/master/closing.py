"""Closing an order: the sum, a look at it, the act; then the commission. Guarantee visits: the act only."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from bots import fsm
from bots.buttons import tap
from bots.callbacks import on
from bots.master import active, finance
from bots.master.menu import menu_button
from bots.media import page_of, ref_fields
from bots.screens import Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import ConflictError, InvalidError
from fieldservice.lib.money import parse_sum
from finance.services.settlement import close_job
from orders.enums import OrderStatus, OrderType
from orders.models import Order
from orders.services.files import FileRef

SUM, ACT, MORE = "m:close:sum", "m:close:act", "m:close:more"


@on("m:act:cls", needs="approved", back=active.card)
def begin(visit: Visit, order_id: int) -> Reply:
    """Ask for the sum (again)."""
    order = _working(visit, order_id)
    if order.type == OrderType.GUARANTEE:
        return Reply(_ask_act(order_id, "0"), dialog=Dialog(ACT, {"order": order_id, "sum": "0"}))
    return Reply(_ask_sum(order_id), dialog=Dialog(SUM, {"order": order_id}))


@fsm.step(SUM, ask=lambda visit: _sum_screen(visit), needs="approved")
def take_sum(visit: Visit) -> Reply:
    """The sum as people type it, shown once more before it counts."""
    if not visit.incoming.text:
        if visit.answer("sum"):  # the act, a step too early
            raise InvalidError(_("Confirm the sum first, please: press «Yes». Then send the act."))
        raise InvalidError(_("A number is expected here: the sum the client has paid, for example 3500."))
    total = parse_sum(visit.incoming.text)
    order_id = visit.answer("order")
    return Reply(_check_sum(order_id, total), dialog=Dialog(SUM, {"order": order_id, "sum": str(total)}))


@on("m:act:cls:ok", needs="approved", back=active.card)
def confirm_sum(visit: Visit, order_id: int) -> Reply:
    """The sum is right: now the act."""
    _working(visit, order_id)
    if visit.answer("order") != order_id or not visit.answer("sum"):
        raise ConflictError(_("The sum is not known any more: press Close and enter it again."))
    total = str(visit.answer("sum"))
    return Reply(_ask_act(order_id, total), dialog=Dialog(ACT, {"order": order_id, "sum": total}))


@on("m:act:cls:no", needs="approved")
def cancel(visit: Visit, order_id: int) -> Reply:
    """Leave the order as it is."""
    return Reply(active.card(visit, order_id).screen, toast=_("Canceled: the order is not closed."))


@fsm.step(ACT, ask=lambda visit: _ask_act(visit.answer("order"), visit.answer("sum")), needs="approved")
def take_act(visit: Visit) -> Reply:
    """The signed act closes the order; further pages of the same album are kept with it."""
    order_id = visit.answer("order")
    commission = _hand_in(visit, order_id, Decimal(visit.answer("sum")))
    album = visit.incoming.album
    more = Dialog(MORE, {"order": order_id, "album": album}) if album else None
    if commission:
        return Reply(finance.screen_of(visit, commission).under(_("The act is accepted.")), dialog=more)
    return Reply(page("master/closed.html", [[menu_button()]], order_id=order_id), dialog=more)


@fsm.step(MORE, ask=lambda visit: _ask_act(visit.answer("order"), "0"), needs="approved")
def take_page(visit: Visit) -> Reply | None:
    """The next page of the album the order was closed with; anything else is no answer."""
    if not visit.incoming.album or visit.incoming.album != visit.answer("album"):
        return None
    try:
        _hand_in(visit, visit.answer("order"), Decimal(0))
    except InvalidError as error:  # a video among the pages: the order is closed all the same
        return Reply(toast=str(error), dialog=visit.dialog)
    return Reply(dialog=visit.dialog)


def _hand_in(visit: Visit, order_id: int, total: Decimal) -> int | None:
    """Close with this page; the id of the commission, None for a guarantee visit."""
    file = page_of(visit.incoming, _("A photo or a scan (PDF) of the signed act is expected here."))
    act = FileRef(**ref_fields(file, "master"))
    commission = close_job(order_id=order_id, actor=visit.actor, total_sum=total, act=act)
    return commission.pk if commission else None


def _working(visit: Visit, order_id: int) -> Order:
    order = active.own(visit, order_id)
    if order.status != OrderStatus.WORKING:
        raise ConflictError(
            _("Order #%(id)s is «%(status)s»: it cannot be closed now.")
            % {"id": order_id, "status": order.get_status_display()}
        )
    return order


def _sum_screen(visit: Visit) -> Screen:
    """How much, or whether what was typed is right."""
    order_id, total = visit.answer("order"), visit.answer("sum")
    return _check_sum(order_id, Decimal(total)) if total else _ask_sum(order_id)


def _check_sum(order_id: int, total: Decimal) -> Screen:
    rows = [
        [tap(_("✅ Yes"), "m:act:cls:ok", order_id), tap(_("✏️ Change"), "m:act:cls", order_id)],
        [tap(_("Cancel"), "m:act:cls:no", order_id)],
    ]
    return page("master/close_check.html", rows, order_id=order_id, total=total)


def _ask_sum(order_id: int) -> Screen:
    return page("master/close_sum.html", [[tap(_("Cancel"), "m:act:cls:no", order_id)]], order_id=order_id)


def _ask_act(order_id: int, total: str) -> Screen:
    rows = [[tap(_("Cancel"), "m:act:cls:no", order_id)]]
    return page("master/close_act.html", rows, order_id=order_id, total=Decimal(total))
