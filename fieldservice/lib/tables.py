"""Cells of spreadsheets: what a file must not make a spreadsheet do."""

from __future__ import annotations

import re

#: a cell that begins so is a formula for Excel or LibreOffice; also in their full width forms
FORMULA = re.compile(r"[\s]*[=+\-@＝＋－＠]")
#: a phone is what it is
PHONE = re.compile(r"\+\d{5,15}")


def neutral(text: str) -> str:
    """`text` as a CSV cell that no spreadsheet takes for a formula; phones stay as they are."""
    if FORMULA.match(text) and not PHONE.fullmatch(text) and text.strip() != "-":
        return "'" + text
    return text
