"""Money: Decimal roubles, one rounding function, one way to read and to show a sum."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _

from fieldservice.lib.errors import InvalidError

KOPECK = Decimal("0.01")
LIMIT = Decimal("9999999.99")
SUM = re.compile(r"^\d{1,7}(?:\.\d{1,2})?$")


def round_money(value: Decimal) -> Decimal:
    """`value` to 0.01, half up: the only rounding in the product (spec §8)."""
    return value.quantize(KOPECK, rounding=ROUND_HALF_UP)


def parse_sum(text: str) -> Decimal:
    """A sum as people type it: «3 500», «3500,50», «3500.5 ₽». Raises InvalidError with a sentence."""
    cleaned = re.sub(r"[\s\u00a0\u202f]", "", text).lower().removesuffix("₽").removesuffix("руб.").removesuffix("руб")
    cleaned = cleaned.replace(",", ".")
    if not SUM.match(cleaned) or Decimal(cleaned) <= 0:
        raise InvalidError(_("The sum must be a number from 0.01 to 9 999 999.99, for example 3500 or 3500,50."))
    return round_money(Decimal(cleaned))


def show_money(value: Decimal) -> str:
    """`3500.5` → `3 500,50 ₽`; whole roubles without kopecks."""
    whole, _dot, kopecks = f"{round_money(value):.2f}".partition(".")
    sign, digits = ("−", whole[1:]) if whole.startswith("-") else ("", whole)
    grouped = f"{int(digits):,}".replace(",", "\u00a0")
    return f"{sign}{grouped}{',' + kopecks if kopecks != '00' else ''}\u00a0₽"
