"""Reading people."""

from __future__ import annotations

import pytest

from staff.selectors import block_reason, master_by_tg, member_by_tg
from staff.tests.factories import MasterFactory, StaffUserFactory

pytestmark = pytest.mark.django_db


def test_people_are_known_by_their_telegram_id(django_assert_num_queries):
    master, member = MasterFactory(), StaffUserFactory(is_active=False)
    with django_assert_num_queries(1):
        assert master_by_tg(master.tg_user_id).city == master.city
    assert member_by_tg(member.tg_user_id) == member
    assert master_by_tg(member.tg_user_id) is None
    assert member_by_tg(master.tg_user_id) is None
    assert master_by_tg(10**30) is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, ""),
        ({"is_blocked": True, "blocked_reason": None}, "blocked by the office"),
        ({"is_blocked": True, "blocked_reason": ""}, "blocked by the office"),
        ({"is_blocked": True, "is_deleted": True}, "your account is closed"),
        ({"moderation_status": "REJECTED"}, "your application is not approved yet"),
        ({"is_active": False}, "your account is switched off"),
    ],
)
def test_the_first_thing_in_the_way_is_named(values, words):
    assert block_reason(MasterFactory(**values)) == words
