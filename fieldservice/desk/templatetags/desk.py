"""Filters of the desk's templates."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.utils import timezone

from fieldservice.lib import localtime
from fieldservice.lib.money import show_money
from fieldservice.lib.phones import show_phone

register = template.Library()


@register.filter
def money(value: Decimal | None) -> str:
    """`3500` → `3 500 ₽`."""
    return "—" if value is None else show_money(value)


@register.filter
def phone(value: str | None) -> str:
    """`+7 999 123-45-67`."""
    return show_phone(value)


@register.filter
def moment(value: datetime | None, tz: Any) -> str:
    """`today 13:05` in the zone `tz`."""
    return localtime.format_moment(value, tz=tz, now=timezone.now())
