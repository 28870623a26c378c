"""Money: Decimal roubles, one rounding function, one way to read and to show a sum."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _

from fieldservice.lib.errors import InvalidError

KOPECK = Decimal("0.01")
LIMIT = Decimal("9999999.99")
SUM = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,2})?")
SPACES, ROUBLES = re.compile(r"[\s\u00a0\u202f]"), re.compile(r"(?:₽|р|р\.|руб|руб\.)$")


def round_money(value: Decimal) -> Decimal:
    """`value` to 0.01, half up: the only rounding in the product (spec §8)."""
    return value.quantize(KOPECK, rounding=ROUND_HALF_UP)


def parse_sum(text: str) -> Decimal:
    """A sum as people type it: «3 500», «3500,50», «3500.5 ₽». Raises InvalidError with a sentence."""
    cleaned = ROUBLES.sub("", SPACES.sub("", text).lower()).replace(",", ".")
    if not SUM.fullmatch(cleaned):
        raise InvalidError(_wrong_sum())
    return check_sum(Decimal(cleaned))


def check_sum(value: Decimal) -> Decimal:
    """`value` rounded, if it is a sum somebody can pay. Raises InvalidError for NaN, nothing, less or too much."""
    # the range first: rounding a number of thirty digits is an error of its own
    if not value.is_finite() or not 0 < value <= LIMIT or round_money(value) == 0:
        raise InvalidError(_wrong_sum())
    return round_money(value)


def show_money(value: Decimal) -> str:
    """`3500.5` → `3 500,50 ₽`; whole roubles without kopecks."""
    value = round_money(value)
    whole, _dot, kopecks = f"{abs(value):.2f}".partition(".")
    grouped = f"{int(whole):,}".replace(",", "\u00a0")
    return f"{'−' if value < 0 else ''}{grouped}{',' + kopecks if kopecks != '00' else ''}\u00a0₽"


def _wrong_sum() -> str:
    return _("The sum must be a number from 0.01 to 9 999 999.99, for example 3500 or 3500,50.")
