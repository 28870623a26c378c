"""The values dispatch thinks in: plain, frozen, free of the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from orders.dispatch.pools import Pool


class Outcome(StrEnum):
    """What was decided about one due order."""

    OFFERED = "offered"
    WAITING = "waiting"  # a live offer is out
    NO_CANDIDATES = "no_candidates"
    ROUNDS_USED_UP = "rounds_exhausted"
    NO_DISTRICT = "no_district"
    NO_CATEGORY = "no_category"

    @property
    def escalates(self) -> bool:
        """Whether staff must be told."""
        return self not in {Outcome.OFFERED, Outcome.WAITING}


class LeftOut(StrEnum):
    """Why a master of the city is no candidate; the first that applies."""

    NOT_VERIFIED = "not_verified"
    INACTIVE = "inactive"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    OFF_SHIFT = "off_shift"
    ON_BREAK = "break"
    SKILL = "skill"
    DISTRICT = "district"
    LIMIT = "limit"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Config:
    """The parameters one tick runs under, read once (spec §4)."""

    sla_seconds: int = 120
    rounds: int = 2
    offers_per_round: int = 1
    max_active_orders: int = 5
    citywide_fallback: bool = True
    tick_seconds: int = 30
    escalate_to_admin_after_min: int = 10
    log_topn: int = 10


@dataclass(frozen=True, slots=True)
class DueOrder:
    """An order the engine looks at."""

    id: int
    city_id: int
    district_id: int | None
    category: str
    status: str
    search_number: int = 1
    round: int = 0
    rounds_limit: int | None = None
    guarantee: bool = False
    preferred_master_id: int | None = None
    asked: frozenset[int] = frozenset()
    live_until: datetime | None = None
    escalated: bool = False


class Candidate(NamedTuple):
    """A master of an involved city. `bar` is what keeps him from any order now; `free` counts places left.

    A tuple, because a batch makes one of every master of its cities.
    """

    id: int
    city_id: int
    vehicle: bool = False
    average: int = 0  # 7-day average check, kopecks
    rating: float = 5.0
    free: int = 1
    bar: LeftOut | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything `decide` may know. Orders come most urgent first."""

    orders: tuple[DueOrder, ...]
    masters: tuple[Candidate, ...]
    with_skill: Mapping[str, frozenset[int]]  # category → masters; a category that is missing has no active skill
    in_district: Mapping[int, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is written, logged, shown to staff and counted."""

    order: DueOrder
    outcome: Outcome
    masters: tuple[Candidate, ...] = ()
    round: int = 0
    rounds_limit: int = 0
    candidates: int = 0
    top: tuple[Candidate, ...] = ()
    citywide: bool = False
    #: when to look next; None: not before somebody acts
    look_at: datetime | None = None
    #: where the candidates came from; None: nobody was looked for
    pool: Pool | None = field(default=None, compare=False)
    #: candidates of the pool without a free place at that moment
    full: frozenset[int] = frozenset()

    @property
    def asked(self) -> frozenset[int]:
        """Candidates of the pool who were asked before in this search."""
        return self.pool.ids & self.order.asked if self.pool else frozenset()

    @property
    def left_out(self) -> dict[LeftOut, tuple[int, ...]]:
        """Why the other masters of the city were no candidates: reason → masters, in no special order."""
        if self.pool is None:
            return {}
        found = dict(self.pool.left_out)
        for reason, ids in ((LeftOut.ASKED, self.asked), (LeftOut.LIMIT, self.full - self.asked)):
            found[reason] = found.get(reason, frozenset()) | ids
        chosen = {master.id for master in self.masters}
        return {reason: tuple(sorted(ids - chosen)) for reason, ids in found.items() if ids - chosen}
