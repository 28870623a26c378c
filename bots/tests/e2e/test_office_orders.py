"""The admin bot: the order card with everything that can be done there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from bots.sandbox import SandboxClient
from bots.tests.e2e.scene import Member, eventually, master, member
from finance.tests.factories import CommissionFactory
from orders.enums import OfferState, OrderStatus, OrderType
from orders.models import Offer, Order, OrderRating, OrderStatusHistory
from orders.tests.factories import AttachmentFactory, HistoryFactory, OfferFactory, OrderFactory
from staff.enums import Role, ShiftStatus
from staff.models import AuditLog, Master
from staff.tests.factories import MasterFactory

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots")]


def opens(clerk: Member, order: Order) -> None:
    """The order's card, from the queue."""
    clerk.chat.presses_data("adm:q:list", message=clerk.chat.last())
    clerk.chat.presses(f"Open #{order.pk}")
    clerk.chat.sees(f"Order #{order.pk}")


def test_the_card_shows_everything(telegram: SandboxClient) -> None:
    order = OrderFactory(
        description="<b>Искрит</b> розетка", apartment="5", address_comment="код 12", client_name="О'Нил <i>"
    )
    first = MasterFactory(city=order.city, districts=[order.district])
    OfferFactory(order=order, master=first, state=OfferState.DECLINED, sent_at=timezone.now() - timedelta(minutes=3))
    OfferFactory(order=order, master=MasterFactory(city=order.city, full_name="Живой Мастер"))
    HistoryFactory(order=order, to_status=OrderStatus.SEARCHING, reason="search_started")
    AttachmentFactory(entity_id=order.pk)
    clerk = member(telegram, Role.LOGIST, cities=[order.city])
    opens(clerk, order)
    card = clerk.chat.last()
    assert card is not None
    for text in ("flat 5", "код 12", "<b>Искрит</b>", "О'Нил <i>", "Живой Мастер: 1:5", "Declined", "search started"):
        assert text in card.text, text
    assert "📎 Files (1)" in str(card.buttons)
    assert card.button("📋 Client")["kind"] == "copy"
    assert card.button("🗺 Map")["kind"] == "url"
    clerk.chat.presses("📜 History")
    assert "search started" in clerk.chat.sees("History").text
    clerk.chat.presses("Back")
    clerk.chat.presses("❓ Why")
    clerk.chat.sees("Живой Мастер")
    clerk.chat.presses("Back")
    clerk.chat.presses("📎 Files (1)")
    eventually(lambda: AuditLog.objects.filter(action="attachments_viewed", admin=clerk.row).exists())


def test_return_to_search_asks_why_and_tells_the_master(telegram: SandboxClient) -> None:
    order = OrderFactory()
    worker = master(telegram, order)
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.ASSIGNED, assigned_master=worker.row, dispatch_at=None)
    OfferFactory(order=order, master=worker.row, state=OfferState.ACCEPTED)
    clerk = member(telegram, Role.LOGIST, cities=[order.city])
    opens(clerk, order)
    clerk.chat.presses("Return to search")
    clerk.chat.sees("Why is the order taken from the master?")
    order.refresh_from_db()
    assert order.status == OrderStatus.ASSIGNED  # nothing happens before the reason
    clerk.chat.sends_sticker()
    clerk.chat.sees("Write the reason, please")
    clerk.chat.sends("no")
    clerk.chat.sees("3 to 200 characters")
    clerk.chat.sends("Сломалась <машина>")
    card = clerk.chat.sees("The order is searching again")
    assert "Сломалась <машина>" in card.text
    order.refresh_from_db()
    assert (order.status, order.assigned_master_id, order.search_number) == (OrderStatus.SEARCHING, None, 2)
    worker.chat.sees("Сломалась <машина>")


def test_a_preset_of_an_old_card_is_refused_with_the_truth(telegram: SandboxClient) -> None:
    order = OrderFactory(assigned=True)
    clerk = member(telegram, Role.LOGIST, cities=[order.city])
    opens(clerk, order)
    clerk.chat.presses("Return to search")
    clerk.chat.sees("Why is the order taken")
    Order.objects.filter(pk=order.pk).update(version=5)
    assert "was changed" in clerk.chat.presses("The master cannot come").text
    clerk.chat.presses("Return to search")  # of the card, as it is now
    clerk.chat.presses("No, leave it")
    order.refresh_from_db()
    assert order.status == OrderStatus.ASSIGNED


