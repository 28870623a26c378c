"""One validator for each field a person fills in, shared by the bots, the web admin and the command line.

Every one returns the text as it is stored, or raises InvalidError with a sentence that says what is expected; the table
is docs/fields.md. Phones: `lib.phones`; sums: `lib.money`; reasons: `lib.clean.check_reason`; coordinates: `lib.point`.
"""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext as _

from fieldservice.lib.clean import clean
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.masking import is_luhn

#: what people type for «there is none»
NONE = frozenset({"", "-", "–", "—"})
CYRILLIC = r"[А-Яа-яЁё]"
NAME_PART = re.compile(rf"{CYRILLIC}+(?:[ -]{CYRILLIC}+)*")
CLIENT = re.compile(r"[A-Za-zА-Яа-яЁё«\"][A-Za-zА-Яа-яЁё\-.'’«»\" ]*")
PLACE = re.compile(r"[^\W\d_][^\W_][\w\-.,'’()/ ]*")
STREET = re.compile(r"[\w\-.,'’\"«»()/№ ]*[^\W_][\w\-.,'’\"«»()/№ ]*")
HOUSE = re.compile(r"[0-9A-Za-zА-Яа-яЁё/\-. ]*[0-9A-Za-zА-Яа-яЁё][0-9A-Za-zА-Яа-яЁё/\-. ]*")
CODE = re.compile(r"[A-Z0-9]+")


def parse_name(text: str) -> str:
    """A surname or a first name: 2–30 Cyrillic letters, hyphens and spaces; «иванов-петров» → «Иванов-Петров»."""
    name = _line(text)
    if not 2 <= len(name) <= 30 or not NAME_PART.fullmatch(name):
        raise InvalidError(_("Type 2 to 30 Cyrillic letters; a hyphen or a space may join two parts."))
    name = name[0].upper() + name[1:]
    if name[1:].islower() or name.isupper():  # «мАкКарти» was meant so, «ИВАНОВ-ПЕТРОВ» was not
        return "-".join(part[0].upper() + part[1:].lower() for part in name.split("-"))
    return name


def parse_patronymic(text: str) -> str:
    """As `parse_name`; a dash or nothing: there is none, which is an empty text."""
    return "" if _is_none(text) else parse_name(text)


def parse_full_name(text: str) -> str:
    """Surname, first name and, if there is one, patronymic, each as in `parse_name`."""
    parts = _line(text).split()
    if not 2 <= len(parts) <= 5:
        raise InvalidError(_("Type the surname and the first name, then the patronymic if there is one."))
    return " ".join(parse_name(part) for part in parts)


def parse_place(text: str) -> str:
    """The name of a city: 2–120 characters with a letter first; «1-й» and «(Тверская область)» may follow."""
    place = _line(text)
    if not 2 <= len(place) <= 120 or not PLACE.fullmatch(place):
        raise InvalidError(_("The name begins with a letter and has at least two: letters, digits, hyphens, spaces."))
    return place


def parse_client_name(text: str) -> str:
    """How a client is called: 2–100 letters of any of the two alphabets, as staff hear it on the phone."""
    name = _line(text)
    if not 2 <= len(name) <= 100 or not CLIENT.fullmatch(name):
        raise InvalidError(_("The client's name must have 2 to 100 letters, without digits."))
    return name


def parse_street(text: str) -> str:
    """A street typed by hand, because the catalogue has none like it: 2–50 characters."""
    street = _line(text)
    if not 2 <= len(street) <= 50 or not STREET.fullmatch(street):
        raise InvalidError(_("The street must have 2 to 50 letters or digits, without emoji."))
    return street


def parse_house(text: str) -> str:
    """A house: 1–10 letters and digits, as «12А», «5к2», «10/3 с1»."""
    house = _line(text)
    if len(house) > 10 or not HOUSE.fullmatch(house):
        raise InvalidError(_("The house must have 1 to 10 letters or digits, for example 12, 12А, 5к2 or 10/3."))
    return house


def parse_apartment(text: str) -> str:
    """A flat or an office: up to 10 characters; a dash or nothing is none."""
    flat = "" if _is_none(text) else _line(text)
    if len(flat) > 10 or _has_pictures(flat):
        raise InvalidError(_("The flat must have up to 10 letters or digits; a dash means there is none."))
    return flat


def parse_address_comment(text: str) -> str:
    """Entrance, floor, door code: up to 250 characters; a dash or nothing is none."""
    comment = "" if _is_none(text) else clean(text)
    if len(comment) > 250:
        raise InvalidError(_("The comment must have up to 250 characters."))
    return comment


def parse_description(text: str) -> str:
    """What is broken: 10–500 characters, on as many lines as it takes."""
    description = clean(text)
    if not 10 <= len(description) <= 500:
        raise InvalidError(_("The description must have 10 to 500 characters: what happened, and to what?"))
    return description


def parse_code(text: str, length: int) -> str:
    """An invite code (6), an access code or a referral code (8): Latin letters and digits, in capitals."""
    code = "".join(text.split()).upper()
    if len(code) != length or not CODE.fullmatch(code):
        raise InvalidError(_("The code must have %(length)s Latin letters and digits.") % {"length": length})
    return code


def parse_card(text: str) -> str:
    """A bank card: 16–19 digits with the right check digit, without spaces."""
    number = re.sub(r"[\s\-]", "", text)
    if not (number.isascii() and number.isdigit() and 16 <= len(number) <= 19 and is_luhn(number)):
        raise InvalidError(_("There is no such card: type its 16 to 19 digits as they are printed."))
    return number


def _line(text: str) -> str:
    return " ".join(clean(text).split())


def _is_none(text: str) -> bool:
    return clean(text) in NONE


def _has_pictures(text: str) -> bool:
    return any(unicodedata.category(char) in {"So", "Cc", "Cf", "Co", "Cn"} for char in text)
