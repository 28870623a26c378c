"""Who acts."""

from __future__ import annotations

from types import SimpleNamespace

from fieldservice.lib.actor import COMMAND_LINE, DISPATCH, SYSTEM, Actor


def test_people_are_staff_or_masters_and_the_rest_is_the_system():
    staff = Actor.of_staff(SimpleNamespace(pk=3, role="LOGIST"), via="web")
    master = Actor.of_master(SimpleNamespace(pk=5))
    assert (staff.kind, staff.staff_id, staff.master_id, staff.role, staff.via) == ("staff", 3, None, "LOGIST", "web")
    assert (master.kind, master.staff_id, master.master_id, master.role) == ("master", None, 5, "")
    assert [actor.kind for actor in (SYSTEM, DISPATCH, COMMAND_LINE)] == ["system"] * 3
