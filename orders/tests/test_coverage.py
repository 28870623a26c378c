"""What a process keeps of skills and districts is never older than the last commit, whoever made it."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from geo.tests.factories import CityFactory, DistrictFactory
from orders.dispatch.coverage import Coverage
from staff.models import CoverageChange, Master, MasterDistrict, MasterSkill, Skill
from staff.services.coverage import forget_changes
from staff.tests.factories import MasterFactory


class Desk:
    """A process that looks at one city again and again."""

    def __init__(self) -> None:
        self.coverage = Coverage()
        self.district = DistrictFactory()
        self.master = MasterFactory(districts=[self.district])

    def look(self) -> tuple[set[str], bool]:
        """What the master knows, and whether he serves the district, as this process sees it."""
        city = self.district.city_id
        self.coverage.read([city])
        skills, districts = self.coverage.masks(city, [self.master.pk])
        return {code for code, mask in skills.items() if mask}, bool(districts.get(self.district.pk))


@pytest.fixture
def desk(db):
    desk = Desk()
    assert desk.look() == ({"ELECTRICS"}, True)
    return desk


def sql(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_nothing_changed_nothing_is_read(desk, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert desk.look() == ({"ELECTRICS"}, True)


def test_a_new_skill_and_a_lost_one(desk):
    plumbing = Skill.objects.get(code="PLUMBING")
    MasterSkill.objects.create(master=desk.master, skill=plumbing)
    assert desk.look() == ({"ELECTRICS", "PLUMBING"}, True)
    MasterSkill.objects.filter(master=desk.master).exclude(skill=plumbing).delete()
    assert desk.look() == ({"PLUMBING"}, True)


def test_a_district_given_up(desk):
    sql("DELETE FROM master_districts WHERE master_id = %s", desk.master.pk)
    assert desk.look() == ({"ELECTRICS"}, False)


def test_a_district_changed_in_place(desk):
    other = DistrictFactory(city=desk.district.city)
    MasterDistrict.objects.filter(master=desk.master).update(district=other)
    assert desk.look() == ({"ELECTRICS"}, False)


def test_a_skill_switched_off_and_on(desk):
    for active in (False, True):
        Skill.objects.filter(code="ELECTRICS").update(is_active=active)
        assert desk.look() == ({"ELECTRICS"} if active else set(), True)
        assert ("ELECTRICS" in desk.coverage.categories) is active


def test_everything_gone_at_once(desk):
    sql("TRUNCATE master_districts")
    assert desk.look() == ({"ELECTRICS"}, False)


def test_a_master_who_moves_takes_his_skills_along(desk):
    home = CityFactory()
    desk.coverage.read([home.pk])
    Master.objects.filter(pk=desk.master.pk).update(city=home)
    desk.coverage.read([home.pk])
    skills, _ = desk.coverage.masks(home.pk, [desk.master.pk])
    assert {code for code, mask in skills.items() if mask} == {"ELECTRICS"}


def test_a_master_saved_without_moving_changes_nothing(desk, django_assert_num_queries):
    desk.master.save()
    with django_assert_num_queries(1):
        desk.look()


def test_a_deleted_master_leaves_no_bit(desk):
    Master.objects.filter(pk=desk.master.pk).delete()
    assert desk.look() == (set(), False)


def test_masks_follow_the_columns(desk):
    """A master who comes or goes moves the others' bits."""
    city, pk = desk.district.city_id, desk.master.pk
    for ids, mask in (([pk], 1), ([pk - 1, pk], 2), ([pk - 2, pk - 1, pk, pk + 1], 4), ([pk + 1], 0)):
        assert desk.coverage.masks(city, ids)[0]["ELECTRICS"] == mask


def test_a_change_that_is_undone_is_not_remembered(desk):
    with transaction.atomic():
        sql("DELETE FROM master_districts")
        assert desk.look() == ({"ELECTRICS"}, False)
        transaction.set_rollback(True)
    assert desk.look() == ({"ELECTRICS"}, True)


def test_the_trace_is_kept_short_and_forgetting_is_a_change(desk):
    for _ in range(5):
        sql("UPDATE skills SET name = name")
    before = set(CoverageChange.objects.values_list("pk", flat=True))
    forget_changes(keep=len(before))
    assert set(CoverageChange.objects.values_list("pk", flat=True)) == before
    desk.look()
    kept = desk.coverage.version
    forget_changes(keep=3)
    (left,) = CoverageChange.objects.values_list("pk", flat=True)
    assert left not in before
    desk.look()
    assert desk.coverage.version != kept


@pytest.mark.django_db(transaction=True)
def test_a_change_that_commits_late_is_seen_when_it_commits():
    """A row with an earlier number may become visible after a later one: what counts is the set of them."""
    desk = Desk()
    looked, changed = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                MasterDistrict.objects.filter(master=desk.master).delete()
                changed.set()
                looked.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert changed.wait(10)
    Skill.objects.filter(code="WINDOWS").update(name="x")
    assert desk.look() == ({"ELECTRICS"}, True)
    looked.set()
    thread.join(10)
    assert desk.look() == ({"ELECTRICS"}, False)
