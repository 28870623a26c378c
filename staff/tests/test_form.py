from __future__ import annotations

import pytest

from fieldservice.lib.errors import InvalidError
from staff.services import form

pytestmark = pytest.mark.usefixtures("english")
ACCOUNT, BIC = "40702810900000012345", "044525225"
BANK = {"account_number": ACCOUNT, "bic": BIC}


@pytest.mark.parametrize(
    ("method", "typed", "kept"),
    [
        ("CARD", "4111-1111-1111-1111", {"card_number": "4111 1111 1111 1111"}),
        ("SBP", "8 (999) 000-11-22", {"sbp_phone": "+79990001122"}),
        ("YOOMONEY", "4100 1234 5678 901", {"account": "410012345678901"}),
        ("YOOMONEY", "me@mail.example", {"account": "me@mail.example"}),
        ("BANK_ACCOUNT", f"{ACCOUNT} {BIC}", BANK),
        ("BANK_ACCOUNT", f"р/с {ACCOUNT}\nБИК {BIC} к/с 30101810400000000225", BANK),
        ("BANK_ACCOUNT", "40702 810 9 0000 0012345, 044525225", BANK),
        ("CASH", "", {}),
    ],
)  # fmt: skip
def test_payout_details_are_kept_in_one_form(method: str, typed: str, kept: dict[str, str]) -> None:
    assert form.payout(method, typed) == kept


@pytest.mark.parametrize(
    ("method", "typed"),
    [
        ("CARD", "4111 1111 1111 1112"),
        ("CARD", "x"),
        ("SBP", "9991112233 later"),
        ("YOOMONEY", "qwertyui"),
        ("BANK_ACCOUNT", ACCOUNT),
        ("BANK_ACCOUNT", "044525225"),
    ],
)
def test_wrong_payout_details_are_refused(method: str, typed: str) -> None:
    with pytest.raises(InvalidError):
        form.payout(method, typed)


def test_a_screen_shows_the_end_of_a_card_only() -> None:
    shown = form.show_payout("CARD", {"card_number": "4111 1111 1111 1111"})
    assert shown == "Card: **** 1111"
    assert form.show_payout("CASH", {}) == "Cash"
    assert form.show_payout(None, None) == "—"
    assert form.show_payout("CARD", ["what an import left"]) == "Card"


def test_licence_plates() -> None:
    assert form.plate(" а 123 вс-777 ") == "А123ВС777"
    assert form.plate("-") == ""
    with pytest.raises(InvalidError):
        form.plate("<b>")
