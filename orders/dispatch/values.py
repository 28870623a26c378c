"""The values dispatch thinks in: plain, frozen, free of the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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

    @property
    def bar(self) -> int:
        """Its number in the column `City.bars`; 0 there means: may work."""
        return tuple(LeftOut).index(self) + 1


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


class DueOrder(NamedTuple):
    """An order the engine looks at; a row of `snapshot.CLAIM`."""

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
    #: masters asked in this search
    asked: Sequence[int] = ()
    live_until: datetime | None = None
    escalated: bool = False


class Candidate(NamedTuple):
    """A master with what he is ranked by, best first: vehicle, 7-day average check in kopecks, rating."""

    id: int
    vehicle: bool = False
    average: int = 0
    rating: float = 5.0

    @property
    def worth(self) -> int:
        """The ranking values in one number that compares as they do; `snapshot.WORTH` says the same in SQL."""
        return (self.vehicle << 47) + (min(max(self.average, 0), 2**40 - 1) << 7) + min(round(self.rating * 10), 127)

    @classmethod
    def of(cls, master_id: int, worth: int) -> Candidate:
        """The candidate whose `worth` this is."""
        return cls(master_id, bool(worth >> 47), worth >> 7 & 2**40 - 1, (worth & 127) / 10)


@dataclass(frozen=True, slots=True)
class City:
    """The masters of one city in columns, by ascending id. Place n of every column and bit n of every mask is one man.

    Columns and masks, because a batch reads every master of its cities and looks closely at a handful of them.
    """

    id: int
    ids: Sequence[int] = ()
    #: `Candidate.worth`
    worth: Sequence[int] = ()
    #: places left for orders; above 0 wherever `bars` is 0
    free: Sequence[int] = ()
    #: what keeps him from any order now: `LeftOut.bar`, or 0
    bars: bytes = b""
    #: category → who has the skill
    skills: Mapping[str, int] = field(default_factory=dict)
    #: district → who serves it
    districts: Mapping[int, int] = field(default_factory=dict)

    def names(self, mask: int) -> tuple[int, ...]:
        """The ids of the masters in a mask, ascending."""
        return tuple(self.ids[place] for place in places(mask))


def places(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set, ascending."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything `decide` may know. Orders come most urgent first."""

    orders: tuple[DueOrder, ...]
    cities: Mapping[int, City]
    #: categories with an active skill
    categories: frozenset[str]


@dataclass(slots=True)  # not frozen: a thousand of them are made in a batch
class Decision:
    """What is written, logged, shown to staff and counted. Nobody changes it."""

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
    #: candidates of the pool who were asked before in this search, and those without a free place at that moment
    asked: int = 0
    full: int = 0

    @property
    def left_out(self) -> dict[LeftOut, int]:
        """Why the other masters of the city were no candidates: reason → mask."""
        if self.pool is None:
            return {}
        found = dict(self.pool.left_out)
        for reason, mask in ((LeftOut.ASKED, self.asked), (LeftOut.LIMIT, self.full & ~self.asked)):
            found[reason] = found.get(reason, 0) | mask
        chosen = self.pool.city.mask(m.id for m in self.masters)
        return {reason: mask & ~chosen for reason, mask in found.items() if mask & ~chosen}

    @property
    def left_out_ids(self) -> dict[LeftOut, tuple[int, ...]]:
        """`left_out` with ids."""
        return {reason: self.pool.city.names(mask) for reason, mask in self.left_out.items()} if self.pool else {}
