"""The six skills equal the order categories; codes of older installations are carried over."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from orders.enums import Category
from staff.models import MasterSkill, Skill
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db
migration = import_module("staff.migrations.0002_seed_skills")


def seed() -> None:
    with connection.schema_editor(atomic=False) as editor:
        migration.seed(apps, editor)


def codes() -> list[str]:
    return list(Skill.objects.filter(is_active=True).order_by("id").values_list("code", flat=True))


def test_codes_equal_categories_and_twice_is_once():
    Skill.objects.all().delete()
    seed()
    seed()
    assert codes() == list(Category)


def test_old_codes_are_renamed_and_links_kept():
    Skill.objects.all().delete()
    old = Skill.objects.create(code="HANDY", name="Наше имя")
    master = MasterFactory(skills=[old])
    seed()
    assert master.skills.get().code == "HANDYMAN"
    assert Skill.objects.get(code="HANDYMAN").name == "Наше имя"
    assert sorted(codes()) == sorted(Category)


def test_where_both_codes_exist_masters_keep_the_skill():
    old, new = Skill.objects.create(code="ELEC", name="Старая"), Skill.objects.get_or_create(code="ELECTRICS")[0]
    both, only_old = MasterFactory(skills=[old, new]), MasterFactory(skills=[old])
    seed()
    assert MasterSkill.objects.filter(skill=new, master__in=[both, only_old]).count() == 2
    assert not Skill.objects.get(code="ELEC").is_active
