"""Filters and tags of message templates: phones, money, moments, slots, labels."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from bots import words
from bots.text import GAP
from fieldservice.lib.localtime import format_timeslot_local, zone
from fieldservice.lib.money import show_money
from fieldservice.lib.phones import show_phone
from fieldservice.runtime import registry
from orders import words as order_words
from orders.models import Order, OrderStatusHistory
from staff import words as staff_words

register = template.Library()
#: what stands before the first letter, digit or quotation mark of a caption
PICTURE = re.compile(r"^[^\w«#@]+(?=.)")
register.filter("phone", show_phone)
register.filter("escalation", order_words.escalation)
register.filter("history", order_words.history)
register.filter("audit", staff_words.action)
register.filter("block_reason", words.block)
register.filter("clock", words.clock)
register.filter("moment", words.moment)
register.filter("slot", words.slot)


@register.filter
def money(value: Decimal | None) -> str:
    """`3 500,50 ₽`; a dash for None."""
    return "—" if value is None else show_money(value)


@register.filter
def address(order: Order, flat: str = "") -> str:
    """The order's address; `{{ order|address:"flat" }}` with the flat."""
    return words.address(order, flat=bool(flat))


@register.filter
def corrections(record: OrderStatusHistory, order: Order) -> list[tuple[str, str, str]]:
    """What a correction of the order changed: the field in words, the value before and after."""
    context = record.context or {}
    if record.reason == "rescheduled" and len(context.get("slot") or ()) == 2:
        before, after = context["slot"]
        return [(gettext("Time").lower(), _slot(before, order), _slot(after, order))]
    return [line[1:] for line in order_words.corrected(record)]


def _slot(pair: list[str | None], order: Order) -> str:
    start, end = (datetime.fromisoformat(text) if text else None for text in pair)
    return format_timeslot_local(start, end, tz=zone(order.city.timezone), now=timezone.now())


@register.simple_tag
def guarantee_left(order: Order, now: datetime) -> str:
    """How long the guarantee of a closed order still runs."""
    closed = order.closed_at or order.updated_at
    days = (closed + timedelta(days=registry.get("guarantee_days")) - now).days
    if days < 1:
        return gettext("the guarantee ends today")
    return ngettext("guarantee: %(days)s day left", "guarantee: %(days)s days left", days) % {"days": days}


@register.simple_tag
def gap() -> SafeString:
    """An empty line: the template's own empty lines are not shown."""
    return mark_safe(GAP)


@register.simple_tag
@lru_cache(maxsize=1000)
def crumbs(*names: str) -> SafeString:
    """Where the person is: `Menu › New orders › #12` in italics; the pictures of captions stay on their buttons."""
    plain = (PICTURE.sub("", str(name)) for name in names)
    return format_html("<i>{}</i>", format_html_join(" › ", "{}", ((name,) for name in plain)))
