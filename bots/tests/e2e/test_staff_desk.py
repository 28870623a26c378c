"""The admin bot: escalations, offering by hand, commissions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from bots.sandbox import SandboxClient
from bots.tests.conftest import ALERTS
from bots.tests.e2e.scene import clerk, master, member, outbox_is_empty
from fieldservice.outbox import services as outbox
from fieldservice.outbox.services import Message
from finance.models import Commission
from finance.services import commissions
from finance.tests.factories import CommissionFactory, OwnerRequisitesFactory, png
from geo.tests.factories import CityFactory
from orders.enums import OfferState, OrderStatus
from orders.models import Offer, Order
from orders.tests.factories import OrderFactory
from staff.enums import Role, ShiftStatus
from staff.models import AuditLog, Master
from staff.services import moderation as services

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots")]


def escalate(order: Order, **target: int) -> None:
    Order.objects.filter(pk=order.pk).update(
        dist_escalated_logist_at=timezone.now(), escalation_reason="no_candidates", dispatch_at=None
    )
    payload = {"order_id": order.pk, "reason": "no_candidates"}
    outbox.enqueue(Message(event="escalation_logist", payload=payload, **target))


def test_an_escalation_reaches_the_logist_with_working_buttons(telegram: SandboxClient) -> None:
    order = OrderFactory(description="<b>bold</b>")
    clerk = member(telegram, Role.LOGIST, cities=[order.city])
    worker = master(telegram, order, shift_status=ShiftStatus.SHIFT_OFF)
    escalate(order, staff_id=clerk.row.pk)
    pushed = clerk.chat.sees(f"Order #{order.pk} has no master.")
    assert "no free master with this skill" in pushed.text
    assert pushed.buttons == [[f"Open #{order.pk}"], ["👤 Assign", "🔁 Search again"]]
    clerk.chat.presses("Open")
    card = clerk.chat.sees("Waiting for")
    assert "<b>bold</b>" in card.text
    clerk.chat.presses("Assign")
    assert f"⚠️ {worker.row.full_name} · ⭐5.0 · 0/5 — off shift" in clerk.chat.sees("Who is asked?").text
    clerk.chat.presses(worker.row.full_name)
    clerk.chat.sees("Offer anyway?")
    clerk.chat.presses("Yes, offer")
    clerk.chat.sees(f"{worker.row.full_name}: 1:5")
    worker.chat.sees(f"New order #{order.pk}")
    assert worker.chat.presses("Accept").text == "The order is yours."  # the office knew about the shift
    clerk.chat.presses("Refresh")
    card = clerk.chat.sees("accepted by the master")
    assert f"({worker.row.full_name})" in card.text


def test_a_free_master_gets_the_offer_at_once(telegram: SandboxClient) -> None:
    order = OrderFactory()
    worker = master(telegram, order)
    clerk = member(telegram, Role.LOGIST, cities=[order.city])
    clerk.chat.presses("Orders")
    clerk.chat.presses("Queue")
    clerk.chat.presses(f"Open #{order.pk}")
    clerk.chat.presses("Assign")
    assert "on its way" in clerk.chat.presses(f"✅ {worker.row.full_name}").text
    assert Offer.objects.get().state == OfferState.SENT
    answer = clerk.chat.presses_data(f"adm:q:pick:{order.pk}:{worker.row.pk}:1", message=clerk.chat.last())
    assert "has a live offer" in answer.text


def test_search_again_from_an_old_card_is_refused(telegram: SandboxClient) -> None:
    order = OrderFactory()
    clerk = member(telegram, Role.LOGIST, cities=[order.city])
    clerk.chat.presses("Orders")
    clerk.chat.presses("Queue")
    clerk.chat.presses(f"Open #{order.pk}")
    card = clerk.chat.sees("🔧")
    Order.objects.filter(pk=order.pk).update(version=9)
    answer = clerk.chat.presses("Search again")
    assert "was changed" in answer.text
    order.refresh_from_db()
    assert order.search_number == 1
    clerk.chat.presses("Search again")  # the card was redrawn with the new version
    order.refresh_from_db()
    assert order.search_number == 2
    assert clerk.chat.sees("new search").id == card.id


def test_the_channel_gets_text_and_solved_cases_are_not_sent(telegram: SandboxClient) -> None:
    waiting, solved = OrderFactory(), OrderFactory()
    for order in (waiting, solved):
        escalate(order, chat_id=ALERTS)
    Order.objects.filter(pk=solved.pk).update(status=OrderStatus.CANCELED)
    channel = telegram.channel(ALERTS)
    post = channel.sees(f"Order #{waiting.pk} has no master.")
    assert post.buttons == []
    outbox_is_empty()
    channel.does_not_see(f"#{solved.pk} ")


def test_an_escalation_of_a_city_one_has_left_is_not_sent(telegram: SandboxClient) -> None:
    order = OrderFactory()
    clerk = member(telegram, Role.LOGIST)
    escalate(order, staff_id=clerk.row.pk)
    outbox_is_empty()
    clerk.chat.does_not_see("has no master")


def test_approving_twice_is_refused(telegram: SandboxClient) -> None:
    commission = CommissionFactory()
    admin = member(telegram, Role.CITY_ADMIN, cities=[commission.order.city])
    admin.chat.presses("Commissions")
    admin.chat.presses(f"Commission #{commission.pk}")
    admin.chat.presses("Approve")
    question = admin.chat.sees("arrived?")
    answers = [admin.chat.presses_data(f"adm:f:cm:approve:{commission.pk}:1", message=question) for _ in range(2)]
    assert answers[0].text == "Approved: the order is closed."
    assert "approved already" in answers[1].text
    admin.chat.presses("Order #")
    admin.chat.sees("the commission is paid")


class TestMoney:
    def test_tabs_totals_and_the_way_back(self, telegram: SandboxClient) -> None:
        waits, reported = CommissionFactory(), CommissionFactory(status="REPORTED", paid_reported_at=timezone.now())
        admin = member(telegram)
        admin.chat.presses("Commissions")
        shown = admin.chat.sees("Unpaid: 5\xa0000\xa0₽")
        assert shown.buttons[:2] == [["· Unpaid (2) ·", "💸 Reported (1)"], ["⛔ Overdue (0)", "✅ Paid"]]
        admin.chat.presses("💸 Reported (1)")
        shown = admin.chat.sees(f"#{reported.pk}")
        assert f"#{waits.pk} " not in shown.text
        admin.chat.presses(f"Commission #{reported.pk}")
        admin.chat.presses("Back")
        assert "· 💸 Reported (1) ·" in admin.chat.sees("to be checked", fresh=True).buttons[0]

    def test_by_period_with_counts_and_sums_and_back(self, telegram: SandboxClient) -> None:
        new, old = CommissionFactory(), CommissionFactory()
        Commission.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=40))
        admin = member(telegram)
        admin.chat.presses("Commissions")
        admin.chat.presses("By period")
        shown = admin.chat.sees("Older: 1, 2\xa0500\xa0₽")
        assert shown.buttons[2] == ["Today (1)", "Older (1)"]
        admin.chat.presses("Older (1)")
        listed = admin.chat.sees("Unpaid › Older")
        assert f"#{new.pk} " not in listed.text
        assert "Together: 1, 2\xa0500\xa0₽" in listed.text
        admin.chat.presses(f"Commission #{old.pk}")
        admin.chat.presses(f"Order #{old.order_id}")
        admin.chat.sees(f"Order #{old.order_id} ·")
        for _screen in range(2):
            admin.chat.presses("Back")
        admin.chat.sees("Unpaid › Older", fresh=True)
        admin.chat.presses("Back")
        admin.chat.presses("✅ Paid")
        admin.chat.presses("Older")
        admin.chat.sees("There is nothing here.")

    def test_the_master_is_blocked_and_unblocked_from_the_card(self, telegram: SandboxClient) -> None:
        commission = CommissionFactory(status="OVERDUE")
        worker = telegram.person("M", id=commission.master.tg_user_id, language="en").chat("master")
        worker.starts()
        admin = member(telegram, Role.CITY_ADMIN, cities=[commission.order.city])
        admin.chat.presses("Commissions")
        admin.chat.presses(f"Commission #{commission.pk}")
        admin.chat.presses("⛔ Block")
        admin.chat.sees("The master will read it")
        admin.chat.sends("я")
        admin.chat.sees("3 to 200 characters")
        admin.chat.presses("No, leave it")
        assert not Master.objects.get(pk=commission.master_id).is_blocked
        admin.chat.presses("⛔ Block")
        admin.chat.presses("Does not pay the commission")
        admin.chat.sees("⛔ Does not pay the commission")
        worker.sees("Does not pay the commission")
        admin.chat.presses("✅ Unblock")
        admin.chat.sees("stays as it is")
        assert admin.chat.presses("Yes, unblock").text == "Unblocked: the master is told."
        admin.chat.presses("Back")
        admin.chat.sees(f"#{commission.pk}")
        log = AuditLog.objects.filter(master=commission.master, admin=admin.row).order_by("pk")
        assert [(row.action, row.payload_json["reason"]) for row in log] == [
            ("block_master", "Does not pay the commission"), ("unblock_master", "Does not pay the commission")
        ]  # fmt: skip

    def test_a_master_who_moved_away_is_decided_on_elsewhere(self, telegram: SandboxClient) -> None:
        commission = CommissionFactory(status="OVERDUE")
        admin = member(telegram, Role.CITY_ADMIN, cities=[commission.order.city])
        Master.objects.filter(pk=commission.master_id).update(
            city=CityFactory(), is_blocked=True, blocked_reason="Причина другого города"
        )
        admin.chat.presses("Commissions")
        admin.chat.presses(f"Commission #{commission.pk}")
        card = admin.chat.sees(f"Order #{commission.order_id}")
        assert "lock" not in str(card.buttons)
        for address in ("adm:f:unb", "adm:f:unb:ok", "adm:f:blk"):
            answer = admin.chat.presses_data(f"{address}:{commission.pk}", message=card)
            assert answer.text == "There is no such master."

    def test_of_two_who_block_the_second_is_told(self, telegram: SandboxClient) -> None:
        commission = CommissionFactory(status="OVERDUE")
        admin = member(telegram)
        admin.chat.presses("Commissions")
        admin.chat.presses(f"Commission #{commission.pk}")
        admin.chat.presses("⛔ Block")
        services.block(master_id=commission.master_id, reason="Другая причина", actor=clerk(), now=timezone.now())
        assert "is blocked already" in admin.chat.presses("Does not pay the commission").text
        assert Master.objects.get(pk=commission.master_id).blocked_reason == "Другая причина"

    def test_another_amount_needs_a_reason(self, telegram: SandboxClient) -> None:
        commission = CommissionFactory()
        admin = member(telegram)
        admin.chat.presses("Commissions")
        admin.chat.presses(f"Commission #{commission.pk}")
        admin.chat.presses("Approve")
        admin.chat.presses("Another amount")
        admin.chat.sends_sticker()
        admin.chat.sees("A sum is expected here")
        admin.chat.sends("2 400,50")
        admin.chat.sees("2\xa0400,50\xa0₽ differs from the due")
        admin.chat.sends("no")
        admin.chat.sees("Give a reason of 3 to 200 characters")
        admin.chat.sends("agreed upon")
        admin.chat.sees("Approved: 2\xa0400,50\xa0₽", fresh=True)
        commission.refresh_from_db()
        assert (str(commission.paid_amount), commission.amount_reason) == ("2400.50", "agreed upon")

    def test_a_false_report_on_a_debt_is_rejected(self, telegram: SandboxClient) -> None:
        commission = CommissionFactory(status="OVERDUE", paid_reported_at=timezone.now())
        admin = member(telegram)
        admin.chat.presses("Commissions")
        admin.chat.presses(f"Commission #{commission.pk}")
        admin.chat.presses("Not found")
        admin.chat.sees("The master sees the reason")
        admin.chat.sends("no such payment")
        card = admin.chat.sees("Last rejection: no such payment", fresh=True)
        assert "Not found" not in str(card.buttons)
        commission.refresh_from_db()
        assert (commission.status, commission.paid_reported_at) == ("OVERDUE", None)

    @pytest.mark.parametrize("button", ["Not found", "Approve"])
    def test_a_reason_typed_after_somebody_elses_approval_ends_the_question(
        self, telegram: SandboxClient, button: str
    ) -> None:
        commission = CommissionFactory(status="OVERDUE", paid_reported_at=timezone.now())
        admin = member(telegram)
        admin.chat.presses("Commissions")
        admin.chat.presses(f"Commission #{commission.pk}")
        admin.chat.presses(button)
        if button == "Approve":
            admin.chat.presses("Another amount")
            admin.chat.sends("2400")
            admin.chat.sees("differs from the due")
        else:
            admin.chat.sees("The master sees the reason")
        commissions.approve(commission_id=commission.pk, actor=clerk(), now=timezone.now())
        admin.chat.sends("no such payment")
        admin.chat.sees("approved" if button == "Approve" else "no report to reject", fresh=True)
        admin.chat.sends("no such payment")
        admin.chat.sees("Use the buttons, please.", fresh=True)  # nothing is asked any more

    def test_receipts_open_here_too(self, telegram: SandboxClient) -> None:
        commission = CommissionFactory()
        worker = telegram.person("M", id=commission.master.tg_user_id, language="en").chat("master")
        worker.starts()
        worker.presses("Finance")
        worker.presses(f"Commission #{commission.pk}")
        worker.presses("Send a receipt")
        worker.sends_photo()
        worker.sees("The receipt is kept.")
        admin = member(telegram)
        admin.chat.presses("Commissions")
        admin.chat.presses(f"Commission #{commission.pk}")
        admin.chat.presses("Receipts (1)")
        admin.chat.sees(f"Commission #{commission.pk}", media="photo")

    def test_many_at_once_exactly_those_shown(self, telegram: SandboxClient) -> None:
        first, second = CommissionFactory.create_batch(2, status="REPORTED", paid_reported_at=timezone.now())
        admin = member(telegram)
        admin.chat.presses("Commissions")
        admin.chat.presses("Approve many")
        preview = admin.chat.sees("2 commissions, 5\xa0000\xa0₽ together.")
        assert f"#{first.pk}" in preview
        late = CommissionFactory(status="REPORTED", paid_reported_at=timezone.now())
        Commission.objects.filter(pk=second.pk).update(amount=1)
        admin.chat.presses("Approve all 2")
        done = admin.chat.sees("1 commission is approved.")
        assert f"❌ #{second.pk}: Commission #{second.pk} is 1\xa0₽ now" in done
        states = dict(Commission.objects.values_list("pk", "status"))
        assert states == {first.pk: "APPROVED", second.pk: "REPORTED", late.pk: "REPORTED"}
        answer = admin.chat.presses_data("adm:f:bulk:yes:1", message=preview)
        assert "not known any more" in answer.text

    def test_the_requisites_are_for_the_global_admin(self, telegram: SandboxClient) -> None:
        OwnerRequisitesFactory(sbp_qr=png())
        debt = CommissionFactory()
        admin = member(telegram)
        admin.chat.presses("Commissions")
        admin.chat.presses("Requisites")
        admin.chat.sees("2200000000000004")
        admin.chat.presses("QR code")
        admin.chat.sees("QR code for payments", media="photo")
        admin.chat.presses("Tell the masters")
        admin.chat.sees("1 master who still has to pay")
        assert admin.chat.presses("Yes, send").text == "1 master is being told."
        city = member(telegram, Role.CITY_ADMIN, cities=[debt.order.city])
        city.chat.presses("Commissions")
        assert "Requisites" not in str(city.chat.sees("Unpaid").buttons)
        assert "does not allow" in city.chat.presses_data("adm:f:req", message=city.chat.last()).text
