"""Russian phone numbers: stored as +7XXXXXXXXXX, shown as +7 999 123-45-67."""

from __future__ import annotations

import re

import phonenumbers
from django.utils.translation import gettext as _

from fieldservice.lib.errors import InvalidError

PLAIN = re.compile(r"[0-9\s()+.-]+")


def parse_phone(text: str) -> str:
    """`text` as `+7XXXXXXXXXX`. Raises InvalidError with a sentence when it is no Russian number."""
    try:
        number = phonenumbers.parse(_international(text.strip()), "RU")
    except phonenumbers.NumberParseException:
        number = None
    # ten digits, not is_valid_number: number ranges change faster than the library, a client's phone must be accepted
    if number is None or number.country_code != 7 or len(str(number.national_number)) != 10 or number.extension:
        raise InvalidError(_("The phone must be a Russian number of 11 digits, for example +7 999 123-45-67."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _international(text: str) -> str:
    """8 or 7 and ten digits begin with +7. The library does the same, but for the number ranges it knows only."""
    digits = re.sub(r"\D", "", text)
    if PLAIN.fullmatch(text) and len(digits) == 11 and digits[0] in "78":
        return f"+7{digits[1:]}"
    return text


def show_phone(phone: str | None) -> str:
    """`+79991234567` → `+7 999 123-45-67`; anything else unchanged."""
    if phone and len(phone) == 12 and phone.startswith("+7"):
        return f"+7 {phone[2:5]} {phone[5:8]}-{phone[8:10]}-{phone[10:]}"
    return phone or ""
