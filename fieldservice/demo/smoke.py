"""One order from the phone call to CLOSED through the running bots; the sandbox plays the master and the admin."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable

from django.core.management import call_command
from django.utils import translation
from django.utils.translation import gettext as _

from bots.sandbox.client import SandboxClient
from fieldservice.demo import people
from fieldservice.lib.actor import COMMAND_LINE
from finance.enums import CommissionStatus
from finance.models import Commission
from orders.enums import OrderStatus
from orders.models import Order
from orders.services import lifecycle

TIMEOUT = 15.0


class StepFailed(Exception):
    """Which step failed, and what was on the screen."""


class Smoke:
    """`run()` drives the story and reports every step with its time through `tell`."""

    def __init__(self, sandbox_url: str, tell: Callable[[str], None]) -> None:
        self.sandbox, self.tell = SandboxClient(sandbox_url), tell
        self.master = self.sandbox.person("Мастер Проверки", id=people.SMOKE_MASTER, language="ru").chat("master")
        self.admin = self.sandbox.person("Админ", id=people.SMOKE_ADMIN, language="ru").chat("admin")
        self.order = Order()

    def run(self) -> int:
        """Returns the order's number. Raises StepFailed."""
        with translation.override("ru"):
            for name, step in (
                ("both bots answer /start", self.start),
                ("the master starts the shift", self.shift),
                ("an order comes in by create_order", self.create),
                ("the master gets the offer and accepts", self.accept),
                ("on the way, on site", self.work),
                ("sum and act close the job", self.close),
                ("the master reports the payment", self.pay),
                ("the admin approves it", self.approve),
                ("the order is CLOSED, the commission APPROVED", self.check),
            ):
                self._step(name, step)
        return self.order.pk

    def _step(self, name: str, step: Callable[[], None]) -> None:
        began = time.monotonic()
        try:
            step()
        except (AssertionError, StepFailed, TimeoutError, Commission.DoesNotExist) as error:
            raise StepFailed(f"step «{name}» failed: {error}") from error
        self.tell(f"{time.monotonic() - began:6.2f} s  {name}")

    def start(self) -> None:
        self.sandbox.waits_for("master", "admin", timeout=TIMEOUT)
        for chat in (self.master, self.admin):
            chat.sends("/start")
            chat.sees(_("Field Service"), timeout=TIMEOUT, fresh=True)

    def shift(self) -> None:
        if any(_("▶️ Start shift") in text for row in self.master.buttons() for text in row):
            self.master.presses(_("▶️ Start shift"))
        self.master.sees(_("You are on shift: offers come to you."), timeout=TIMEOUT)

    def create(self) -> None:
        out = io.StringIO()
        call_command(
            "create_order",
            city=people.SMOKE_CITY,
            district="Центральный",
            phone="+79990009999",
            category="PLUMBING",
            house="1",
            apartment="2",
            description="Проверка связи",
            confirm_late=True,
            json=True,
            stdout=out,
        )
        self.order = Order.objects.get(pk=json.loads(out.getvalue())["id"])
        if self.order.status == OrderStatus.DEFERRED:  # it is night in the smoke run's city
            lifecycle.activate(order_id=self.order.pk, actor=COMMAND_LINE)

    def accept(self) -> None:
        self.master.sees(f"#{self.order.pk}", timeout=TIMEOUT)
        self.master.presses(_("✅ Accept"), timeout=TIMEOUT)
        self._until(OrderStatus.ASSIGNED)

    def work(self) -> None:
        self.master.presses(_("🚗 On my way"), timeout=TIMEOUT)
        self._until(OrderStatus.EN_ROUTE)
        self.master.presses(_("🔧 On site"), timeout=TIMEOUT)
        self._until(OrderStatus.WORKING)

    def close(self) -> None:
        self.master.presses(_("🏁 Close"), timeout=TIMEOUT)
        self.master.sends("3 500,50")
        self.master.presses(_("✅ Yes"), timeout=TIMEOUT)
        self.master.sends_photo()
        self._until(OrderStatus.PAYMENT)

    def pay(self) -> None:
        self.master.presses(_("💸 I paid"), timeout=TIMEOUT)
        self.master.presses(_("Yes, I paid"), timeout=TIMEOUT)
        self._wait(lambda: self._commission().status == CommissionStatus.REPORTED, "the commission is not REPORTED")

    def approve(self) -> None:
        self.admin.sees(f"#{self._commission().pk}", timeout=TIMEOUT)
        self.admin.presses(_("Open commission #%(id)s") % {"id": self._commission().pk}, timeout=TIMEOUT)
        self.admin.presses(_("✅ Approve"), timeout=TIMEOUT)
        self.admin.presses(_("✅ Yes, approve"), timeout=TIMEOUT)

    def check(self) -> None:
        self._until(OrderStatus.CLOSED)
        if self._commission().status != CommissionStatus.APPROVED:
            raise StepFailed(f"the commission is {self._commission().status}")

    def _commission(self) -> Commission:
        return Commission.objects.get(order_id=self.order.pk)

    def _until(self, status: OrderStatus) -> None:
        self._wait(
            lambda: Order.objects.get(pk=self.order.pk).status == status, f"order #{self.order.pk} is not {status}"
        )

    def _wait(self, done: Callable[[], bool], complaint: str) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not done():
            if time.monotonic() > deadline:
                raise StepFailed(f"{complaint}\n{self.master.transcript()}\n{self.admin.transcript()}")
            time.sleep(0.05)
