"""What the forms of the web admin refuse, as the bots do: people, places, skills, logins, new orders."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from geo.models import City
from geo.tests.factories import CityFactory, DistrictFactory
from orders.models import Order
from orders.tests.factories import OrderFactory
from staff.enums import Role
from staff.models import Master, Skill, StaffUser
from staff.tests.factories import MasterFactory, SkillFactory, StaffUserFactory

pytestmark = pytest.mark.django_db
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def boss(client: Client) -> Any:
    client.force_login(member := StaffUserFactory(role=Role.GLOBAL_ADMIN))
    return member


def refused(client: Client, url: str, form: dict[str, Any]) -> dict[str, list[str]]:
    answer = client.post(url, form, headers=ENGLISH)
    return dict(answer.context["adminform"].form.errors) if answer.status_code == 200 else {}


def master_form(master: Master, **changes: Any) -> dict[str, Any]:
    return {
        "full_name": master.full_name, "phone": master.phone, "city": master.city_id, "max_active_orders_override": "",
        "vehicle_plate": master.vehicle_plate or "", "skill_set": [row.pk for row in master.skills.all()],
        "district_set": [row.pk for row in master.districts.all()],
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"full_name": "X"}, "full_name", "surname and the first name"),
        ({"full_name": "Иванов I"}, "full_name", "Cyrillic letters"),
        ({"phone": ""}, "phone", "phone"),
        ({"phone": "12"}, "phone", "11 digits"),
        ({"vehicle_plate": "!"}, "vehicle_plate", "5 to 12 letters"),
        ({"skill_set": []}, "skill_set", "Choose at least one."),
        ({"district_set": []}, "district_set", "Choose at least one."),
    ],
)
def test_a_master_is_corrected_by_the_rules_of_his_application(
    client: Client, boss: Any, change: dict[str, Any], field: str, sentence: str
) -> None:
    master = MasterFactory(districts=[DistrictFactory()])
    errors = refused(client, reverse("admin:master_edit", args=[master.pk]), master_form(master, **change))
    assert list(errors) == [field]
    assert sentence in errors[field][0]


def test_what_an_old_master_has_may_stay_and_what_is_typed_is_stored_in_one_form(client: Client, boss: Any) -> None:
    master = MasterFactory(full_name="X", phone=None, skills=[], vehicle_plate="!")
    url = reverse("admin:master_edit", args=[master.pk])
    assert client.post(url, master_form(master, phone="", max_active_orders_override="3")).status_code == 302
    form = master_form(master, full_name="иванов  пётр", phone="8 999 000-11-22", vehicle_plate="а 123 вс 777")
    assert client.post(url, form).status_code == 302
    master.refresh_from_db()
    kept = (master.full_name, master.phone, master.vehicle_plate, master.max_active_orders_override)
    assert kept == ("Иванов Пётр", "+79990001122", "А123ВС777", None)


@pytest.mark.parametrize("name", ["🙂", "москва", "1", "Т"])
def test_a_city_has_a_name_of_its_own_in_letters(client: Client, boss: Any, name: str) -> None:
    City.objects.get_or_create(name="Москва")
    assert list(refused(client, reverse("admin:geo_city_add"), {"name": name})) == ["name"]
    assert client.post(reverse("admin:geo_city_add"), {"name": "Ростов-на-Дону (новый)"}).status_code == 302


@pytest.mark.parametrize(
    ("code", "name", "field"),
    [
        ("а б", "Окна", "code"),
        ("plumbing", "Ремонт", "code"),
        ("WINDOWS", "сантехника", "name"),
        ("WINDOWS", "🙂", "name"),
    ],
)
def test_a_skill_is_one_of_the_categories_once(client: Client, boss: Any, code: str, name: str, field: str) -> None:
    Skill.objects.exclude(code="PLUMBING").delete()
    row = SkillFactory(code="PLUMBING")
    Skill.objects.filter(pk=row.pk).update(name="Сантехника")
    url = reverse("admin:staff_skill_add")
    assert list(refused(client, url, {"code": code, "name": name, "is_active": "on"})) == [field]
    assert client.post(url, {"code": "windows", "name": "Окна", "is_active": "on"}).status_code == 302
    assert Skill.objects.filter(code="WINDOWS").exists()


def test_a_login_has_no_spaces_and_a_role_of_cities_has_cities(client: Client, boss: Any) -> None:
    url, secret = reverse("admin:staff_staffuser_add"), "Lange-Nacht-77"
    form = {"username": "а б", "full_name": "", "role": Role.LOGIST, "password1": secret, "password2": secret,
            "usable_password": "true"}  # fmt: skip
    errors = refused(client, url, form)
    assert "without spaces" in errors["username"][0]
    assert errors["city_set"] == ["This role needs at least one city."]
    city = CityFactory()
    assert client.post(url, form | {"username": "logist.1", "city_set": [city.pk]}).status_code == 302
    row = StaffUser.objects.get(username="logist.1")
    page = reverse("admin:staff_staffuser_change", args=[row.pk])
    kept = {"username": row.username, "full_name": "", "role": Role.LOGIST, "is_active": "on"}
    assert list(refused(client, page, kept)) == ["city_set"]
    boss_too = form | {"username": "boss-2", "role": Role.GLOBAL_ADMIN}
    assert client.post(url, boss_too).status_code == 302


def test_all_that_is_wrong_with_a_new_order_is_told_in_one_go(client: Client, boss: Any) -> None:
    wrong = {"client_phone": "12", "client_name": "1", "house": "!", "description": "x", "slot": "asap"}
    errors = refused(client, reverse("admin:orders_order_add"), wrong)
    assert set(errors) == {"city", "category", "client_phone", "client_name", "house", "description"}
    assert [len(sentences) for sentences in errors.values()] == [1] * 6
    errors = refused(client, reverse("admin:orders_order_add"), wrong | {"city": CityFactory().pk})
    assert errors["category"] == ["This field is required."]
    assert not Order.objects.exists()


def test_the_form_of_a_new_order_marks_the_phone_and_asks_no_question_of_itself(client: Client, boss: Any) -> None:
    district = DistrictFactory()
    answer = client.post(reverse("admin:orders_order_add"), {"city": district.city_id, "district": district.pk})
    form = answer.context["adminform"].form
    assert form.fields["client_phone"].required
    assert "client_phone" in form.errors
    assert all(form.fields[name].widget.is_hidden for name in ("confirm_district", "confirm_late"))


def test_a_correction_offers_no_other_order(client: Client, boss: Any) -> None:
    text = client.get(reverse("admin:order_edit", args=[OrderFactory().pk])).content.decode()
    assert "_addanother" not in text
    assert 'name="_save"' in text
