"""People who apply: how they fill in the form."""

from __future__ import annotations

from typing import Any

from bots.sandbox import SandboxClient
from bots.sandbox.client import ChatClient
from geo.models import City
from staff.tests.factories import InviteFactory

NEWCOMER = 4001
CARD = "4111 1111 1111 1111"


def newcomer(telegram: SandboxClient, *, language: str = "en", id: int = NEWCOMER) -> ChatClient:
    person = telegram.person("Newcomer", id=id, language=language, username="newcomer", phone="+79990001122")
    return person.chat("master")


def begin(telegram: SandboxClient, **fields: Any) -> ChatClient:
    """A newcomer at the first question, by a deep link."""
    chat = newcomer(telegram, **fields)
    chat.follows(InviteFactory().code)
    chat.sees("Consent to the processing")
    return chat


def fill(chat: ChatClient, city: City, *, until: str = "summary") -> None:
    """Answer every question, up to the one named."""
    steps = {
        "consent": lambda: chat.presses("I agree"),
        "surname": lambda: chat.sends("петрова-водкина"),
        "first name": lambda: chat.sends("Анна"),
        "patronymic": lambda: chat.presses("Skip"),
        "phone": lambda: chat.presses("Send my number"),
        "invited by": lambda: chat.presses("Skip"),
        "Your city": lambda: (chat.sends("казн"), chat.presses(city.name)),
        "districts": lambda: (chat.presses("Советский"), chat.presses("Done")),
        "have a vehicle": lambda: chat.presses("Yes"),
        "licence plate": lambda: chat.sends("а 123 вс 777"),
        "What can you do": lambda: (chat.presses("Электрика"), chat.presses("Done")),
        "photo of your passport": lambda: chat.sends_photo(),
        "A selfie": lambda: chat.sends_photo(),
        "pay you": lambda: chat.presses("Card"),
        "Payout details": lambda: chat.sends(CARD),
        "start from": lambda: chat.presses("Skip"),
        "summary": lambda: None,
    }
    for question, act in steps.items():
        chat.sees("Your application" if question == "summary" else question)
        if question == until:
            return
        act()


def introduce(chat: ChatClient) -> None:
    chat.presses("I agree")
    for question, answer in (
        ("surname", "Иванов"), ("first name", "Иван"), ("patronymic", "-"), ("Your phone", "+7 999 000-11-22")
    ):  # fmt: skip
        chat.sees(question)
        chat.sends(answer)


def fill_documents(chat: ChatClient) -> None:
    """From the passport to the summary."""
    chat.sends_photo()
    chat.sees("A selfie")
    chat.sends_photo()
    chat.presses("Cash")
    chat.presses("Skip")


def fill_rest(chat: ChatClient, city: City) -> None:
    chat.sends(city.name)
    chat.presses(city.name)
    chat.presses("Советский")
    chat.presses("Done (1)")
    chat.presses("No")
    chat.presses("Электрика")
    chat.presses("Done (1)")
    fill_documents(chat)
