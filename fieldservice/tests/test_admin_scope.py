"""Every model × role × page of the web admin, with a stranger city that must stay invisible."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from fieldservice.outbox.models import Notification
from fieldservice.runtime.models import Heartbeat, Setting
from finance.models import JournalEntry, Payout
from finance.tests.factories import CommissionFactory, OwnerRequisitesFactory, ReferralFactory, ReferralRewardFactory
from geo.models import GeoCache, GeocoderUsage
from geo.tests.factories import CityFactory, StreetFactory
from orders.models import DispatchDecision, DistributionMetric
from orders.tests.factories import AttachmentFactory, HistoryFactory, OfferFactory, OrderFactory
from staff import access
from staff.enums import Role
from staff.models import AuditLog, MasterInviteCode, StaffAccessCode
from staff.tests.factories import MasterFactory, SkillFactory, StaffUserFactory

pytestmark = pytest.mark.django_db
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
#: rows that belong to a city; the others have no city, their whole list is open or closed by role
CITY_BOUND = {
    "orders.Order", "orders.Offer", "orders.OrderStatusHistory", "orders.DispatchDecision", "orders.DistributionMetric",
    "geo.City", "geo.District", "geo.Street",
    "staff.Master", "staff.MasterInviteCode", "finance.Commission", "finance.Referral", "finance.ReferralReward",
    "finance.Payout",
}  # fmt: skip


def rows_in(city: Any) -> dict[str, Any]:
    """One row of every city-bound model, in `city`."""
    order = OrderFactory(city=city)
    master = MasterFactory(city=city)
    commission = CommissionFactory(order__city=city)
    street = StreetFactory(city=city)
    payout = Payout.objects.create(total=1, masters_count=1)
    return {
        "geo.City": city,
        "geo.District": street.district,
        "geo.Street": street,
        "orders.Order": order,
        "orders.Offer": OfferFactory(order=order),
        "orders.OrderStatusHistory": HistoryFactory(order=order),
        "orders.DispatchDecision": DispatchDecision.objects.create(
            order=order, search_number=1, round_number=1, outcome="offered"
        ),
        "orders.DistributionMetric": DistributionMetric.objects.create(
            order=order, master=master, city=city, round_number=1, candidates_count=1
        ),
        "staff.Master": master,
        "staff.MasterInviteCode": MasterInviteCode.objects.create(code=f"INV{city.pk}", city=city),
        "finance.Commission": commission,
        "finance.Referral": ReferralFactory(master=master, referrer__city=city),
        "finance.ReferralReward": ReferralRewardFactory(commission=commission, referrer=master, payout=payout),
        "finance.Payout": payout,
    }


def cityless_rows() -> dict[str, Any]:
    member = StaffUserFactory()
    return {
        "geo.GeocoderUsage": GeocoderUsage.objects.create(provider="yandex", day="2026-11-22"),
        "geo.GeoCache": GeoCache.objects.create(query="ул"), "staff.StaffUser": member,
        "staff.StaffAccessCode": StaffAccessCode.objects.create(code="ABCD1234", role=Role.LOGIST),
        "staff.AuditLog": AuditLog.objects.create(action="x"), "staff.Skill": SkillFactory(),
        "orders.Attachment": AttachmentFactory(), "finance.OwnerRequisites": OwnerRequisitesFactory(),
        "finance.JournalEntry": JournalEntry.objects.create(kind="CREATED", debit="DEBTS", credit="INCOME", amount=1),
        "runtime.Setting": Setting.objects.create(key="distribution_rounds", value="2"),
        "runtime.Heartbeat": Heartbeat.objects.create(name="x"),
        "outbox.Notification": Notification.objects.create(event="x", master=MasterFactory()),
    }  # fmt: skip


def page(model: Any, kind: str, row: Any = None) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{kind}", args=[row.pk] if row else [])


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_role_model_pages_follow_the_matrix_and_the_scope(client: Client, model: Any, role: Role) -> None:
    mine, strange = CityFactory(name="Свой"), CityFactory(name="Чужой")
    label = model._meta.label
    own = rows_in(mine) | cityless_rows()
    foreign = rows_in(strange)
    client.force_login(StaffUserFactory(role=role, cities=[mine]))
    sees, _changes = access.MODELS[label.lower()]
    wanted = 200 if role in sees else 403
    assert client.get(page(model, "changelist")).status_code == wanted
    if label in own:
        assert client.get(page(model, "change", own[label])).status_code == wanted
    if label in CITY_BOUND and role in sees:
        listed = {row.pk for row in client.get(page(model, "changelist")).context["cl"].result_list}
        everywhere = role == Role.GLOBAL_ADMIN
        assert (foreign[label].pk in listed) is everywhere
        assert client.get(page(model, "change", foreign[label])).status_code == (200 if everywhere else 302)


def test_every_registered_model_is_in_the_matrix() -> None:
    assert {model._meta.label_lower for model in MODELS} == set(access.MODELS)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_nothing_is_deleted_by_hand(client: Client, model: Any) -> None:
    row = (rows_in(CityFactory()) | cityless_rows()).get(model._meta.label)
    client.force_login(StaffUserFactory(role=Role.GLOBAL_ADMIN))
    if row is not None and model is not Setting:  # deleting a setting means: back to the default
        assert client.post(page(model, "delete", row), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("field", ["city", "district", "street"])
def test_a_lookup_never_shows_a_stranger_city(client: Client, field: str) -> None:
    mine, strange = StreetFactory(name="Моя улица"), StreetFactory(name="Чужая улица")
    client.force_login(StaffUserFactory(role=Role.LOGIST, cities=[mine.city]))
    answer = client.get(
        reverse("admin:autocomplete"), {"app_label": "orders", "model_name": "order", "field_name": field, "term": ""}
    ).json()
    ids = {row["id"] for row in answer["results"]}
    expected = {"city": mine.city_id, "district": mine.district_id, "street": mine.pk}[field]
    unwanted = {"city": strange.city_id, "district": strange.district_id, "street": strange.pk}[field]
    assert str(expected) in ids
    assert str(unwanted) not in ids


def test_a_deactivated_member_is_out_at_once(client: Client) -> None:
    member = StaffUserFactory(role=Role.GLOBAL_ADMIN)
    client.force_login(member)
    member.is_active = False
    member.save()
    assert client.get(reverse("admin:orders_order_changelist")).status_code == 302


@pytest.mark.parametrize(
    "query",
    ["payout_data__icontains=2200", "payout_data__card__startswith=2", "tg_user_id__gt=1", "orders__id=1",
     "phone__regex=(", "shift_status__regex=(", "moderation_status__exact=%00"],
)  # fmt: skip
def test_an_address_cannot_ask_for_what_no_page_shows(client: Client, query: str) -> None:
    master = MasterFactory(payout_data={"card": "2200000000000004"})
    client.force_login(StaffUserFactory(role=Role.LOGIST, cities=[master.city]))
    assert client.get(f"{page(type(master), 'changelist')}?{query}").status_code == 400


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_filter_of_every_list_works(client: Client, model: Any) -> None:
    rows_in(CityFactory())
    cityless_rows()
    client.force_login(StaffUserFactory(role=Role.GLOBAL_ADMIN))
    shown = client.get(page(model, "changelist")).context.get("cl")
    for spec in shown.filter_specs if shown else ():  # the settings are a form, not a list
        for choice in spec.choices(shown):
            if link := choice.get("query_string"):
                assert client.get(page(model, "changelist") + link).status_code == 200, link


def test_lists_of_a_city_do_not_read_everybody_s_rows(client: Client, django_assert_max_num_queries: Any) -> None:
    """A subquery hides from the planner how few rows a small city has: it walks through all of them instead."""
    city = CityFactory()
    client.force_login(StaffUserFactory(role=Role.CITY_ADMIN, cities=[city]))
    for model in MODELS:
        if model._meta.label in CITY_BOUND - {"geo.City"}:
            with django_assert_max_num_queries(10) as caught:
                client.get(page(model, "changelist"))
            rows = [q["sql"] for q in caught.captured_queries if f'FROM "{model._meta.db_table}"' in q["sql"]]
            assert not [sql for sql in rows if "staff_cities" in sql], model
