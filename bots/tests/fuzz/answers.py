"""What somebody who reads the question answers."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.utils import translation
from django.utils.translation import gettext

PHOTO: dict[str, Any] = {"photo": [{"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}]}
#: a piece of the question's text → the answer
READ: dict[str, dict[str, Any]] = {
    "Your surname?": {"text": "Иванов"},
    "Your first name?": {"text": "Иван"},
    "Your patronymic?": {"text": "-"},
    "Your phone?": {"text": "+79990001122"},
    "Your city?": {"text": "Город"},
    "Its licence plate?": {"text": "А123ВС777"},
    "A photo of your passport": PHOTO,
    "A selfie": PHOTO,
    "Write the card number: 16 to 19 digits.": {"text": "4111 1111 1111 1111"},
    "Write the phone of your SBP account: +7 999 123-45-67.": {"text": "+79990001122"},
    "Where do you start from?": {"text": "55.7, 37.6"},
    "The client's phone?": {"text": "+79990001122"},
    "Which street?": {"text": "улица"},
    "Which house?": {"text": "12А"},
    "Which flat or office?": {"text": "17"},
    "How does one get in?": {"text": "подъезд 2"},
    "The client's name?": {"text": "Анна"},
    "What is broken?": {"text": "Не работает розетка"},
    "Photos or documents?": PHOTO,
}


def read(text: str) -> dict[str, Any] | None:
    """The answer to the question in the text, in whatever language it is asked."""
    return next((answer for question, answer in _questions() if question in text), None)


@cache
def _questions() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for language in ("en", "ru"):
        with translation.override(language):
            found += [(gettext(question), answer) for question, answer in READ.items()]
    return found
