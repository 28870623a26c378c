"""Money in the web admin: what staff press does what the services say, and nothing more."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fieldservice.runtime.models import Setting
from finance.models import Commission, Export, OwnerRequisites, Payout, ReferralReward
from finance.services import commissions, exports, payouts
from finance.tests.factories import CommissionFactory, OwnerRequisitesFactory, ReferralRewardFactory, png
from orders.models import Order
from orders.tests.factories import OrderFactory
from orders.tests.people import as_master, staff
from staff.enums import Role
from staff.models import Master
from staff.tests.factories import MasterFactory, StaffUserFactory

pytestmark = pytest.mark.django_db
PNG = png()


@pytest.fixture(autouse=True)
def _page_in_english(client: Client, settings: Any, tmp_path: Any) -> None:
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def boss(client: Client) -> Any:
    member = StaffUserFactory(role=Role.GLOBAL_ADMIN)
    client.force_login(member)
    return member


def url(model: str, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:finance_{model}_{page}", args=args)


def step(model: str, row: Any, action: str) -> str:
    return url(model, "change", row.pk).replace("/change/", f"/{action}/")


def said(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"]) if answer.context else ""


def post(client: Client, address: str, **data: Any) -> Any:
    return client.post(address, {"confirmed": "yes"} | data, follow=True)


class TestCommission:
    def test_the_card_shows_what_is_needed_and_masks_the_rest(self, client, boss):
        commission = CommissionFactory(
            pay_to_snapshot={"card_number": "2200000000000004", "card_number_last4": "0004", "comment": "#1",
                             "sbp_phone": "+79990000001"}
        )  # fmt: skip
        page = client.get(url("commission", "change", commission.pk)).content.decode()
        assert "**** 0004" in page
        assert "+7 *** ***-00-01" in page
        assert "2200000000000004" not in page
        assert "79990000001" not in page

    @pytest.mark.parametrize(
        ("status", "buttons"),
        [
            ("WAIT_PAY", {"approve", "correct"}),
            ("REPORTED", {"approve", "reject", "correct"}),
            ("OVERDUE", {"approve", "correct"}),
            ("APPROVED", {"revoke"}),
        ],
    )
    def test_only_buttons_that_fit_are_shown(self, client, boss, status, buttons):
        commission = CommissionFactory(status=status)
        page = client.get(url("commission", "change", commission.pk)).content.decode()
        shown = {name for name in ("approve", "reject", "correct", "revoke") if f"/{commission.pk}/{name}" in page}
        assert shown == buttons

    def test_approving_the_due(self, client, boss):
        commission = CommissionFactory()
        page = client.get(step("commission", commission, "approve"))
        assert page.context["form"].initial == {"amount": "2500.00"}
        answer = post(client, step("commission", commission, "approve"), amount="2 500,00", reason="")
        assert "is approved, its order is closed" in said(answer)
        assert (Commission.objects.get().approved_by_staff, Order.objects.get().status) == (boss, "CLOSED")
        again = post(client, step("commission", commission, "approve"), amount="2500", reason="")
        assert "approved already" in again.content.decode()

    def test_another_amount_needs_a_reason_and_nothing_typed_is_lost(self, client, boss):
        commission = CommissionFactory()
        answer = post(client, step("commission", commission, "approve"), amount="2400", reason="")
        assert "Give a reason of 3 to 200 characters" in answer.content.decode()
        assert 'value="2400"' in answer.content.decode()
        answer = post(client, step("commission", commission, "approve"), amount="a lot", reason="x")
        assert "must be a number" in answer.content.decode()
        post(client, step("commission", commission, "approve"), amount="2400", reason="agreed upon")
        commission.refresh_from_db()
        assert (commission.paid_amount, commission.amount_reason) == (2400, "agreed upon")

    def test_rejecting_correcting_revoking(self, client, boss):
        commission = CommissionFactory(status="REPORTED")
        post(client, step("commission", commission, "reject"), reason="not found")
        assert Commission.objects.get().status == "WAIT_PAY"
        post(client, step("commission", commission, "correct"), amount="500", reason="a zero too many")
        assert Commission.objects.get().amount == 250
        commissions.approve(commission_id=commission.pk, actor=staff(Role.GLOBAL_ADMIN))
        answer = post(client, step("commission", commission, "revoke"), reason="no")
        assert "Give a reason" in answer.content.decode()
        post(client, step("commission", commission, "revoke"), reason="a mistake")
        assert Commission.objects.get().status == "WAIT_PAY"

    def test_a_link_alone_changes_nothing(self, client, boss):
        commission = CommissionFactory(status="REPORTED")
        for action in ("approve", "reject", "correct"):
            assert client.get(step("commission", commission, action)).status_code == 200
        assert Commission.objects.get().status == "REPORTED"

    @pytest.mark.parametrize("action", ["approve", "reject", "correct", "revoke"])
    def test_strangers_and_logists_get_nowhere(self, client, action):
        commission = CommissionFactory(status="REPORTED")
        client.force_login(StaffUserFactory(role=Role.CITY_ADMIN, cities=[OrderFactory().city]))
        assert client.post(step("commission", commission, action), {"reason": "because"}).status_code == 404
        client.force_login(StaffUserFactory(role=Role.LOGIST, cities=[commission.order.city]))
        assert client.post(step("commission", commission, action), {"reason": "because"}).status_code == 403
        assert Commission.objects.get().status == "REPORTED"


class TestBulk:
    def choose(self, client: Client, *rows: Commission) -> Any:
        data = {"action": "approve_many", "_selected_action": [row.pk for row in rows], "index": "0"}
        return client.post(url("commission"), data)

    def confirm(self, client: Client, page: Any) -> Any:
        return client.post(url("commission"), {"confirmed": "yes"} | dict(page.context["hidden"]), follow=True)

    def test_count_and_sum_first_then_an_answer_for_each(self, client, boss):
        rows = CommissionFactory.create_batch(3)
        paid = CommissionFactory(status="APPROVED")
        page = self.choose(client, *rows, paid)
        shown = page.content.decode()
        assert "3 commissions, 7\xa0500\xa0₽ together." in shown
        assert f"#{paid.pk}" not in shown
        assert Commission.objects.filter(status="APPROVED").count() == 1
        Commission.objects.filter(pk=rows[0].pk).update(amount=1)
        commissions.approve(commission_id=rows[1].pk, actor=staff(Role.GLOBAL_ADMIN))
        answer = said(self.confirm(client, page))
        assert "1 commission is approved." in answer
        assert f"#{rows[0].pk}: Commission #{rows[0].pk} is 1\xa0₽ now: look at it again." in answer
        assert f"#{rows[1].pk}: Commission #{rows[1].pk} is approved already." in answer
        assert Commission.objects.get(pk=rows[2].pk).status == "APPROVED"
        assert Commission.objects.get(pk=rows[0].pk).status == "WAIT_PAY"

    def test_a_page_of_somebody_else_or_a_made_up_one_approves_nothing(self, client, boss):
        row = CommissionFactory()
        hidden = dict(self.choose(client, row).context["hidden"])
        client.force_login(StaffUserFactory(role=Role.GLOBAL_ADMIN))
        for seen in (hidden["seen"], "x", "a:b:c"):
            client.post(url("commission"), hidden | {"seen": seen, "confirmed": "yes"})
            assert Commission.objects.get().status == "WAIT_PAY"

    def test_only_unpaid_and_not_too_many(self, client, boss, monkeypatch):
        from finance.services import bulk

        assert "None of the chosen" in said(client.post(
            url("commission"),
            {"action": "approve_many", "_selected_action": CommissionFactory(status="APPROVED").pk, "index": "0"},
            follow=True,
        ))  # fmt: skip
        monkeypatch.setattr(bulk, "LIMIT", 1)
        data = {"action": "approve_many", "index": "0"}
        data["_selected_action"] = [row.pk for row in CommissionFactory.create_batch(2)]
        assert "At most 1 at once" in said(client.post(url("commission"), data, follow=True))

    def test_the_list_of_one_master(self, client):
        _mine, other = CommissionFactory.create_batch(2)
        strange = CommissionFactory(master=other.master)
        client.force_login(StaffUserFactory(role=Role.CITY_ADMIN, cities=[other.order.city]))
        page = client.get(url("commission"), {"master__id__exact": other.master_id})
        assert list(page.context["cl"].result_list) == [other]
        assert "autocomplete" in page.content.decode()
        page = client.get(url("commission"), {"master__id__exact": MasterFactory(full_name="Чужой Мастер").pk})
        assert "Чужой" not in page.content.decode()
        assert strange not in page.context["cl"].result_list

    def test_a_city_admin_approves_own_rows_only(self, client):
        mine, strange = CommissionFactory.create_batch(2)
        client.force_login(StaffUserFactory(role=Role.CITY_ADMIN, cities=[mine.order.city]))
        page = self.choose(client, mine, strange)
        self.confirm(client, page)
        assert dict(Commission.objects.values_list("pk", "status")) == {mine.pk: "APPROVED", strange.pk: "WAIT_PAY"}


class TestRequisites:
    ANSWERS = {"methods": ["card"], "card_number": "2200 0000 0000 0004", "comment_template": "#<order_id>"}

    def test_a_new_version_with_a_picture(self, client, boss):
        from django.core.files.uploadedfile import SimpleUploadedFile

        answer = post(client, url("ownerrequisites", "add"), **self.ANSWERS, seen="0",
                      qr_file=SimpleUploadedFile("qr.png", PNG))  # fmt: skip
        version = OwnerRequisites.objects.get()
        assert (version.card_number, bytes(version.sbp_qr)) == ("2200000000000004", PNG)
        assert f"Version {version.pk} is in force" in said(answer)
        page = client.get(url("ownerrequisites", "change", version.pk)).content.decode()
        assert "data:image/png;base64," in page
        assert "2200000000000004" not in page
        assert client.get(url("ownerrequisites", "add")).context["form"].initial["card_number"] == "2200000000000004"

    def test_wrong_fields_are_told_beside_them(self, client, boss):
        answer = post(client, url("ownerrequisites", "add"), methods=["card", "sbp"], card_number="1", seen="0")
        errors = answer.context["form"].errors
        assert set(errors) == {"card_number", "sbp_phone"}
        assert not OwnerRequisites.objects.exists()

    def test_nothing_new_is_no_version(self, client, boss):
        answer = post(client, url("ownerrequisites", "add"), seen="0")
        assert "Choose how masters pay" in str(answer.context["form"].errors["methods"])
        post(client, url("ownerrequisites", "add"), **self.ANSWERS, seen="0")
        version = OwnerRequisites.objects.get()
        answer = post(client, url("ownerrequisites", "add"), **self.ANSWERS, seen=str(version.pk))
        assert f"Nothing was changed: version {version.pk} stays in force." in answer.content.decode()
        assert "is in force" not in said(answer)

    def test_two_authors(self, client, boss):
        OwnerRequisitesFactory()
        answer = post(client, url("ownerrequisites", "add"), **self.ANSWERS, seen="0")
        assert "Somebody else has changed the requisites" in answer.content.decode()

    def test_the_broadcast_says_how_many_first(self, client, boss):
        OwnerRequisitesFactory()
        CommissionFactory.create_batch(2)
        address = url("ownerrequisites") + "broadcast/"
        assert "2 masters who still have to pay" in client.get(address).content.decode()
        assert "2 masters are being told" in said(post(client, address))

    @pytest.mark.parametrize("role", [Role.CITY_ADMIN, Role.LOGIST])
    def test_nobody_else(self, client, role):
        client.force_login(StaffUserFactory(role=role))
        for address in (url("ownerrequisites", "add"), url("ownerrequisites") + "broadcast/"):
            assert client.get(address).status_code == 403
            assert client.post(address, self.ANSWERS).status_code == 403
        assert not OwnerRequisites.objects.exists()


class TestPayouts:
    def test_from_rewards_to_the_bank_and_back(self, client, boss):
        rows = ReferralRewardFactory.create_batch(2)
        chosen = {"action": "pay_out", "_selected_action": [row.pk for row in rows], "index": "0"}
        answer = client.post(url("referralreward"), chosen, follow=True)
        payout = Payout.objects.get()
        assert f"Payout #{payout.pk}: 500\xa0₽." in said(answer)
        file = client.get(step("payout", payout, "bank"))
        assert len(list(csv.reader(io.StringIO(file.content.decode("utf-8-sig")), delimiter=";"))) == 3
        assert "no-store" in file["Cache-Control"]
        assert "cannot be paid out" in said(client.post(url("referralreward"), chosen, follow=True))
        assert client.get(step("payout", payout, "paid")).status_code == 200
        post(client, step("payout", payout, "paid"))
        assert set(ReferralReward.objects.values_list("status", flat=True)) == {"PAID"}
        assert "already" in post(client, step("payout", payout, "cancel"), reason="mistake").content.decode()
        page = client.get(url("payout", "change", payout.pk)).content.decode()
        assert f"/{payout.pk}/bank" in page
        assert f"/{payout.pk}/paid" not in page

    def test_cancelling_a_batch_and_a_reward(self, client, boss):
        row = ReferralRewardFactory()
        payout = payouts.create(actor=staff(Role.GLOBAL_ADMIN), reward_ids=[row.pk])
        post(client, step("payout", payout, "cancel"), reason="wrong month")
        assert Payout.objects.get().status == "CANCELED"
        post(client, step("referralreward", row, "cancel"), reason="a fraud")
        assert ReferralReward.objects.get().status == "CANCELED"
        assert "/cancel" not in client.get(url("referralreward", "change", row.pk)).content.decode()

    def test_strangers_get_nowhere(self, client):
        row = ReferralRewardFactory()
        payout = payouts.create(actor=staff(Role.GLOBAL_ADMIN), reward_ids=[row.pk])
        client.force_login(StaffUserFactory(role=Role.CITY_ADMIN, cities=[OrderFactory().city]))
        for action in ("bank", "paid", "cancel"):
            assert client.get(step("payout", payout, action)).status_code == 404
        assert client.post(step("referralreward", row, "cancel"), {"reason": "a fraud"}).status_code == 404
        client.force_login(StaffUserFactory(role=Role.LOGIST, cities=[row.commission.order.city]))
        assert client.get(step("payout", payout, "bank")).status_code == 403


class TestExports:
    def ask(self, client: Client, **data: Any) -> Any:
        return post(client, url("export", "add"), **{"kind": "orders", "format": "csv", "period": "today"} | data)

    @pytest.mark.django_db(transaction=True)
    def test_asked_for_watched_fetched(self, client, boss):
        OrderFactory()
        answer = self.ask(client)
        assert "The file is being written" in said(answer)
        assert 'http-equiv="refresh"' in answer.content.decode()
        assert "still being written" in self.ask(client).content.decode()
        exports.write_queued()
        export = Export.objects.get()
        page = client.get(url("export")).content.decode()
        assert 'http-equiv="refresh"' not in page
        assert exports.file_name(export) in page
        file = client.get(url("export", "file", export.pk))
        assert b"".join(file.streaming_content).startswith(b"\xef\xbb\xbforder_id;")
        assert file["Content-Disposition"] == f'attachment; filename="{exports.file_name(export)}"'
        client.force_login(StaffUserFactory(role=Role.GLOBAL_ADMIN))
        assert client.get(url("export", "file", export.pk)).status_code == 404
        assert exports.file_name(export) not in client.get(url("export")).content.decode()

    def test_it_can_be_cancelled_after_a_question(self, client, boss):
        self.ask(client)
        export = Export.objects.get()
        address = url("export") + f"{export.pk}/cancel/"
        assert client.get(address).status_code == 200
        assert Export.objects.get().status == "QUEUED"
        post(client, address)
        assert Export.objects.get().status == "CANCELED"
        assert "is not being written" in said(client.get(address, follow=True))

    def test_presets_and_own_dates(self, client, boss):
        self.ask(client, period="custom", date_from="2025-10-01", date_to="2025-10-31")
        export = Export.objects.get()
        assert (export.date_from, export.date_to) == (date(2025, 10, 1), date(2025, 10, 31))
        exports.cancel(export_id=export.pk, member=boss)
        self.ask(client, period="week")
        latest = Export.objects.latest("id")
        assert (latest.date_to - latest.date_from).days == 6

    @pytest.mark.parametrize(
        ("data", "field", "sentence"),
        [
            ({"period": "custom"}, "date_from", "Choose the first and the last day."),
            ({"period": "custom", "date_from": "2025-10-02", "date_to": "2025-10-01"}, "date_to", "ends before it"),
            ({"period": "custom", "date_from": "x", "date_to": "2025-10-01"}, "date_from", "Enter a valid date."),
            ({"period": "week", "date_from": "2025-10-01"}, "period", "choose “Other dates”"),
            ({"period": "week", "date_to": "2025-10-31"}, "period", "choose “Other dates”"),
            ({"period": "decade"}, "period", "Select a valid choice"),
            ({"kind": "secrets"}, "kind", "Select a valid choice"),
        ],
    )
    def test_wrong_answers_are_told_beside_them(self, client, boss, data, field, sentence):
        errors = self.ask(client, **data).context["form"].errors
        assert sentence in str(errors[field])
        assert not Export.objects.exists()

    def test_the_reports_channel_is_a_choice_where_there_is_one(self, client, boss):
        assert "to_reports" not in client.get(url("export", "add")).content.decode()
        Setting.objects.create(key="reports_channel_id", value="-1003")
        assert "to_reports" in client.get(url("export", "add")).content.decode()
        self.ask(client, to_reports="on")
        assert Export.objects.get().to_reports

    def test_own_cities_only(self, client):
        mine, strange = OrderFactory(), OrderFactory()
        client.force_login(StaffUserFactory(role=Role.CITY_ADMIN, cities=[mine.city]))
        assert "Select a valid choice" in str(self.ask(client, city=strange.city_id).context["form"].errors["city"])
        self.ask(client, city=mine.city_id)
        assert Export.objects.get().city_ids == [mine.city_id]

    def test_a_logist_gets_nowhere(self, client):
        client.force_login(StaffUserFactory(role=Role.LOGIST))
        assert client.get(url("export", "add")).status_code == 403
        assert client.post(url("export", "add"), {"kind": "orders"}).status_code == 403


def test_the_reported_ones_come_for_the_bot_longest_waiting_first():
    from datetime import timedelta

    from finance.services import bulk

    now = timezone.now()
    city = OrderFactory().city
    ages = [timedelta(hours=5), timedelta(hours=30), timedelta(days=9)]
    rows = [
        CommissionFactory(order=OrderFactory(in_payment=True, city=city), status="REPORTED", paid_reported_at=now - age)
        for age in ages
    ]
    CommissionFactory(status="REPORTED", paid_reported_at=now)
    CommissionFactory(order=OrderFactory(in_payment=True, city=city))
    member = StaffUserFactory(role=Role.CITY_ADMIN, cities=[city])
    assert bulk.reported(member=member, days=1, now=now).rows == (rows[0],)
    assert bulk.reported(member=member, days=3, now=now).rows == (rows[1], rows[0])
    assert bulk.reported(member=member, days=3, now=now).total == 5000
    commissions.report_paid(commission_id=Commission.objects.latest("id").pk, actor=as_master(Master.objects.get(
        pk=Commission.objects.latest("id").master_id)))  # fmt: skip
    assert len(bulk.reported(member=member, days=1, now=timezone.now()).rows) == 2
