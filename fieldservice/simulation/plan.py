"""What is simulated: the size of the company and how its people behave. Nothing else decides a day."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from random import Random
from typing import Any

from fieldservice.lib.errors import InvalidError
from fieldservice.runtime import registry

#: short names of settings on the command line
SHORT = {
    "rounds": "distribution_rounds",
    "sla": "distribution_sla_seconds",
    "tick": "distribution_tick_seconds",
    "limit": "max_active_orders",
    "citywide": "citywide_fallback",
    "admin_after": "escalate_to_admin_after_min",
}


class BadPlan(ValueError):
    """A sentence for who typed the command."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Shares are from 0 to 1; `accept` + `decline` + `ignore` are weights, they need not add up to 1."""

    cities: int = 4
    districts: int = 4
    masters: int = 100
    orders_per_hour: float = 50.0
    hours: float = 10.0
    seed: int = 1
    #: 2.0: everybody drives and works twice as fast
    speed: float = 1.0
    accept: float = 0.6
    decline: float = 0.2
    ignore: float = 0.2
    #: commissions paid in time; the others are paid after the deadline, when their master is blocked already
    pay: float = 0.9
    #: minutes until staff act on an escalated order; 0: never
    staff_after: float = 5.0
    cancel: float = 0.02
    returned: float = 0.01
    no_district: float = 0.02
    #: hours after the last order of the last city
    evening: float = 2.0
    #: settings of the product, by their registry names
    settings: dict[str, str] = field(default_factory=dict)

    def check(self) -> Plan:
        """Itself. Raises BadPlan."""
        for name in ("cities", "districts", "masters", "orders_per_hour", "hours", "speed"):
            if getattr(self, name) <= 0:
                raise BadPlan(f"{name} must be more than 0.")
        if self.staff_after < 0 or not 0 <= self.evening <= 12:
            raise BadPlan("staff_after must not be less than 0, evening must be from 0 to 12 hours.")
        for name in ("accept", "decline", "ignore", "pay", "cancel", "returned", "no_district"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadPlan(f"{name} must be from 0 to 1.")
        if self.accept + self.decline + self.ignore == 0:
            raise BadPlan("one of accept, decline and ignore must be more than 0.")
        if self.orders_per_hour * self.hours > 20_000 or self.hours > 14:
            raise BadPlan("a day has at most 14 hours and 20000 orders.")
        return self

    def changed(self, text: str) -> Plan:
        """This plan with `NAME=VALUE`: a value of the plan, or a setting of the product. Raises BadPlan."""
        name, sign, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not sign:
            raise BadPlan(f"{text}: NAME=VALUE is expected.")
        if name in NUMBERS:
            return replace(self, **{name: _number(NUMBERS[name], value, text)}).check()
        key = SHORT.get(name, name)
        if key not in registry.KEYS:
            names = ", ".join([*NUMBERS, *SHORT, "or a key of the settings table"])
            raise BadPlan(f"{name}: unknown; expected one of {names}.")
        try:
            registry.KEYS[key].parse(value)
        except InvalidError as error:
            raise BadPlan(str(error)) from error
        return replace(self, settings=self.settings | {key: value.strip()})

    def chance(self, *key: Any) -> Random:
        """Chance that belongs to one question: the same answer in every run, whatever else is decided differently."""
        return Random("/".join(map(str, (self.seed, *key))))


NUMBERS: dict[str, type] = {
    f.name: {"int": int, "float": float}[str(f.type)] for f in fields(Plan) if f.type != "dict[str, str]"
}


def _number(kind: type, value: str, text: str) -> Any:
    try:
        return kind(value)
    except ValueError as error:
        raise BadPlan(f"{text}: a number is expected.") from error
