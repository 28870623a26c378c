"""The optional geocoder: Yandex by key, or a Nominatim by its address, behind geopy.

Slow and limited by its nature, so never to be asked inside a transaction or while a person waits. Answers are kept for
14 days, "there is no such address", too: coordinates, provider and confidence, never the provider's words.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.utils import timezone
from geopy.adapters import URLLibAdapter
from geopy.exc import GeopyError
from geopy.geocoders import Nominatim, Yandex

from fieldservice.lib.errors import InvalidError
from fieldservice.lib.localtime import zone
from fieldservice.lib.point import Point, distance_km, make_point
from fieldservice.runtime import registry
from geo.models import GeoCache, GeocoderUsage
from geo.services.locate import Located

TIMEOUT = 5  # seconds
TTL = timedelta(days=14)
PATIENCE = timedelta(seconds=20)
FAR_KM = 150  # from the centre of the city: the answer is about another town of that name
USER_AGENT = "fieldservice/1.2"
#: Yandex's `precision` → confidence; whatever is not named is no better than the centre of the city
PRECISION = {"exact": 95, "number": 90, "near": 85, "range": 85, "street": 80}
#: what comes of an answer that is not as documented: other names and kinds, numbers of 400 digits, an unknown charset,
#: a thousand brackets
UNREADABLE = (
    InvalidError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError
)  # fmt: skip
log = logging.getLogger(__name__)


class NotNow(Exception):
    """The provider does not answer, or too many are asking: try again later."""


class Exhausted(Exception):
    """No more questions today, or none at all: the settings are wrong, or the day's limit is reached."""


@dataclass(frozen=True, slots=True)
class Provider:
    """The geocoder of the settings."""

    name: str
    per_second: int
    daily_limit: int
    ask: Callable[[str], tuple[Point, int] | None]


@dataclass(frozen=True, slots=True)
class Address:
    """What the provider is told: no flat, no person."""

    city: str
    street: str
    house: str = ""

    def __str__(self) -> str:
        return ", ".join(part for part in ("Россия", self.city, self.street, self.house) if part)

    @property
    def key(self) -> str:
        """Of the cache: at most 255 characters."""
        text = f"{self.city}, {self.street}, {self.house}".lower()
        return text if len(text) <= 255 else f"{text[:200]} {hashlib.sha256(text.encode()).hexdigest()[:40]}"


def is_on() -> bool:
    """Whether the settings name a geocoder that can be asked."""
    return _provider() is not None


def ask(address: Address, *, near: Point | None, now: datetime | None = None) -> Located | None:
    """Where the address is; None if the provider does not know it. Takes up to 25 s.

    `near`: the centre of the city; an answer 150 km away is none. Raises NotNow, Exhausted.
    """
    provider, now = _provider(), now or timezone.now()
    if provider is None:
        raise Exhausted("off")
    kept = GeoCache.objects.filter(pk=address.key, provider=provider.name, created_at__gt=now - TTL).first()
    if kept is None:
        _wait_for_turn(provider, now)
        kept = _keep(address, provider, _asked(provider, address, near))
    if kept.lat is None or kept.lon is None:
        return None
    return Located(Point(kept.lat, kept.lon), provider.name, kept.confidence or 0)


def forget_old(*, now: datetime) -> int:
    """Delete answers older than 14 days, and the counters of long ago."""
    GeocoderUsage.objects.filter(day__lt=(now - timedelta(days=90)).date()).delete()
    return GeoCache.objects.filter(created_at__lte=now - TTL).delete()[0]


def _provider() -> Provider | None:
    read = registry.read(
        ["geo_mode", "yandex_geocoder_key", "yandex_throttle_rps", "yandex_daily_limit", "nominatim_url",
         "nominatim_throttle_rps", "nominatim_daily_limit"]
    )  # fmt: skip
    mode, answer = read["geo_mode"], {"yandex": _ask_yandex, "nominatim": _ask_nominatim}
    where = read["yandex_geocoder_key"] if mode == "yandex" else read["nominatim_url"]
    if mode not in answer or not where.strip():
        return None
    limits = read[f"{mode}_throttle_rps"], read[f"{mode}_daily_limit"]
    return Provider(mode, *limits, ask=partial(answer[mode], where.strip()))