def test_cancel_is_final_and_limited_by_role(telegram: SandboxClient) -> None:
    order = OrderFactory()
    working = OrderFactory(city=order.city, district=order.district, assigned=True, status=OrderStatus.WORKING)
    clerk = member(telegram, Role.LOGIST, cities=[order.city])
    opens(clerk, order)
    clerk.chat.presses("Cancel order")
    clerk.chat.sees("This is final")
    clerk.chat.presses("The client changed their mind")
    card = clerk.chat.sees("Canceled: The client changed their mind")
    assert "Assign" not in str(card.buttons)
    opens(clerk, working)
    assert "Cancel order" not in str(clerk.chat.buttons())
    answer = clerk.chat.presses_data(f"adm:q:cnl:{working.pk}", message=clerk.chat.last())
    assert "only an admin may cancel" in answer.text
    boss = member(telegram, Role.CITY_ADMIN, cities=[order.city])
    opens(boss, working)
    boss.chat.presses("Cancel order")
    boss.chat.sends("Клиент отказался")
    boss.chat.sees("The order is canceled.")
    working.refresh_from_db()
    assert (working.status, working.assigned_master_id is None) == (OrderStatus.CANCELED, False)


def test_a_deferred_order_is_woken(telegram: SandboxClient) -> None:
    order = OrderFactory(status=OrderStatus.DEFERRED, dispatch_at=timezone.now() + timedelta(hours=5))
    worker = master(telegram, order)
    clerk = member(telegram, Role.LOGIST, cities=[order.city])
    opens(clerk, order)
    clerk.chat.presses("Search now")
    card = clerk.chat.sees("left, until")
    assert worker.row.full_name in card.text  # the first offer is on the card already
    worker.chat.sees(f"New order #{order.pk}")


def test_auto_gives_it_to_dispatch_but_not_twice(telegram: SandboxClient) -> None:
    order = OrderFactory(dispatch_at=timezone.now() + timedelta(hours=1))
    worker = master(telegram, order)
    clerk = member(telegram, Role.LOGIST, cities=[order.city])
    opens(clerk, order)
    clerk.chat.presses("Assign")
    clerk.chat.presses("Auto")
    clerk.chat.sees(f"{worker.row.full_name}: 1:5")
    worker.chat.sees(f"New order #{order.pk}")
    clerk.chat.presses("Assign")
    assert "has an offer of this order now" in clerk.chat.presses("Auto").text
    clerk.chat.presses("Search again")
    clerk.chat.sees("Withdraw it and begin anew?")
    clerk.chat.presses("No")
    assert Offer.objects.get().state in OfferState.LIVE
    clerk.chat.presses("Search again")
    clerk.chat.presses("Yes, begin anew")
    assert Offer.objects.order_by("pk").first().state == OfferState.CANCELED  # type: ignore[union-attr]


def test_direct_assignment_is_for_admins(telegram: SandboxClient) -> None:
    order = OrderFactory()
    worker = master(telegram, order, shift_status=ShiftStatus.SHIFT_OFF)
    clerk = member(telegram, Role.LOGIST, cities=[order.city])
    opens(clerk, order)
    clerk.chat.presses("Assign")
    clerk.chat.sees("Who is asked?")
    assert "without asking" not in str(clerk.chat.buttons())
    data = f"adm:q:dir:ok:{order.pk}:{worker.row.pk}:1"
    assert "does not allow" in clerk.chat.presses_data(data, message=clerk.chat.last()).text
    boss = member(telegram, Role.CITY_ADMIN, cities=[order.city])
    opens(boss, order)
    boss.chat.presses("Assign")
    boss.chat.presses("Assign without asking")
    boss.chat.sees("without being asked")
    boss.chat.presses(worker.row.full_name)
    boss.chat.sees("Now: off shift.")
    boss.chat.presses("Yes, assign")
    boss.chat.sees("assigned by the office")
    worker.chat.sees(f"#{order.pk}")
    order.refresh_from_db()
    assert (order.status, order.assigned_master_id) == (OrderStatus.ASSIGNED, worker.row.pk)


