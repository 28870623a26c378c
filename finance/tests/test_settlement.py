"""Closing a job: the sum, the act and the commission in one transaction."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.lib.errors import ConflictError, InvalidError
from fieldservice.runtime.models import Setting
from fieldservice.tests.racing import codes, racers, winners
from finance.models import Commission
from finance.services.settlement import close_job
from finance.tests.factories import CommissionFactory, OwnerRequisitesFactory
from orders.models import Attachment, Order, OrderStatusHistory
from orders.services.files import FileRef
from orders.tests.counting import nothing_written
from orders.tests.factories import OrderFactory
from orders.tests.people import admin_of, as_master
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db


def page(number: int = 1) -> FileRef:
    return FileRef(file_type="PHOTO", file_id=f"file-{number}", file_unique_id=f"unique-{number}")


def working(**values) -> Order:
    return OrderFactory(**{"assigned": True, "status": "WORKING"} | values)


def close(order: Order, total: str = "5000", act=None, now=None) -> Commission | None:
    actor = as_master(order.assigned_master)
    return close_job(
        order_id=order.pk, actor=actor, total_sum=Decimal(total), act=page() if act is None else act, now=now
    )


class TestNormal:
    def test_the_order_awaits_payment_with_its_commission(self):
        order, now = working(), timezone.now()
        commission = close(order, "5000.50", now=now)
        order.refresh_from_db()
        assert (order.status, order.total_sum, order.version, order.closed_at) == (
            "PAYMENT", Decimal("5000.50"), 2, None
        )  # fmt: skip
        commission.refresh_from_db()
        assert (commission.order, commission.master, commission.status) == (order, order.assigned_master, "WAIT_PAY")
        assert (commission.amount, commission.rate) == (Decimal("2500.25"), Decimal("0.50"))
        assert (commission.created_at, commission.deadline_at) == (now, now + timedelta(hours=3))
        assert (commission.is_paid, commission.blocked_applied, commission.paid_amount) == (False, False, None)
        row = OrderStatusHistory.objects.get()
        assert (row.reason, row.changed_by_master) == ("master_uploaded_act", order.assigned_master)
        act = Attachment.objects.get()
        assert (act.entity_type, act.entity_id, act.document_type) == ("ORDER", order.pk, "act")

    def test_the_requisites_are_frozen(self):
        OwnerRequisitesFactory(card_bank="old")
        version = OwnerRequisitesFactory()
        order = working(assigned_master__full_name="Иванов Иван")
        commission = close(order)
        OwnerRequisitesFactory(card_number="4111111111111111")
        commission.refresh_from_db()
        assert commission.requisites == version
        assert commission.pay_to_snapshot == {
            "methods": ["card", "sbp"],
            "card_number": "2200000000000004",
            "card_number_last4": "0004",
            "card_holder": "ВЛАДЕЛЕЦ Т.",
            "card_bank": "Тест-Банк",
            "sbp_phone": "+79990000001",
            "sbp_phone_masked": "+7 *** ***-00-01",
            "sbp_bank": "Тест-Банк",
            "sbp_qr": False,
            "other_text": None,
            "comment": f"Комиссия #{order.pk} от Иванов Иван",
        }

    def test_without_requisites_the_comment_is_there_all_the_same(self):
        order = working(assigned_master__full_name="Иванов")
        snapshot = close(order).pay_to_snapshot
        assert (snapshot["card_number"], snapshot["comment"]) == (None, f"Commission #{order.pk} from Иванов")


class TestRate:
    """50 %, or 40 % from an average check of 7000 on; the order just closed counts."""

    def rate(self, total: str, *earlier: str) -> tuple[Decimal, Decimal]:
        order = working()
        for amount in earlier:
            OrderFactory(closed=True, city=order.city, assigned_master=order.assigned_master, total_sum=Decimal(amount))
        commission = close(order, total)
        return commission.rate, commission.amount

    @pytest.mark.parametrize(
        ("total", "earlier", "rate", "amount"),
        [
            ("3000", (), "0.50", "1500.00"),
            ("6999.99", (), "0.50", "3500.00"),  # 3499.995, half up
            ("7000", (), "0.40", "2800.00"),
            ("1000", ("13000",), "0.40", "400.00"),
            ("1000", ("12999.98",), "0.50", "500.00"),
            ("13000", ("1000",), "0.40", "5200.00"),
            ("0.01", (), "0.50", "0.01"),
            ("9999999.99", (), "0.40", "4000000.00"),
        ],
    )
    def test_the_average_check_decides(self, total, earlier, rate, amount):
        assert self.rate(total, *earlier) == (Decimal(rate), Decimal(amount))

    def test_percentages_and_hours_are_settings(self):
        for key, value in (
            ("commission_percent_default", "30"),
            ("commission_percent_high_volume", "20"),
            ("commission_high_volume_threshold", "100"),
            ("commission_deadline_hours", "24"),
        ):
            Setting.objects.create(key=key, value=value)
        order, now = working(), timezone.now()
        commission = close(order, "99.99", now=now)
        assert (commission.rate, commission.deadline_at) == (Decimal("0.30"), now + timedelta(hours=24))
        assert close(working(), "100").rate == Decimal("0.20")

    @given(st.decimals(Decimal("0.01"), Decimal("9999999.99"), places=2), st.sampled_from([40, 50]))
    def test_the_amount_is_the_exact_share_half_up(self, total, percent):
        """Against whole kopecks: no floating point, no banker's rounding."""
        from fieldservice.lib.money import round_money

        kopecks = int(total * 100)
        assert round_money(total * percent / 100) * 100 == (kopecks * percent + 50) // 100


