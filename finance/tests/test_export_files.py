"""The files themselves, read back by other readers: exact columns, cells, periods, scope."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldservice.lib.tables import neutral
from finance import export_files
from finance.export_tables import COMMISSIONS, ORDERS, REWARDS, TABLES, Table, spans
from finance.models import ReferralReward
from finance.periods import Period
from finance.tests.factories import CommissionFactory, ReferralRewardFactory
from geo.tests.factories import CityFactory, DistrictFactory, StreetFactory
from orders.models import Order
from orders.tests.factories import AttachmentFactory, HistoryFactory, OrderFactory
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db
DAY = Period(date(2025, 10, 5), date(2025, 10, 5))
NOON = datetime(2025, 10, 5, 12, 34, 56, 789000, tzinfo=UTC)


def made(
    tmp_path: Path, table: Table, fmt: str = "csv", period: Period = DAY, city_ids: list[int] | None = None
) -> bytes:
    from geo.models import City

    cities = list(City.objects.values_list("pk", flat=True)) if city_ids is None else city_ids
    path, params = tmp_path / "file", spans(period, cities)
    rows = export_files.write(path, fmt=fmt, tables=[table], params=params, tell=lambda done: None)
    assert rows == export_files.count([table], params)
    return path.read_bytes()


def rows(content: bytes) -> list[dict[str, str]]:
    text = content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def ids(content: bytes) -> list[int]:
    return [int(next(iter(row.values()))) for row in rows(content)]


def place(**values):
    city = CityFactory(name="Город", timezone="Europe/Moscow")
    district = DistrictFactory(city=city, name="Район")
    return {"city": city, "district": district} | values


class TestOrders:
    def test_every_column(self, tmp_path):
        where = place()
        street = StreetFactory(city=where["city"], district=where["district"], name="Ленина")
        master = MasterFactory(full_name="Мастер", phone="+79990000001", city=where["city"])
        order = OrderFactory(
            **where, street=street, closed=True, assigned_master=master, house="12", lat=55.75, lon=37.6173456789,
            created_at=NOON, closed_at=NOON, total_sum=Decimal("5000.5"), client_name="Клиент",
            client_phone="+79990000002", timeslot_start_utc=NOON, timeslot_end_utc=NOON.replace(hour=13),
            company_payment=2500, late_visit=True,
        )  # fmt: skip
        content = made(tmp_path, ORDERS)
        head, line, rest = content.decode().split("\r\n")
        assert rest == ""
        assert head == (
            "\ufefforder_id;created_at_utc;closed_at_utc;city;district;street;house;lat;lon;category;status;type;"
            "timeslot_start_utc;timeslot_end_utc;late_visit;company_payment;total_sum;user_name;user_phone;"
            "master_name;master_phone;cancel_reason"
        )
        assert line == (
            f"{order.pk};2025-10-05T12:34:56Z;2025-10-05T12:34:56Z;Город;Район;Ленина;12;55.750000;37.617346;ELECTRICS;"
            "CLOSED;NORMAL;2025-10-05T12:34:56Z;2025-10-05T13:34:56Z;true;2500;5000.50;Клиент;+79990000002;Мастер;"
            "+79990000001;"
        )

    def test_what_is_not_known_is_empty_and_nothing_is_invented(self, tmp_path):
        """v1.2 made a slot of 10–13 up, and wrote 0 for no payment."""
        OrderFactory(**place(district=None), created_at=NOON, client_name="", house=None)
        (row,) = rows(made(tmp_path, ORDERS))
        empty = {name for name, value in row.items() if value == ""}
        assert empty == {
            "closed_at_utc", "district", "street", "house", "lat", "lon", "timeslot_start_utc", "timeslot_end_utc",
            "company_payment", "user_name", "master_name", "master_phone", "cancel_reason",
        }  # fmt: skip
        assert (row["late_visit"], row["total_sum"]) == ("false", "0.00")
        assert ';"";' not in made(tmp_path, ORDERS).decode()

    def test_closed_is_when_it_was_closed(self, tmp_path):
        """v1.2 took the latest CLOSED row of the history, which a job repeated a day later."""
        order = OrderFactory(**place(), closed=True, created_at=NOON, closed_at=NOON)
        HistoryFactory(order=order, to_status="CLOSED", created_at=NOON.replace(day=6))
        assert rows(made(tmp_path, ORDERS))[0]["closed_at_utc"] == "2025-10-05T12:34:56Z"

    def test_kopecks_of_the_company_are_not_lost(self, tmp_path):
        OrderFactory(**place(), created_at=NOON, company_payment=Decimal("2500.50"))
        assert rows(made(tmp_path, ORDERS))[0]["company_payment"] == "2500.5"

    def test_a_street_typed_by_hand_is_a_street(self, tmp_path):
        """v1.2 hid it in the address comment and left the column empty."""
        OrderFactory(**place(), created_at=NOON, street_text="улица Новая", address_comment="code 1234")
        (row,) = rows(made(tmp_path, ORDERS))
        assert row["street"] == "улица Новая"
        assert "code 1234" not in row.values()

    def test_the_reason_is_that_of_the_cancellation(self, tmp_path):
        order = OrderFactory(**place(), created_at=NOON, status="CANCELED", cancel_reason="the client moved")
        HistoryFactory(order=order, to_status="CANCELED", reason="other words")
        assert rows(made(tmp_path, ORDERS))[0]["cancel_reason"] == "the client moved"

    def test_oldest_first(self, tmp_path):
        where = place()
        times = [NOON, NOON.replace(hour=1), NOON.replace(hour=20)]
        orders = [OrderFactory(**where, created_at=time) for time in times]
        assert ids(made(tmp_path, ORDERS)) == [orders[1].pk, orders[0].pk, orders[2].pk]


class TestPeriod:
    def test_days_are_those_of_the_order_s_own_city(self, tmp_path):
        """v1.2 took the day of Moscow and applied it as UTC."""
        far = CityFactory(timezone="Asia/Vladivostok")  # +10
        near = CityFactory(timezone="Europe/Kaliningrad")  # +2
        midnight = {far: datetime(2025, 10, 4, 14, tzinfo=UTC), near: datetime(2025, 10, 4, 22, tzinfo=UTC)}
        inside = []
        for city, begins in midnight.items():
            for seconds, belongs in ((-0.001, False), (0, True), (86399.999, True), (86400, False)):
                moment = datetime.fromtimestamp(begins.timestamp() + seconds, tz=UTC)
                order = OrderFactory(city=city, district=None, created_at=moment)
                inside += [order.pk] if belongs else []
        assert sorted(ids(made(tmp_path, ORDERS))) == sorted(inside)

    def test_the_whole_last_day_counts(self, tmp_path):
        """Of v1.2 only its midnight did."""
        where = place()
        last = OrderFactory(**where, created_at=datetime(2025, 10, 5, 20, 59, 59, 999999, tzinfo=UTC))
        assert ids(made(tmp_path, ORDERS)) == [last.pk]

    def test_a_city_with_a_broken_zone_has_the_company_s(self, tmp_path):
        order = OrderFactory(city=CityFactory(timezone="Mars/Base"), district=None, created_at=NOON)
        assert ids(made(tmp_path, ORDERS)) == [order.pk]

    def test_an_empty_period_is_a_header(self, tmp_path):
        content = made(tmp_path, ORDERS)
        assert content.count(b"\r\n") == 1
        assert content.startswith(b"\xef\xbb\xbforder_id;")


class TestScope:
    def test_only_the_cities_asked_for_and_none_is_nothing(self, tmp_path):
        """In v1.2 a city admin without cities exported everything."""
        mine, strange = OrderFactory(created_at=NOON), OrderFactory(created_at=NOON)
        for order in (mine, strange):
            ReferralRewardFactory(
                created_at=NOON,
                commission=CommissionFactory(order=OrderFactory(in_payment=True, city=order.city), created_at=NOON),
            )
        Order.objects.update(created_at=NOON)
        for table, wanted in ((ORDERS, 2), (COMMISSIONS, 1), (REWARDS, 1)):
            assert len(rows(made(tmp_path, table, city_ids=[mine.city_id]))) == wanted
            assert rows(made(tmp_path, table, city_ids=[])) == []
            assert len(rows(made(tmp_path, table))) == 2 * wanted


class TestCommissions:
    def test_every_column(self, tmp_path):
        commission = CommissionFactory(
            order=OrderFactory(in_payment=True, **place(), assigned_master=MasterFactory(
                full_name="Мастер", phone="+79990000001")),
            created_at=NOON, deadline_at=NOON.replace(hour=15), paid_reported_at=NOON, paid_approved_at=NOON,
            paid_amount=Decimal("2500"), is_paid=True, status="APPROVED",
            pay_to_snapshot={"methods": ["card", "sbp"], "card_number": "2200000000000004", "card_number_last4": "0004",
                             "sbp_phone": "+79990000001", "sbp_phone_masked": "+7 *** ***-00-01"},
        )  # fmt: skip
        AttachmentFactory(entity_type="COMMISSION", entity_id=commission.pk)
        content = made(tmp_path, COMMISSIONS).decode()
        assert content.split("\r\n")[0].removeprefix("\ufeff") == (
            "commission_id;order_id;master_id;master_name;master_phone;amount;rate;created_at_utc;deadline_at_utc;"
            "paid_reported_at_utc;paid_approved_at_utc;paid_amount;is_paid;has_checks;snapshot_methods;"
            "snapshot_card_number_last4;snapshot_sbp_phone_masked"
        )
        assert content.split("\r\n")[1] == (
            f"{commission.pk};{commission.order_id};{commission.master_id};Мастер;+79990000001;2500.00;0.50;"
            "2025-10-05T12:34:56Z;2025-10-05T15:34:56Z;2025-10-05T12:34:56Z;2025-10-05T12:34:56Z;2500.00;true;true;"
            "card,sbp;0004;+7*** *** ** 01"
        )
        assert "2200000000000004" not in content
        assert "9990000001;" in content  # the master's own phone

    @pytest.mark.parametrize("snapshot", [None, {}, {"methods": "card"}, {"methods": None}, [], "x"])
    def test_snapshots_of_any_shape(self, tmp_path, snapshot):
        CommissionFactory(created_at=NOON, pay_to_snapshot=snapshot, rate=None, amount=1)
        (row,) = rows(made(tmp_path, COMMISSIONS))
        assert (row["snapshot_methods"], row["snapshot_card_number_last4"], row["rate"]) == ("", "", "")
        assert (row["is_paid"], row["has_checks"]) == ("false", "false")


def test_rewards_have_seven_columns(tmp_path):
    reward = ReferralRewardFactory(created_at=NOON)
    content = made(tmp_path, REWARDS).decode()
    assert content.split("\r\n")[:2] == [
        "\ufeffreward_id;master_id;order_id;commission_id;level;amount;created_at_utc",
        f"{reward.pk};{reward.referrer_id};{reward.commission.order_id};{reward.commission_id};1;250.00;2025-10-05T12:34:56Z",
    ]  # fmt: skip


NASTY = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    " =1",
    "＝1+1",
    "a;b",
    'say "hi"',
    "two\nlines",
    "-",
    "",
    "имя",
]


class TestCells:
    def test_what_a_spreadsheet_would_run_is_text(self, tmp_path):
        where = place()
        for number, text in enumerate(NASTY):
            OrderFactory(**where, created_at=NOON.replace(second=number), client_name=text, client_phone="+79990000002")
        found = rows(made(tmp_path, ORDERS))
        assert [row["user_name"] for row in found] == [
            "'=1+1", "'+cmd|' /C calc'!A0", "'-2+3", "'@SUM(A1)", "'\t=1", "' =1", "'＝1+1", "a;b", 'say "hi"',
            "two\nlines", "-", "", "имя",
        ]  # fmt: skip
        assert {row["user_phone"] for row in found} == {"+79990000002"}
        assert [neutral(text) for text in NASTY] == [row["user_name"] for row in found]

    @settings(max_examples=150, deadline=None)
    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
    def test_any_text_comes_back(self, tmp_path_factory, text):
        Order.objects.all().delete()
        OrderFactory(created_at=NOON, cancel_reason=text)
        folder = tmp_path_factory.mktemp("any")
        (row,) = rows(made(folder, ORDERS))
        assert row["cancel_reason"].removeprefix("'") == text or row["cancel_reason"] == text
        sheet = openpyxl.load_workbook(io.BytesIO(made(folder, ORDERS, "xlsx"))).active
        assert sheet.max_row == 2

    def test_a_workbook_holds_numbers_and_no_formulas(self, tmp_path):
        where = place()
        for number, text in enumerate(NASTY):
            OrderFactory(
                **where, created_at=NOON.replace(second=number), client_name=text, lat=55.75, company_payment=2500
            )
        book = openpyxl.load_workbook(io.BytesIO(made(tmp_path, ORDERS, "xlsx")))
        assert book.sheetnames == ["orders"]
        sheet = book["orders"]
        assert [cell.value for cell in sheet[1]] == ORDERS.names
        names = [cell.value or "" for cell in sheet["R"][1:]]
        assert names == NASTY
        assert {cell.data_type for cell in sheet["R"][1:] if cell.value} == {"s"}
        line = dict(zip(ORDERS.names, sheet[2], strict=True))
        assert (line["lat"].value, line["lat"].number_format) == (55.75, "0.000000")
        assert (line["total_sum"].value, line["total_sum"].number_format) == (0, "0.00")
        assert (line["late_visit"].value, line["company_payment"].value) == (False, 2500)
        assert line["created_at_utc"].value == "2025-10-05T12:34:00Z"
        assert line["closed_at_utc"].value is None

    def test_a_full_sheet_is_followed_by_another(self, tmp_path, monkeypatch):
        monkeypatch.setattr(export_files, "SHEET_ROWS", 4)
        OrderFactory.create_batch(7, **place(), created_at=NOON)
        book = openpyxl.load_workbook(io.BytesIO(made(tmp_path, ORDERS, "xlsx")))
        assert {sheet.title: sheet.max_row for sheet in book} == {"orders": 4, "orders_2": 4, "orders_3": 2}
        assert [cell.value for cell in book["orders_3"][1]] == ORDERS.names

    def test_a_text_longer_than_a_cell_is_cut(self, tmp_path):
        OrderFactory(**place(), created_at=NOON, cancel_reason="x" * 40_000)
        sheet = openpyxl.load_workbook(io.BytesIO(made(tmp_path, ORDERS, "xlsx"))).active
        assert len(sheet["V2"].value) == 32_767


class TestAll:
    def write(self, tmp_path, fmt):
        CommissionFactory(created_at=NOON, order=OrderFactory(in_payment=True, created_at=NOON, **place()))
        ReferralRewardFactory(created_at=NOON)
        told: list[int] = []
        cities = list(Order.objects.values_list("city_id", flat=True))
        path, params = tmp_path / "file", spans(DAY, cities)
        count = export_files.write(path, fmt=fmt, tables=TABLES["all"], params=params, tell=told.append)
        assert count == told[-1] == 3
        assert ReferralReward.objects.count() == 1
        return path

    def test_csv_comes_as_an_archive(self, tmp_path):
        with zipfile.ZipFile(self.write(tmp_path, "csv")) as archive:
            assert archive.namelist() == ["orders.csv", "commissions.csv", "ref_rewards.csv"]
            assert [len(rows(archive.read(name))) for name in archive.namelist()] == [1, 1, 1]

    def test_a_workbook_has_three_sheets(self, tmp_path):
        book = openpyxl.load_workbook(io.BytesIO(self.write(tmp_path, "xlsx").read_bytes()))
        assert book.sheetnames == ["orders", "commissions", "ref_rewards"]
        assert {sheet.max_row for sheet in book} == {2}
