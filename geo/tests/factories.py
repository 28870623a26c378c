"""Places for tests. No real towns: names are numbered."""

from __future__ import annotations

from typing import Any

import factory

from geo.models import City, District, Street


class PlaceFactory(factory.django.DjangoModelFactory):
    """For models with `city` and `district`: a given district brings its city, so the two always match."""

    class Meta:
        abstract = True

    @classmethod
    def _generate(cls, strategy: str, params: dict[str, Any]) -> Any:
        district = params.get("district")
        if district is not None and not any(name.partition("__")[0] == "city" for name in params):
            params["city"] = district.city
        return super()._generate(strategy, params)


class CityFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = City

    name = factory.Sequence(lambda n: f"Город {n}")
    timezone = "Europe/Moscow"


class DistrictFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = District

    city = factory.SubFactory(CityFactory)
    name = factory.Sequence(lambda n: f"Район {n}")


class StreetFactory(PlaceFactory):
    class Meta:
        model = Street

    city = factory.SubFactory(CityFactory)
    district = factory.SubFactory(DistrictFactory, city=factory.SelfAttribute("..city"))
    name = factory.Sequence(lambda n: f"улица {n}")
