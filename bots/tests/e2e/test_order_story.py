"""An order from the first offer to CLOSED, through both bots."""

from __future__ import annotations

import pytest

from bots.sandbox import SandboxClient
from bots.tests.conftest import Running
from fieldservice.lib.actor import COMMAND_LINE
from fieldservice.lib.phones import show_phone
from finance.enums import CommissionStatus
from finance.models import Commission
from finance.tests.factories import OwnerRequisitesFactory
from orders.enums import OrderStatus
from orders.services import manual
from orders.tests.factories import OrderFactory
from staff.enums import Role
from staff.tests.factories import MasterFactory, StaffUserFactory

pytestmark = pytest.mark.e2e


def test_from_offer_to_closed(bots: Running, telegram: SandboxClient) -> None:
    OwnerRequisitesFactory()
    order = OrderFactory(apartment="77", description="Socket <burnt> & sparks")
    master = MasterFactory(city=order.city, districts=[order.district])
    boss = StaffUserFactory(role=Role.GLOBAL_ADMIN)
    ivan = telegram.person("Ivan", id=master.tg_user_id, language="en").chat("master")
    anna = telegram.person("Anna", id=boss.tg_user_id, language="en").chat("admin")
    ivan.starts()
    anna.starts()
    ivan.sees("You are on shift")
    anna.sees("Searching for a master: 1")

    manual.offer(order_id=order.pk, master_id=master.pk, actor=COMMAND_LINE)
    pushed = ivan.sees(f"New order #{order.pk}")
    assert "flat" not in pushed.text
    assert "Socket <burnt> & sparks" in pushed.text
    assert "Answer until" in pushed.text
    assert ivan.presses("Accept").text == "The order is yours."
    ivan.sees("flat 77")
    assert ivan.presses("📋 Phone").value == show_phone(order.client_phone)
    assert ivan.presses("📋 Address").value.endswith("flat 77")
    assert ivan.presses("Map").url.startswith("https://yandex.ru/maps/?")
    ivan.presses("On my way")
    ivan.presses("On site")
    ivan.presses("Close")
    ivan.sees("How much has the client paid")
    ivan.sends("3 500")
    ivan.sees("3\u00a0500\u00a0₽ — correct?")
    ivan.presses("Yes")
    ivan.sees("Now send the signed act")
    ivan.sends_photo()
    ivan.sees("2200000000000004")
    ivan.presses(f"Order #{order.pk}")
    ivan.sees("closed when the office has approved")
    ivan.presses("Back")
    ivan.sees("2200000000000004", fresh=True)
    ivan.presses("I paid")
    ivan.presses("Yes, I paid")
    ivan.sees("the office is checking it")

    anna.sees("payment reported")
    anna.presses("Open commission")
    anna.presses("Approve")
    anna.presses("Yes, approve")
    anna.sees("Approved")
    ivan.sees("is approved")
    order.refresh_from_db()
    assert order.status == OrderStatus.CLOSED
    assert Commission.objects.get(order=order).status == CommissionStatus.APPROVED
