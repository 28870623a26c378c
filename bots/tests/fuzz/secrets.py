"""What may be shown to whom: every phone, address and sum of the town is one of a kind, so that it is known again."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from finance.models import Commission
from orders.enums import OfferState
from orders.models import Offer, Order
from staff import access
from staff.enums import Role
from staff.models import Master, StaffCity, StaffUser

SQUEEZED = re.compile(r"[\s\u00a0\u202f()<>/-]|&nbsp;")
LETTERS = "бвгджзклмнпрст"


@dataclass(frozen=True)
class Secret:
    """A word and who may read it: (bot, Telegram id) → yes or no."""

    word: str
    what: str
    may: Callable[[str, int], bool]


@dataclass
class Secrets:
    """All of a town. `assigned`: who has ever had which order; a screen may be older than a return to search."""

    dice: random.Random
    known: list[Secret] = field(default_factory=list)
    assigned: set[tuple[int, int]] = field(default_factory=set)
    #: orders closed so long ago that their client is nobody's business any more
    forgotten: set[int] = field(default_factory=set)
    _number: int = 0

    def phone(self) -> str:
        """A phone nobody else has."""
        self._number += 1
        return f"+7900{self.dice.randrange(1000):03d}{self._number:04d}"

    def word(self) -> str:
        """A word nobody else has."""
        self._number += 1
        tail = "".join(LETTERS[int(digit)] for digit in str(self._number))
        return "Ъ" + "".join(self.dice.choices(LETTERS, k=4)) + "ъ" + tail

    def sum(self) -> Decimal:
        """A sum nobody else owes."""
        self._number += 1
        return Decimal(self.dice.randrange(10, 99) * 10_000 + self._number) + Decimal("0.37")

    def order(self, order: Order) -> None:
        """Who lives there is for whoever has the order, the address for whoever was asked."""
        client = (
            ("client's name", order.client_name),
            ("client's phone", order.client_phone),
            ("flat", order.apartment),
        )
        for what, word in client:
            self._keep(word, f"{what} of order {order.pk}", lambda bot, tg: self._has_order(bot, tg, order.pk))
        for what, word in (("street", order.street_text), ("description", order.description)):
            self._keep(word, f"{what} of order {order.pk}", lambda bot, tg: self._knows_order(bot, tg, order.pk))

    def commission(self, commission: Commission) -> None:
        """A debt is between its master and those who see money."""
        shown = f"{commission.amount:.2f}".replace(".", ",")
        at = (commission.master_id, commission.order.city_id)
        self._keep(shown, f"sum of commission {commission.pk}", _between(*at, "finance.see"))

    def master(self, master: Master) -> None:
        """His phone is his and his office's, his account his and theirs who moderate."""
        at = (master.pk, master.city_id)
        account = (master.payout_data or {}).get("account")
        self._keep(master.phone, f"phone of master {master.pk}", _between(*at, "master.see"))
        self._keep(account, f"account of master {master.pk}", _between(*at, "master.moderate"))

    def found_in(self, text: str) -> list[Secret]:
        """The secrets a text holds."""
        squeezed = SQUEEZED.sub("", text)
        return [secret for secret in self.known if secret.word in squeezed]

    def look(self, orders: Iterable[int]) -> None:
        """Remember who has which order now."""
        rows = Order.objects.filter(pk__in=list(orders), assigned_master__isnull=False)
        self.assigned.update(rows.values_list("assigned_master__tg_user_id", "pk"))

    def _keep(self, word: str | None, what: str, may: Callable[[str, int], bool]) -> None:
        if word:
            self.known.append(Secret(SQUEEZED.sub("", word), what, may))

    def _has_order(self, bot: str, tg: int, pk: int) -> bool:
        """Whether the client is this person's business: by the order, or by a guarantee visit that came of it."""
        if bot == "admin":
            return _is_office(tg, Order.objects.get(pk=pk).city_id)
        kin = self._kin(pk)
        self.look(kin)
        accepted = Offer.objects.filter(order_id__in=kin, master__tg_user_id=tg, state=OfferState.ACCEPTED)
        return any((tg, number) in self.assigned for number in kin) or accepted.exists()

    def _knows_order(self, bot: str, tg: int, pk: int) -> bool:
        """The address, and what is broken: also of whoever was asked, and of one's own old work."""
        asked = Offer.objects.filter(order_id__in=[pk, *self._kin(pk)], master__tg_user_id=tg)
        if bot == "master" and ((tg, pk) in self.assigned or asked.exists()):
            return True
        return self._has_order(bot, tg, pk)

    def _kin(self, pk: int) -> list[int]:
        visits = Order.objects.filter(guarantee_source_order_id=pk).values_list("pk", flat=True)
        return [*visits] if pk in self.forgotten else [pk, *visits]


def _between(master_id: int, city_id: int | None, right: str) -> Callable[[str, int], bool]:
    """For the master, and for those of the city's office who have the right."""

    def may(bot: str, tg: int) -> bool:
        return _is_master(tg, master_id) if bot == "master" else _is_office(tg, city_id, right)

    return may


def _is_master(tg: int, pk: int) -> bool:
    return Master.objects.filter(pk=pk, tg_user_id=tg).exists()


def _is_office(tg: int, city_id: int | None, right: str = "") -> bool:
    member = StaffUser.objects.filter(tg_user_id=tg, is_active=True).first()
    if member is None or (right and not access.may(member.role, right)):
        return False
    everywhere = member.role == Role.GLOBAL_ADMIN
    return everywhere or StaffCity.objects.filter(staff_user=member, city_id=city_id).exists()