def test_masters_are_found_by_a_part_of_the_name(telegram: SandboxClient) -> None:
    order = OrderFactory()
    for number in range(7):
        MasterFactory(city=order.city, districts=[order.district], full_name=f"Дежурный {number}")
    MasterFactory(city=order.city, full_name="Кузнецова Анна", skills=[])
    clerk = member(telegram, Role.LOGIST, cities=[order.city])
    opens(clerk, order)
    clerk.chat.presses("Assign")
    clerk.chat.sees("Page 1 of 2")
    clerk.chat.presses("▶")
    clerk.chat.sees("Page 2 of 2")
    clerk.chat.sends("кузнец")
    listed = clerk.chat.sees("«кузнец»")
    assert "without the skill" in listed.text
    assert "Дежурный" not in listed.text


def test_a_guarantee_visit_with_another_description(telegram: SandboxClient) -> None:
    source = OrderFactory(closed=True)
    worker = source.assigned_master
    assert worker is not None
    clerk = member(telegram, Role.LOGIST, cities=[source.city])
    clerk.chat.presses("Orders")
    clerk.chat.presses("Under guarantee (1)")
    clerk.chat.sees("guarantee: 13 days left")
    clerk.chat.presses(f"Open #{source.pk}")
    clerk.chat.presses("Guarantee visit")
    assert worker.full_name in clerk.chat.sees("is asked first").text
    clerk.chat.sends("мало")
    clerk.chat.sees("10 to 500 characters")
    clerk.chat.sends("Снова искрит, пахнет гарью")
    clerk.chat.sees("The guarantee visit is order #")
    visit = Order.objects.get(type=OrderType.GUARANTEE)
    assert (visit.guarantee_source_order_id, visit.description) == (source.pk, "Снова искрит, пахнет гарью")
    clerk.chat.presses("Back")
    clerk.chat.sees("Under guarantee")
    answer = clerk.chat.presses_data(f"adm:q:gar:ok:{source.pk}:1:w1", message=clerk.chat.last())
    assert "open guarantee visit" in answer.text


def test_the_visit_is_rated_and_the_master_s_rating_follows(telegram: SandboxClient) -> None:
    order = OrderFactory(closed=True)
    clerk = member(telegram, Role.LOGIST, cities=[order.city])
    clerk.chat.presses("Orders")
    clerk.chat.presses("Closed (1)")
    clerk.chat.presses(f"Open #{order.pk}")
    clerk.chat.presses("Rate the visit")
    clerk.chat.sees("How was the visit")
    clerk.chat.presses("2 ⭐")
    clerk.chat.sends_voice()
    clerk.chat.sees("Write the comment as text")
    clerk.chat.sends("Опоздал <на час>")
    card = clerk.chat.sees("Thank you")
    assert "2/5 «Опоздал <на час>»" in card.text
    clerk.chat.presses("Rate the visit")
    clerk.chat.presses("5 ⭐")
    clerk.chat.presses("Without a comment")
    clerk.chat.sees("⭐ 5/5")
    assert OrderRating.objects.get().stars == 5
    assert Master.objects.get(pk=order.assigned_master_id).rating == 5
    assert OrderStatusHistory.objects.filter(order=order, reason="visit_rated").count() == 2


def test_money_is_for_those_who_may_see_it(telegram: SandboxClient) -> None:
    commission = CommissionFactory()
    order = commission.order
    clerk = member(telegram, Role.LOGIST, cities=[order.city])
    boss = member(telegram, Role.CITY_ADMIN, cities=[order.city])
    for person in (clerk, boss):
        opens(person, order)
    clerk.chat.does_not_see("Commission #")
    boss.chat.sees(f"Commission #{commission.pk}")


def test_back_leads_where_one_came_from(telegram: SandboxClient) -> None:
    city = OrderFactory().city
    orders = [OrderFactory(city=city) for _ in range(6)]
    clerk = member(telegram, Role.LOGIST, cities=[city])
    clerk.chat.presses("Orders")
    clerk.chat.presses("Queue (7)")
    clerk.chat.presses("▶")
    clerk.chat.sees("Page 2")
    clerk.chat.presses(f"Open #{orders[0].pk}")
    clerk.chat.presses("Refresh")
    clerk.chat.presses("Cancel order")
    clerk.chat.presses("No, leave it")
    clerk.chat.presses("Back")
    clerk.chat.sees("Page 2")
    assert orders[0].assigned_master is None
