"""Lookups of places in forms, and their import in the web admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from geo.catalog_file import COLUMNS
from geo.models import Street
from geo.tests.factories import CityFactory, DistrictFactory, StreetFactory
from staff.admin import catalog
from staff.enums import Role
from staff.models import AuditLog
from staff.tests.factories import StaffUserFactory

pytestmark = pytest.mark.django_db
IMPORT = "admin:geo_street_import_places"


@pytest.fixture
def boss(client: Client) -> Any:
    member = StaffUserFactory(role=Role.GLOBAL_ADMIN)
    client.force_login(member)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return member


def upload(client: Client, *lines: str, **fields: str) -> Any:
    content = "\n".join([";".join(COLUMNS), *lines]).encode("utf-8-sig")
    file = SimpleUploadedFile("places.csv", content, "text/csv")
    return client.post(reverse(IMPORT), {"file": file, "delimiter": ";"} | fields)


class TestImport:
    def test_a_file_is_shown_first_and_written_after_the_confirmation(self, client: Client, boss: Any) -> None:
        StreetFactory(city=CityFactory(name="Тверь"), district=None, name="улица Советская")
        assert client.get(reverse(IMPORT)).status_code == 200
        preview = upload(client, "street;Тверь;;улица Мира;;", "street;Тверь;;Малая Советская;;")
        text = preview.content.decode()
        assert "This would be imported. Nothing is written yet." in text
        assert "Line 3: «Малая Советская» is like «улица Советская» (90 %)." in text
        assert Street.objects.count() == 1
        done = client.post(reverse(IMPORT), {"confirm": preview.context["key"]})
        assert "The places are imported." in done.content.decode()
        assert Street.objects.count() == 2
        row = AuditLog.objects.get()
        assert (row.admin_id, row.action, row.payload_json["added"]) == (boss.pk, "places_imported", {"street": 1})

    def test_a_second_click_imports_nothing(self, client: Client, boss: Any) -> None:
        CityFactory(name="Тверь")
        key = upload(client, "street;Тверь;;улица Мира;;").context["key"]
        client.post(reverse(IMPORT), {"confirm": key})
        again = client.post(reverse(IMPORT), {"confirm": key}, follow=True)
        assert "This preview is gone or was imported already" in again.content.decode()
        assert AuditLog.objects.count() == 1

    def test_another_member_s_preview_is_not_mine(self, client: Client, boss: Any) -> None:
        CityFactory(name="Тверь")
        key = upload(client, "street;Тверь;;улица Мира;;").context["key"]
        client.force_login(StaffUserFactory(role=Role.GLOBAL_ADMIN))
        client.post(reverse(IMPORT), {"confirm": key})
        assert not Street.objects.exists()

    def test_bad_rows_are_shown_and_cannot_be_confirmed(self, client: Client, boss: Any) -> None:
        CityFactory(name="Тверь")
        response = upload(client, "street;Тверь;;Мира;;", "street;Тверь;Нет;<b>Ленина</b>;;")
        assert "Line 3: there is no district «Нет» in Тверь." in response.content.decode()
        assert response.context["key"] == ""
        assert 'name="confirm"' not in response.content.decode()

    def test_what_is_no_catalogue_is_told_beside_the_file(
        self, client: Client, boss: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = reverse(IMPORT)
        for content, sentence in [(b"\xff\xfe\x00", "is not UTF-8"), (b"a;b", "The first line must name the columns")]:
            response = client.post(url, {"file": SimpleUploadedFile("x.csv", content), "delimiter": ";"})
            assert sentence in str(response.context["form"].errors["file"])
        assert "file" in client.post(url, {"delimiter": ";"}).context["form"].errors
        monkeypatch.setattr(catalog, "ROWS", 1)
        CityFactory(name="Тверь")
        response = upload(client, "street;Тверь;;Мира;;", "street;Тверь;;Ленина;;")
        assert "There are more than 1 rows" in str(response.context["form"].errors["file"])
        assert "There are more than 1 rows" in str(upload(client, "x", "x").context["form"].errors["file"])
        monkeypatch.setattr(catalog, "MEGABYTES", 0)
        assert "The file is larger than 0 MB" in str(upload(client).context["form"].errors["file"])

    def test_nothing_new_needs_no_confirmation(self, client: Client, boss: Any) -> None:
        CityFactory(name="Тверь")
        response = upload(client, "city;;;Тверь;;")
        assert "There is nothing new in this file." in response.content.decode()

    @pytest.mark.parametrize("role", [Role.CITY_ADMIN, Role.LOGIST])
    @pytest.mark.parametrize("model", ["city", "district", "street"])
    def test_only_who_may_add_places_may_import_them(self, client: Client, role: Role, model: str) -> None:
        city = CityFactory(name="Тверь")
        client.force_login(StaffUserFactory(role=role, cities=[city]))
        url = reverse(f"admin:geo_{model}_import_places")
        assert client.get(url).status_code == 403
        assert upload(client, "street;Тверь;;Мира;;").status_code == 403
        cache.set(f"import-catalog:{client.session['_auth_user_id']}:k", (b"", {}), 60)
        assert client.post(url, {"confirm": "k"}).status_code == 403
        assert url not in client.get(reverse(f"admin:geo_{model}_changelist")).content.decode()


class TestLookups:
    def found(self, client: Client, field: str, text: str, **more: Any) -> list[str]:
        query = {"app_label": "orders", "model_name": "order", "field_name": field, "term": text} | more
        response = client.get(reverse("admin:autocomplete"), query)
        assert response.status_code == 200
        return [row["text"] for row in response.json()["results"]]

    def test_cities_by_nicknames_and_with_mistakes(self, client: Client, boss: Any) -> None:
        for name in ("Санкт-Петербург", "Нижний Новгород", "Нижний Тагил", "Орёл", "Оренбург"):
            CityFactory(name=name)
        CityFactory(name="Питерка", is_active=False)
        assert self.found(client, "city", "питер") == ["Санкт-Петербург"]
        assert self.found(client, "city", "нижний") == ["Нижний Новгород", "Нижний Тагил"]
        assert self.found(client, "city", "")[-2:] == ["Оренбург", "Санкт-Петербург"]
        assert self.found(client, "city", "zzz") == []

    def test_districts_and_streets_of_the_chosen_city(self, client: Client, boss: Any) -> None:
        street = StreetFactory(district=DistrictFactory(name="Центральный"), name="улица Советская")
        StreetFactory(district=DistrictFactory(city=street.city, name="Южный"), name="улица Советская")
        StreetFactory(name="улица Советская")
        city = street.city_id
        assert self.found(client, "district", "центральный район", city=city) == ["Центральный"]
        assert self.found(client, "district", "", city=city) == ["Центральный", "Южный"]
        assert self.found(client, "street", "савецкая", city=city) == [
            "улица Советская (Центральный)", "улица Советская (Южный)"
        ]  # fmt: skip
        assert len(self.found(client, "street", "", city=city)) == 2
        assert len(self.found(client, "street", "совет")) == 3

    @pytest.mark.parametrize("city", ["", "x", "99999999999", "-1", "٣", "4242"])
    def test_a_city_that_is_none_is_no_error(self, client: Client, boss: Any, city: str) -> None:
        StreetFactory(name="Мира")
        assert self.found(client, "street", "мира", city=city)

    @pytest.mark.parametrize("field", ["city", "district", "street"])
    def test_what_no_column_can_hold_is_left_away(self, client: Client, boss: Any, field: str) -> None:
        street = StreetFactory(city__name="Мира", district__name="Мира", name="Мира")
        for city in ("", street.city_id):
            assert self.found(client, field, "ми\x00ра", city=city)

    def test_a_stranger_s_city_is_looked_up_by_nobody(self, client: Client) -> None:
        mine, strange = CityFactory(name="Тверь"), StreetFactory(city__name="Тверца", name="Мира")
        client.force_login(StaffUserFactory(role=Role.LOGIST, cities=[mine]))
        assert self.found(client, "city", "твер") == ["Тверь"]
        assert self.found(client, "street", "мира", city=strange.city_id) == []
        assert self.found(client, "district", "", city=strange.city_id) == []


class TestForms:
    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"timezone": "Europe/Moskow"}, "timezone"),
            ({"timezone": "../../etc/passwd"}, "timezone"),
            ({"centroid_lat": "91", "centroid_lon": "35"}, "centroid_lat"),
            ({"centroid_lat": "56", "centroid_lon": ""}, "centroid_lat"),
            ({}, None),
            ({"timezone": "", "centroid_lat": "", "centroid_lon": ""}, None),
        ],
    )
    def test_a_city_has_a_zone_that_exists_and_a_centre_on_the_globe(
        self, client: Client, boss: Any, values: dict[str, str], field: str | None
    ) -> None:
        right = {"name": "Тверь", "timezone": "Europe/Moscow", "centroid_lat": "56.8", "centroid_lon": "35.9"}
        response = client.post(reverse("admin:geo_city_add"), right | values)
        if field is None:
            assert response.status_code == 302
        else:
            assert list(response.context["adminform"].form.errors) == [field]

    def test_a_street_lies_in_a_district_of_its_city(self, client: Client, boss: Any) -> None:
        city, other = CityFactory(name="Тверь"), DistrictFactory(city__name="Омск", name="Южный")
        form = {"city": city.pk, "district": other.pk, "name": "улица Мира"}
        errors = client.post(reverse("admin:geo_street_add"), form).context["adminform"].form.errors
        assert errors == {"district": ["Южный is a district of Омск: choose one of the street's city, or none."]}
        assert client.post(reverse("admin:geo_street_add"), form | {"district": ""}).status_code == 302

    def test_a_district_stays_where_its_streets_are(self, client: Client, boss: Any) -> None:
        district, other = StreetFactory().district, CityFactory()
        url, form = reverse("admin:geo_district_change", args=[district.pk]), {"city": other.pk, "name": "Южный"}
        assert list(client.post(url, form).context["adminform"].form.errors) == ["city"]
        assert client.post(url, form | {"city": district.city_id}).status_code == 302