def _asked(provider: Provider, address: Address, near: Point | None) -> tuple[Point, int] | None:
    try:
        found = provider.ask(str(address))
    except (GeopyError, OSError) as error:
        # the name of the error only: its text may hold the key, the address, the provider's page
        log.warning("geocode_fail", extra={"provider": provider.name, "reason": type(error).__name__})
        raise NotNow from error
    except UNREADABLE as error:
        log.warning("geocode_fail", extra={"provider": provider.name, "reason": "unreadable"})
        raise NotNow from error
    if found and near is not None and distance_km(found[0], near) > FAR_KM:
        return None
    return found


def _keep(address: Address, provider: Provider, found: tuple[Point, int] | None) -> GeoCache:
    point, confidence = found or (None, None)
    values = {"lat": point and point.lat, "lon": point and point.lon, "provider": provider.name,
              "confidence": confidence, "created_at": timezone.now()}  # fmt: skip
    return GeoCache.objects.update_or_create(query=address.key, defaults=values)[0]


def _wait_for_turn(provider: Provider, now: datetime) -> None:
    """One row a day counts the questions and says when the next may be asked, for all processes, in one statement.

    The first question of a day waits for those of the day before that still have theirs to come.
    """
    if provider.daily_limit < 1:
        raise Exhausted("limit")
    gap, day = timedelta(seconds=1 / provider.per_second), now.astimezone(zone(None)).date()
    values: dict[str, Any] = {"provider": provider.name, "day": day, "now": now, "gap": gap,
                              "limit": provider.daily_limit, "patience": PATIENCE}  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO geocoder_usage AS u (provider, day, asked, next_at)
               SELECT %(provider)s, %(day)s, 1, greatest(max(next_at), %(now)s) + %(gap)s
                 FROM geocoder_usage WHERE provider = %(provider)s AND day < %(day)s
               ON CONFLICT (provider, day) DO UPDATE
                  SET asked = u.asked + 1, next_at = greatest(u.next_at, %(now)s) + %(gap)s
                WHERE u.asked < %(limit)s AND u.next_at < %(now)s + %(patience)s
            RETURNING next_at - %(gap)s""",
            values,
        )
        row = cursor.fetchone()
    if row is None:
        used = GeocoderUsage.objects.filter(provider=provider.name, day=day, asked__gte=provider.daily_limit)
        if used.exists():
            log.warning("geocode_fail", extra={"provider": provider.name, "reason": "daily_limit"})
            raise Exhausted("limit")
        raise NotNow
    time.sleep(max(0.0, (row[0] - now).total_seconds()))


def _ask_yandex(key: str, text: str) -> tuple[Point, int] | None:
    url = urlsplit(settings.YANDEX_GEOCODER_URL)
    geocoder = Yandex(
        key, scheme=url.scheme, domain=url.netloc, timeout=TIMEOUT, user_agent=USER_AGENT, adapter_factory=URLLibAdapter
    )
    found = geocoder.geocode(text, lang="ru_RU")
    if found is None:
        return None
    meta = found.raw.get("metaDataProperty", {}).get("GeocoderMetaData", {})
    return make_point(found.latitude, found.longitude), PRECISION.get(meta.get("precision"), 40)


def _ask_nominatim(address: str, text: str) -> tuple[Point, int] | None:
    url = urlsplit(address)
    geocoder = Nominatim(
        scheme=url.scheme, domain=url.netloc + url.path.rstrip("/"), timeout=TIMEOUT, user_agent=USER_AGENT,
        adapter_factory=URLLibAdapter,
    )  # fmt: skip
    found = geocoder.geocode(text, country_codes="ru", addressdetails=True, language="ru")
    if found is None:
        return None
    parts: dict[str, Any] = found.raw.get("address") or {}
    confidence = 95 if "house_number" in parts else 80 if "road" in parts else 40
    return make_point(found.latitude, found.longitude), confidence
