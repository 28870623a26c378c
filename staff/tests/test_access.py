"""The one access matrix: written out, so that a change of it is a change of this file."""

from __future__ import annotations

import pytest
from django.apps import apps

from fieldservice.lib.actor import COMMAND_LINE, Actor
from fieldservice.lib.errors import ForbiddenError
from staff import access, scope
from staff.enums import Role
from staff.models import Master, StaffUser

BOSS, ADMIN, LOGIST = "GLOBAL_ADMIN", "CITY_ADMIN", "LOGIST"

#: specification §1: what each role may do
MATRIX = {
    "order.create": {BOSS, ADMIN, LOGIST},
    "order.offer": {BOSS, ADMIN, LOGIST},
    "order.assign": {BOSS, ADMIN},
    "order.return": {BOSS, ADMIN, LOGIST},
    "order.cancel": {BOSS, ADMIN, LOGIST},
    "order.cancel_working": {BOSS, ADMIN},
    "order.activate": {BOSS, ADMIN, LOGIST},
    "order.guarantee": {BOSS, ADMIN, LOGIST},
    "master.moderate": {BOSS, ADMIN},
    "finance.see": {BOSS, ADMIN},
    "finance.approve": {BOSS, ADMIN},
    "finance.payout": {BOSS, ADMIN},
    "finance.requisites": {BOSS},
    "export": {BOSS, ADMIN},
    "settings": {BOSS},
    "staff": {BOSS},
}


@pytest.mark.parametrize("action", sorted(MATRIX))
def test_an_action_belongs_to_its_roles(action):
    assert {role for role in Role.values if access.may(role, action)} == MATRIX[action]


def test_no_action_of_the_specification_is_missing():
    assert set(MATRIX) <= set(access.ACTIONS)


def test_an_unknown_action_is_a_mistake_and_an_unknown_role_nobody():
    with pytest.raises(KeyError):
        access.may(BOSS, "order.delete_everything")
    assert not access.may("", "order.create")
    assert not access.may("MASTER", "order.create")


class TestActors:
    def test_staff_by_role_the_system_always_masters_never(self):
        for role in Role:
            actor = Actor.of_staff(StaffUser(pk=1, role=role))
            assert {a for a in MATRIX if scope.may(actor, a)} == {a for a, roles in MATRIX.items() if role in roles}
        assert all(scope.may(COMMAND_LINE, action) for action in MATRIX)
        assert not any(scope.may(Actor.of_master(Master(pk=1)), action) for action in MATRIX)

    def test_the_refusal_is_a_sentence(self):
        with pytest.raises(ForbiddenError, match="Your role does not allow this"):
            scope.require(Actor.of_staff(StaffUser(pk=1, role=LOGIST)), "settings")
        scope.require(COMMAND_LINE, "settings")


class TestModels:
    OURS = ("geo", "staff", "orders", "finance", "runtime", "outbox")

    def test_every_named_model_exists(self):
        known = {model._meta.label_lower for model in apps.get_models()}
        assert set(access.MODELS) <= known

    @pytest.mark.parametrize("verb", ["add", "change", "delete"])
    @pytest.mark.parametrize(
        "model",
        ["staff.auditlog", "orders.orderstatushistory", "orders.offer", "orders.dispatchdecision", "finance.commission",
         "finance.referralreward", "outbox.notification"],
    )  # fmt: skip
    def test_records_are_written_by_services_only(self, model, verb):
        app, name = model.split(".")
        assert not any(access.allows(role, f"{app}.{verb}_{name}") for role in Role.values)

    def test_who_changes_may_see(self):
        for view, change in access.MODELS.values():
            assert change <= view

    def test_finance_settings_and_staff_are_closed_to_logists(self):
        seen = {name for name, (view, _change) in access.MODELS.items() if LOGIST in view}
        assert not {name for name in seen if name.startswith(("finance.", "runtime.", "outbox."))}
        assert "staff.staffuser" not in seen

    def test_settings_staff_and_requisites_are_a_global_admin_s(self):
        for model in ("runtime.setting", "staff.staffuser", "staff.staffaccesscode", "finance.ownerrequisites"):
            assert access.MODELS[model] == (access.GLOBAL, access.GLOBAL)

    def test_what_is_not_named_is_closed(self):
        for perm in ("orders.view_nothing", "auth.view_group", "orders.view", "", "x"):
            assert not any(access.allows(role, perm) for role in Role.values)

    def test_an_app_is_seen_when_one_of_its_models_is(self):
        assert access.sees_app(LOGIST, "orders")
        assert not access.sees_app(LOGIST, "finance")
        assert access.sees_app(ADMIN, "finance")
        assert not access.sees_app(ADMIN, "runtime")
        assert not access.sees_app(BOSS, "order")  # no prefix of a name


@pytest.mark.parametrize("role", Role.values)
def test_an_inactive_member_has_no_permission_at_all(role):
    member = StaffUser(role=role, is_active=False)
    assert not member.has_perm("orders.view_order")
    assert not member.has_module_perms("orders")
    assert not member.is_staff
    assert not member.is_superuser


def test_a_superuser_is_a_global_admin():
    assert [StaffUser(role=role).is_superuser for role in Role.values] == [True, False, False]
