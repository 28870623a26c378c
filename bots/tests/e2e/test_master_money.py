"""The master bot's screens of money: finance, receipts, requisites, history, statistics, invitations."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from bots.sandbox import SandboxClient
from bots.sandbox.chat_client import Seen
from bots.tests.e2e.scene import Worker, eventually, master, member, outbox_is_empty
from fieldservice.lib.phones import show_phone
from finance.models import Commission, ReferralReward
from finance.services import commissions, payouts, referrals, requisites
from finance.services.requisites import NewRequisites
from finance.tests.factories import (
    CommissionFactory,
    OwnerRequisitesFactory,
    ReferralFactory,
    ReferralRewardFactory,
    png,
)
from orders.models import Attachment, Order
from orders.tests.factories import AttachmentFactory, OfferFactory, OrderFactory
from orders.tests.people import as_master, staff
from staff.enums import Role
from staff.models import Master
from staff.tests.factories import MasterFactory

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots")]
PNG = png()


def owing(worker: Worker, *states: str, **values: Any) -> list[Commission]:
    """Commissions of the worker in these states, with the present requisites."""
    found = []
    for state in states:
        order = OrderFactory(in_payment=True, city=worker.row.city, assigned_master=worker.row)
        version = requisites.current()
        commission = CommissionFactory(
            order=order, status=state, requisites=version,
            pay_to_snapshot=requisites.snapshot(version, order=order, master=worker.row), **values,
        )  # fmt: skip
        if state == "APPROVED":
            Commission.objects.filter(pk=commission.pk).update(
                paid_amount=commission.amount, paid_approved_at=timezone.now(), is_paid=True
            )
        found.append(commission)
    return found


def listed(shown: Seen) -> set[int]:
    """The commissions that can be opened; orders have numbers, too."""
    captions = [button for row in shown.buttons for button in row]
    return {int(button.removeprefix("Commission #")) for button in captions if button.startswith("Commission #")}


class TestFinance:
    def test_tabs_hold_what_they_say_with_totals(self, telegram: SandboxClient) -> None:
        worker = master(telegram)
        waits, reported, paid = owing(worker, "WAIT_PAY", "REPORTED", "APPROVED")
        CommissionFactory()  # somebody else's
        worker.chat.presses("Finance")
        shown = worker.chat.sees("To pay: 2\xa0500\xa0₽")
        assert "Being checked: 2\xa0500\xa0₽" in shown
        assert "Paid in all: 2\xa0500\xa0₽" in shown
        assert shown.buttons[0] == ["· ⏳ To pay (2) ·", "⛔ Overdue (0)", "✅ Paid (1)"]
        assert listed(shown) == {waits.pk, reported.pk}
        worker.chat.presses("✅ Paid (1)")
        shown = worker.chat.sees("Menu › Finance › Paid")
        assert listed(shown) == {paid.pk}
        worker.chat.presses(f"Commission #{paid.pk}")
        assert "I paid" not in str(worker.chat.sees("Paid: 2\xa0500\xa0₽, approved today").buttons)
        worker.chat.presses("Back")
        assert "· ✅ Paid (1) ·" in worker.chat.sees("Paid in all", fresh=True).buttons[0]

    def test_an_overdue_debt_comes_first_and_back_keeps_tab_and_page(self, telegram: SandboxClient) -> None:
        worker = master(telegram)
        owing(worker, *["OVERDUE"] * 6)
        worker.chat.presses("Finance")
        assert "· ⛔ Overdue (6) ·" in worker.chat.sees("Page 1 of 2").buttons[0]
        worker.chat.presses("▶")
        shown = worker.chat.sees("Page 2 of 2")
        number = next(button for row in shown.buttons for button in row if button.startswith("Commission #"))
        worker.chat.presses(number)
        worker.chat.sees("you are blocked until")
        worker.chat.presses("Back")
        worker.chat.sees("Page 2 of 2", fresh=True)

    def test_its_order_opens_when_closed_too_and_back_leads_to_it(self, telegram: SandboxClient) -> None:
        worker = master(telegram)
        (commission,) = owing(worker, "APPROVED")
        Order.objects.filter(pk=commission.order_id).update(status="CLOSED", closed_at=timezone.now())
        worker.chat.presses("Finance")
        worker.chat.presses("✅ Paid (1)")
        worker.chat.presses(f"Commission #{commission.pk}")
        worker.chat.presses(f"Order #{commission.order_id}")
        worker.chat.sees("The client paid", fresh=True)
        worker.chat.presses("Back")
        worker.chat.sees("approved today", fresh=True)
        worker.chat.presses("Back")
        assert "· ✅ Paid (1) ·" in worker.chat.sees("Paid in all", fresh=True).buttons[0]

    def test_times_are_those_of_the_city(self, telegram: SandboxClient) -> None:
        worker = master(telegram, city__timezone="Asia/Vladivostok")
        deadline = timezone.now().replace(hour=3, minute=11) + timedelta(days=1)
        owing(worker, "WAIT_PAY", deadline_at=deadline)
        worker.chat.presses("Finance")
        assert "13:11" in worker.chat.sees("pay until")

    def test_the_card_holds_everything_needed_to_pay(self, telegram: SandboxClient) -> None:
        OwnerRequisitesFactory(sbp_qr=PNG, other_text="<b>Пишите</b>")
        worker = master(telegram)
        (commission,) = owing(worker, "WAIT_PAY")
        worker.chat.presses("Finance")
        worker.chat.presses(f"Commission #{commission.pk}")
        card = worker.chat.sees("2200000000000004")
        assert "+7 999 000-00-01" in card
        assert "<b>Пишите</b>" in card.text
        assert f"Комиссия #{commission.order_id} от {worker.row.full_name}" in card
        assert worker.chat.presses("📋 Card").value == "2200000000000004"
        worker.chat.presses("QR code")
        eventually(lambda: [m for m in worker.chat.messages() if m.media == "photo"])
        picture = next(m for m in worker.chat.messages() if m.media == "photo")
        assert picture.content() == PNG

    def test_newer_requisites_are_shown_beside_the_frozen_ones(self, telegram: SandboxClient) -> None:
        OwnerRequisitesFactory()
        worker = master(telegram)
        (commission,) = owing(worker, "WAIT_PAY")
        boss = staff(Role.GLOBAL_ADMIN)
        requisites.publish(new=NewRequisites(methods=("card",), card_number="4111111111111111"), actor=boss)
        requisites.broadcast(actor=boss)
        pushed = worker.chat.sees("The requisites have changed")
        assert "4111111111111111" in pushed
        worker.chat.presses("Finance")
        worker.chat.presses(f"Commission #{commission.pk}")
        worker.chat.sees("The office has newer requisites")
        worker.chat.presses("Newer requisites")
        assert "4111111111111111" in worker.chat.sees("stands in the card of each commission", fresh=True)

    def test_without_requisites_one_is_told_whom_to_ask(self, telegram: SandboxClient) -> None:
        worker = master(telegram)
        worker.chat.presses("Finance")
        worker.chat.presses("Where to pay")
        worker.chat.sees("ask the office where to pay")


class TestReceipts:
    @pytest.mark.parametrize("state", ["WAIT_PAY", "REPORTED", "OVERDUE"])
    def test_at_any_unpaid_state(self, telegram: SandboxClient, state: str) -> None:
        worker = master(telegram, is_blocked=state == "OVERDUE", blocked_reason="commission_overdue")
        (commission,) = owing(worker, state)
        admin = member(telegram, Role.CITY_ADMIN, cities=[worker.row.city])
        worker.chat.presses("Finance")
        worker.chat.presses(f"Commission #{commission.pk}")
        worker.chat.presses("Send a receipt")
        worker.chat.sends("done")
        worker.chat.sees("A photo or a scan (PDF) of the receipt is expected here.")
        worker.chat.sends_photo()
        worker.chat.sees("The receipt is kept.")
        worker.chat.sends_document(b"%PDF-1.4", "receipt.pdf", mime="application/pdf")
        worker.chat.sees("2 receipts are kept.")
        worker.chat.presses("Done")
        worker.chat.sees("2 receipts were sent.", fresh=True)
        admin.chat.sees(f"Commission #{commission.pk}: a receipt was sent.")
        outbox_is_empty()
        assert len([m for m in admin.chat.messages() if "a receipt was sent" in m.text]) == 1
        commission.refresh_from_db()
        assert (commission.has_checks, commission.status) == (True, state)

    def test_an_album_is_kept_whole_and_says_so_once(self, telegram: SandboxClient) -> None:
        worker = master(telegram)
        (commission,) = owing(worker, "WAIT_PAY")
        worker.chat.presses("Finance")
        worker.chat.presses(f"Commission #{commission.pk}")
        worker.chat.presses("Send a receipt")
        worker.chat.sends_album(4)
        eventually(lambda: Attachment.objects.filter(entity_type="COMMISSION", entity_id=commission.pk).count() == 4)
        telegram.waits_idle("master")
        assert len([m for m in worker.chat.messages() if "kept" in m.text]) == 1

    def test_not_for_an_approved_or_a_stranger_s_one(self, telegram: SandboxClient) -> None:
        worker = master(telegram)
        (commission,) = owing(worker, "WAIT_PAY")
        strange = CommissionFactory()
        worker.chat.presses("Finance")
        worker.chat.presses(f"Commission #{commission.pk}")
        card = worker.chat.sees("Pay until")
        answer = worker.chat.presses_data(f"m:fin:cm:chk:{strange.pk}", message=card)
        assert "There is no commission" in answer.text
        worker.chat.presses("Send a receipt")
        commissions.approve(commission_id=commission.pk, actor=staff(Role.GLOBAL_ADMIN))
        worker.chat.sends_photo()
        worker.chat.sees("approved already: nothing to pay")
        assert not Attachment.objects.exists()


def test_the_office_rejects_corrects_reminds_and_the_master_hears(telegram: SandboxClient) -> None:
    from finance.services import reminders

    worker = master(telegram)
    (commission,) = owing(worker, "OVERDUE")
    boss = staff(Role.GLOBAL_ADMIN)
    worker.chat.presses("Finance")
    worker.chat.presses(f"Commission #{commission.pk}")
    worker.chat.presses("I paid")
    worker.chat.presses("Yes, I paid")
    commissions.reject(commission_id=commission.pk, actor=boss, reason="no such payment")
    worker.chat.sees("was not found")
    worker.chat.presses("Open commission")
    card = worker.chat.sees("The office: no such payment", fresh=True)
    assert "I paid" in str(card.buttons)
    commissions.correct(commission_id=commission.pk, actor=boss, total_sum=Decimal(500), reason="a zero too many")
    worker.chat.sees("is 250\xa0₽ now")
    Commission.objects.filter(pk=commission.pk).update(
        status="WAIT_PAY", deadline_at=timezone.now() + timedelta(minutes=14, seconds=30), reminded_at=None,
        created_at=timezone.now() - timedelta(hours=3),
    )  # fmt: skip
    assert reminders.remind(now=timezone.now()) == 1
    worker.chat.sees("14 minutes left to pay")


class TestHistory:
    def past(self, worker: Worker, **values: Any) -> Order:
        return OrderFactory(**{"closed": True, "city": worker.row.city, "assigned_master": worker.row} | values)

    def test_filters_sums_and_the_way_back(self, telegram: SandboxClient) -> None:
        worker = master(telegram)
        order = self.past(worker, address_comment="code 1234", apartment="77")
        CommissionFactory(order=order, amount=2500, paid_amount=Decimal(2500), is_paid=True, status="APPROVED")
        gone = self.past(worker, closed=False, status="CANCELED", cancel_reason="the client moved")
        self.past(worker, assigned_master=MasterFactory(city=worker.row.city))
        worker.chat.presses("History")
        shown = worker.chat.sees("Closed orders: 1, clients paid 5\xa0000\xa0₽")
        assert "Yours after commissions: 2\xa0500\xa0₽" in shown
        assert f"#{order.pk}" in shown
        assert f"#{gone.pk}" in shown
        worker.chat.presses("❌ Canceled")
        shown = worker.chat.sees("Canceled orders: 1")
        assert f"#{order.pk} " not in shown.text
        worker.chat.presses(f"Open #{gone.pk}")
        worker.chat.sees("the client moved")
        worker.chat.presses("Back")
        assert "· ❌ Canceled ·" in worker.chat.sees("Canceled orders: 1", fresh=True).buttons[0]
        worker.chat.presses("✅ Closed")
        worker.chat.presses(f"Open #{order.pk}")
        card = worker.chat.sees("Yours: 2\xa0500\xa0₽")
        assert "The client paid: 5\xa0000\xa0₽" in card
        assert "code 1234" not in card.text
        assert show_phone(order.client_phone) in card.text
        worker.chat.presses("Commission #")
        worker.chat.sees("Paid: 2\xa0500\xa0₽")
        worker.chat.presses("Back")
        worker.chat.sees("The client paid", fresh=True)

    def test_the_client_is_forgotten_after_the_guarantee(self, telegram: SandboxClient) -> None:
        worker = master(telegram)
        order = self.past(worker, closed_at=timezone.now() - timedelta(days=15), client_name="Тайный клиент")
        worker.chat.presses("History")
        worker.chat.presses(f"Open #{order.pk}")
        card = worker.chat.sees("Closed:")
        assert show_phone(order.client_phone) not in card.text
        assert "Тайный" not in card.text

    @pytest.mark.parametrize("status", ["CLOSED", "CANCELED"])
    def test_an_old_button_is_no_way_around_it(self, telegram: SandboxClient, status: str) -> None:
        """The buttons of his work stay in the chat for ever."""
        worker = master(telegram)
        order = self.past(worker, status=status, closed_at=timezone.now() - timedelta(days=15), apartment="77")
        AttachmentFactory(entity_id=order.pk, bot="admin", file_id="no-such-file")
        old = worker.chat.last()
        for address in (f"m:act:card:{order.pk}:1", f"m:act:files:{order.pk}:1", f"m:act:enr:{order.pk}:1"):
            worker.chat.presses_data(address, message=old)
            card = worker.chat.sees(f"Order #{order.pk}", fresh=True)
            assert show_phone(order.client_phone) not in card.text
            assert "flat 77" not in card.text
            assert not {"Phone", "Address", "Map"} & {b.partition(" ")[2] for row in card.buttons for b in row}

    def test_files_open_and_filters_stay_when_nothing_is_found(self, telegram: SandboxClient) -> None:
        worker = master(telegram)
        order = self.past(worker)
        AttachmentFactory(entity_id=order.pk, bot="admin", file_id="no-such-file")
        worker.chat.presses("History")
        worker.chat.presses(f"Open #{order.pk}")
        worker.chat.presses("Files (1)")
        worker.chat.sees("The client paid", fresh=True)
        worker.chat.presses("Back")
        worker.chat.presses("❌ Canceled")
        shown = worker.chat.sees("There is nothing here yet.")
        assert shown.buttons[0] == ["All", "✅ Closed", "· ❌ Canceled ·"]

    def test_a_stranger_s_order_is_none(self, telegram: SandboxClient) -> None:
        worker = master(telegram)
        strange = OrderFactory(closed=True)
        worker.chat.presses("History")
        answer = worker.chat.presses_data(f"m:hist:card:{strange.pk}:all:1", message=worker.chat.last())
        assert "not yours" in answer.text


def test_statistics_have_units_and_say_how_to_get_the_better_rate(telegram: SandboxClient) -> None:
    worker = master(telegram)
    order = OrderFactory(closed=True, city=worker.row.city, assigned_master=worker.row)
    CommissionFactory(order=order, paid_amount=Decimal(2500), is_paid=True, status="APPROVED")
    now = timezone.now()
    OfferFactory(master=worker.row, state="ACCEPTED", responded_at=now + timedelta(seconds=42), sent_at=now)
    OfferFactory(master=worker.row, state="DECLINED")
    worker.chat.presses("Statistics")
    shown = worker.chat.sees("Your commission: 50%").text
    for line in (
        "1 order closed, the client paid 5\xa0000\xa0₽", "Yours after commissions: 2\xa0500\xa0₽", "Rating: 5.0 of 5",
        "Average check of the last 7 days: 5\xa0000\xa0₽",
        "40% begins at an average check of 7\xa0000\xa0₽: an order of 8\xa0999,99\xa0₽ or more would do.",
        "Accepted: 50% (1), declined: 1, not answered: 0", "Accepted within 42 seconds on average",
    ):  # fmt: skip
        assert line in shown


class TestInvitations:
    def test_code_link_share_and_the_invited(self, telegram: SandboxClient) -> None:
        worker = master(telegram)
        worker.chat.presses("Invite a master")
        code = referrals.code_of(master_id=worker.row.pk)
        shown = worker.chat.sees(f"Your code: {code}")
        assert f"start={code}" in shown
        assert worker.chat.presses("📋 Link").value.endswith(f"?start={code}")
        assert code in worker.chat.presses("📣 Share").url
        friend = MasterFactory(full_name="Петров Семён Ильич", first_name="Семён")
        referrals.join(master_id=friend.pk, code=code, actor=as_master(friend))
        worker.chat.sends("/menu")
        worker.chat.presses("Invite a master")
        worker.chat.presses("Invited (1)")
        people = worker.chat.sees("Семён · Approved")
        assert "Петров" not in people.text

    def test_balance_request_and_payout(self, telegram: SandboxClient) -> None:
        worker = master(telegram, payout_method="CARD", payout_data={"card_number": "2200000000000004"})
        admin = member(telegram)
        rewards = ReferralRewardFactory.create_batch(2, referrer=worker.row)
        for reward in rewards:
            ReferralFactory(master=reward.referred_master, referrer=worker.row)
        worker.chat.presses("Invite a master")
        worker.chat.sees("Balance: 500\xa0₽")
        worker.chat.presses("Ask for 500")
        question = worker.chat.sees("Ask the office to pay 500\xa0₽?")
        assert "0004" in question
        assert "2200000000000004" not in question.text
        answers = [worker.chat.presses_data("m:rf:pay_yes", message=question) for _twice in range(2)]
        assert "The office is asked for 500" in answers[0].text
        admin.chat.sees(f"{worker.row.full_name} asks for 500\xa0₽ of rewards.")
        boss = staff(Role.GLOBAL_ADMIN)
        payout = payouts.create(actor=boss, reward_ids=[reward.pk for reward in rewards])
        worker.chat.sends("/menu")
        worker.chat.presses("Invite a master")
        worker.chat.sees("On its way to the bank: 500")
        payouts.mark_paid(payout_id=payout.pk, actor=boss)
        worker.chat.sees("500\xa0₽ of rewards were paid out to you.")
        worker.chat.sends("/menu")
        worker.chat.presses("Invite a master")
        worker.chat.sees("Paid out: 500")
        worker.chat.presses("🎁 Rewards")
        worker.chat.sees("250\xa0₽ · Paid")
        outbox_is_empty()
        assert len([m for m in admin.chat.messages() if "asks for" in m.text]) == 1

    def test_without_an_account_one_is_told_where_to_give_it(self, telegram: SandboxClient) -> None:
        worker = master(telegram)
        reward = ReferralRewardFactory(referrer=worker.row)
        ReferralFactory(master=reward.referred_master, referrer=worker.row)
        worker.chat.presses("Invite a master")
        worker.chat.presses("Ask for 250")
        worker.chat.sees("Tell us first where to pay to.")
        answer = worker.chat.presses("Yes, ask")
        assert "where to pay to" in answer.text
        assert ReferralReward.objects.get().requested_at is None


def test_a_blocked_master_can_pay(telegram: SandboxClient) -> None:
    worker = master(telegram)
    (commission,) = owing(worker, "WAIT_PAY", deadline_at=timezone.now() - timedelta(minutes=1))
    assert commissions.mark_overdue(now=timezone.now()) == 1
    worker.chat.sees("you are blocked")
    worker.chat.presses("Open commission")
    worker.chat.presses("Send a receipt")
    worker.chat.sends_photo()
    worker.chat.presses("Done")
    worker.chat.presses("I paid")
    worker.chat.presses("Yes, I paid")
    commissions.approve(commission_id=commission.pk, actor=staff(Role.GLOBAL_ADMIN))
    worker.chat.sees("is approved")
    assert not Master.objects.get(pk=worker.row.pk).is_blocked
