"""Role × model × (look-up, action, object page, filter): a stranger city stays invisible and untouched.

Lists and pages: test_admin_scope.py. What is registered is found here, so that a new page is tested, too.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from fieldservice.tests.test_admin_scope import CITY_BOUND, MODELS, page, rows_in
from geo.tests.factories import CityFactory
from staff import access
from staff.enums import Role
from staff.tests.factories import StaffUserFactory

pytestmark = pytest.mark.django_db


def lookups() -> list[tuple[type[Model], str]]:
    """Every field that is looked up by typing, in forms and in filters."""
    found = []
    for model, own in admin.site._registry.items():
        filters = [item[0] for item in own.list_filter if isinstance(item, tuple) and "Master" in item[1].__name__]
        found += [(model, name) for name in {*own.autocomplete_fields, *filters}]
    return sorted(found, key=lambda pair: (pair[0]._meta.label, pair[1]))


def acts() -> list[tuple[type[Model], str]]:
    """Every act on several rows."""
    request = RequestFactory().get("/")
    request.user = StaffUserFactory.build(role=Role.GLOBAL_ADMIN)
    return sorted(
        ((model, name) for model, own in admin.site._registry.items() for name in own.get_actions(request)),
        key=lambda pair: (pair[0]._meta.label, pair[1]),
    )


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("model", "field"), lookups(), ids=str)
def test_look_ups_offer_own_cities_only(client: Client, model: Any, field: str, role: Role) -> None:
    mine, strange = CityFactory(name="Свой"), CityFactory(name="Чужой")
    own, foreign = rows_in(mine), rows_in(strange)
    client.force_login(StaffUserFactory(role=role, cities=[mine]))
    target = model._meta.get_field(field).related_model
    query = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field, "term": ""}
    answer = client.get(reverse("admin:autocomplete"), query)
    sees, _changes = access.MODELS[target._meta.label_lower]
    if role not in sees:
        assert answer.status_code == 403
        return
    found = {row["id"] for row in answer.json()["results"]}
    assert str(own[target._meta.label].pk) in found
    assert (str(foreign[target._meta.label].pk) in found) is (role == Role.GLOBAL_ADMIN)


@pytest.mark.parametrize("role", [Role.CITY_ADMIN, Role.LOGIST])
@pytest.mark.parametrize(("model", "name"), acts(), ids=str)
def test_acts_on_rows_of_a_stranger_city_touch_nothing(client: Client, model: Any, name: str, role: Role) -> None:
    mine, strange = CityFactory(name="Свой"), CityFactory(name="Чужой")
    row = rows_in(strange).get(model._meta.label)
    if row is None:
        assert model._meta.label not in CITY_BOUND
        return
    before = model.objects.filter(pk=row.pk).values().get()
    client.force_login(StaffUserFactory(role=role, cities=[mine]))
    data = {
        "action": name,
        "_selected_action": [row.pk],
        "confirmed": "yes",
        "reason": "Чужое не трогать",
        "limit": "1",
    }
    assert client.post(page(model, "changelist"), data).status_code in {200, 302, 403}
    assert model.objects.filter(pk=row.pk).values().get() == before


@pytest.mark.parametrize("model", [m for m in MODELS if m._meta.label in CITY_BOUND], ids=lambda m: m._meta.label)
@pytest.mark.parametrize("role", [Role.CITY_ADMIN, Role.LOGIST])
def test_no_filter_names_a_stranger(client: Client, model: Any, role: Role) -> None:
    mine, strange = CityFactory(name="Свой"), CityFactory(name="Чужоград")
    foreign = rows_in(strange)
    master = foreign["staff.Master"]
    master.full_name = "Незнакомцев Иван"
    master.save(update_fields=["full_name"])
    client.force_login(StaffUserFactory(role=role, cities=[mine]))
    for query in ({}, {"city": strange.pk}, {"assigned_master__id__exact": master.pk}):
        answer = client.get(page(model, "changelist"), query)
        text = answer.content.decode()
        assert "Незнакомцев" not in text
        assert "Чужоград" not in text


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_a_post_without_the_right_writes_nothing(client: Client, model: Any) -> None:
    """Adding, for the roles that may not."""
    sees, changes = access.MODELS[model._meta.label_lower]
    for role in set(Role) - set(changes):
        client.force_login(StaffUserFactory(role=role))
        count = model.objects.count()
        client.post(page(model, "add"), {"name": "x", "full_name": "x", "key": "distribution_rounds", "value": "3"})
        assert model.objects.count() == count
    assert sees >= changes
