"""What people write about themselves, beside the fields of `lib.fields`: plates, logins, where they are paid."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _

from fieldservice.lib.clean import clean
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.fields import parse_card
from fieldservice.lib.masking import mask_card
from fieldservice.lib.phones import parse_phone, show_phone
from staff.enums import PayoutMethod

LOGIN = re.compile(r"[\w.@+-]{2,64}")
PLATE = re.compile(r"[А-ЯA-Z0-9]{5,12}")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,120}\.[^@\s.]{2,20}")
#: how people write «none»
NONE = {"", "-", "–", "—", "нет", "no"}
#: 15 banks of SBP, by the codes v1.2 had for them
BANKS = {
    "sber": "Сбербанк", "tinkoff": "Т-Банк", "vtb": "ВТБ", "alfa": "Альфа-Банк", "raiff": "Райффайзен",
    "gpb": "Газпромбанк", "mts": "МТС Банк", "psb": "ПСБ", "open": "Открытие", "sovcom": "Совкомбанк",
    "rsb": "Русский Стандарт", "ak_bars": "Ак Барс", "uralsib": "Уралсиб", "mkb": "МКБ", "other": "",
}  # fmt: skip


def login(text: str) -> str:
    """What a staff member signs in with."""
    text = clean(text)
    if not LOGIN.fullmatch(text):
        raise InvalidError(_("A login is 2 to 64 letters, digits and . _ @ + - without spaces."))
    return text


def plate(text: str) -> str:
    """A licence plate without spaces, upper case; empty for a hyphen."""
    text = re.sub(r"[\s-]", "", clean(text)).upper()
    if text.lower() in NONE:
        return ""
    if not PLATE.fullmatch(text):
        raise InvalidError(_("A licence plate is 5 to 12 letters and digits, for example А123ВС777."))
    return text


def payout(method: str, text: str) -> dict[str, str]:
    """The details of a payout method as they are stored. Raises InvalidError that says what is expected."""
    return _PAYOUTS[PayoutMethod(method)](clean(text))


def show_payout(method: str | None, data: Any) -> str:
    """One line for a screen; of a card and of an account the last four digits only."""
    data = data if isinstance(data, dict) else {}
    if not method:
        return "—"
    details = {
        PayoutMethod.CARD: mask_card(data.get("card_number")),
        PayoutMethod.SBP: ", ".join(filter(None, (show_phone(data.get("sbp_phone")), data.get("sbp_bank")))),
        PayoutMethod.YOOMONEY: str(data.get("account") or ""),
        PayoutMethod.BANK_ACCOUNT: mask_card(data.get("account_number")),
    }.get(PayoutMethod(method), "")
    label = str(PayoutMethod(method).label)
    return f"{label}: {details}" if details else label


def _card(text: str) -> dict[str, str]:
    number = parse_card(text)
    return {"card_number": " ".join(number[at : at + 4] for at in range(0, len(number), 4))}


def _sbp(text: str) -> dict[str, str]:
    return {"sbp_phone": parse_phone(text)}


def _yoomoney(text: str) -> dict[str, str]:
    digits = re.sub(r"[\s-]", "", text)
    if re.fullmatch(r"[0-9]{11,20}", digits):
        return {"account": digits}
    if EMAIL.fullmatch(text):
        return {"account": text}
    raise InvalidError(_("A YooMoney wallet is 11 to 20 digits; an e-mail address will do, too."))


def _account(text: str) -> dict[str, str]:
    numbers = re.findall(r"[0-9]+", text)
    if len(digits := "".join(numbers)) == 29:  # written in groups
        numbers = [digits[:20], digits[20:]]
    account = next((number for number in numbers if len(number) == 20), "")
    bic = next((number for number in numbers if len(number) == 9), "")
    if not account or not bic:
        raise InvalidError(_("Send the account (20 digits) and the bank's BIC (9 digits), separated by a space."))
    return {"account_number": account, "bic": bic}


_PAYOUTS: dict[str, Any] = {
    PayoutMethod.CARD: _card,
    PayoutMethod.SBP: _sbp,
    PayoutMethod.YOOMONEY: _yoomoney,
    PayoutMethod.BANK_ACCOUNT: _account,
    PayoutMethod.CASH: lambda text: {},
}