class TestGuarantee:
    @pytest.mark.parametrize("values", [{"type": "GUARANTEE"}, {"guarantee_source_order": True}])
    def test_it_is_closed_without_a_sum_or_a_commission(self, values):
        if "guarantee_source_order" in values:
            values = {"guarantee_source_order": OrderFactory(closed=True)}
        order, now = working(**values), timezone.now()
        assert close(order, "5000", now=now) is None
        order.refresh_from_db()
        assert (order.status, order.total_sum, order.closed_at) == ("CLOSED", 0, now)
        assert not Commission.objects.exists()
        assert OrderStatusHistory.objects.get().reason == "guarantee_completed"
        assert close(order, "0", page(2)) is None
        assert Attachment.objects.count() == 2

    @pytest.mark.parametrize("total", ["0", "-5", "NaN"])
    def test_its_sum_does_not_matter(self, total):
        assert close(working(type="GUARANTEE"), total) is None


class TestRepeated:
    def test_a_double_tap_returns_the_same_commission(self):
        order = working()
        first = close(order)
        assert close(order, "9999") == first
        order.refresh_from_db()
        assert (order.total_sum, order.version, Attachment.objects.count()) == (5000, 2, 1)
        assert Commission.objects.get().amount == 2500

    def test_an_album_is_kept_page_by_page(self):
        order = working()
        close(order, act=[page(1), page(2)])
        close(order, act=page(3))
        assert Attachment.objects.count() == 3
        assert Commission.objects.count() == 1

    def test_pages_may_come_after_the_order_was_closed(self):
        order = OrderFactory(closed=True)
        commission = CommissionFactory(order=order)
        assert close(order, act=page(2)) == commission

    def test_an_order_that_v12_took_back_from_payment_keeps_its_commission(self):
        order = working()
        before = CommissionFactory(order=order)
        assert close(order) == before
        assert Order.objects.get().status == "PAYMENT"


class TestRefused:
    @pytest.mark.parametrize("total", ["0", "-1", "0.001", "10000000", "1E+30", "NaN", "Infinity"])
    def test_a_sum_nobody_can_pay(self, total):
        order = working()
        with nothing_written(), pytest.raises(InvalidError) as caught:
            close(order, total)
        assert list(caught.value.fields) == ["total_sum"]
        order.refresh_from_db()
        assert order.status == "WORKING"

    def test_without_an_act(self):
        order = working()
        with nothing_written(), pytest.raises(InvalidError, match="Send a photo or a document of the signed act"):
            close(order, act=[])

    @pytest.mark.parametrize("status", ["ASSIGNED", "EN_ROUTE", "CANCELED"])
    @pytest.mark.parametrize("kind", ["NORMAL", "GUARANTEE"])
    def test_an_order_that_is_not_in_work(self, status, kind):
        order = working(status=status, type=kind)
        with nothing_written(), pytest.raises(ConflictError, match="this is no longer possible"):
            close(order)

    def test_another_s_order(self):
        order = working()
        for actor in (as_master(MasterFactory()), admin_of(order)):
            with nothing_written(), pytest.raises(ConflictError) as caught:
                close_job(order_id=order.pk, actor=actor, total_sum=Decimal(5000), act=page())
            assert caught.value.code == "not_yours"


@pytest.mark.django_db(transaction=True)
def test_pages_of_an_album_at_the_same_moment_make_one_commission():
    with racers(4) as crew:
        for _round in range(20):
            order = working()
            results = crew.run(*[lambda order=order, n=n: close(order, act=page(n % 3)) for n in range(4)])
            assert (codes(results), len({commission.pk for commission in winners(results)})) == ([], 1)
            assert Attachment.objects.filter(entity_id=order.pk).count() == 3
            assert Commission.objects.filter(order=order).count() == 1
