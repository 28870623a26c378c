"""The typed settings registry: every key, its type, range and default (spec §4, §13).

A stored value that is broken or out of range never stops anything: the default is used and a warning is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as env
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fieldservice.lib.actor import Actor
from fieldservice.lib.clean import clean
from fieldservice.lib.clock import parse_clock
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.money import round_money
from fieldservice.runtime.models import Setting

log = logging.getLogger(__name__)
TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


def _bool(raw: str) -> bool:
    word = raw.strip().lower()
    if word not in TRUE | FALSE:
        raise ValueError(raw)
    return word in TRUE


def _decimal(raw: str) -> Decimal:
    value = Decimal(raw.strip())
    if not value.is_finite() or round_money(value) != value:  # NaN cannot even be compared with a limit
        raise ValueError(raw)
    return value


def _url(raw: str) -> str:
    url = urlsplit(raw.strip())
    if raw.strip() and (url.scheme not in {"http", "https"} or not url.hostname or url.query or url.port == 0):
        raise ValueError(raw)
    return raw.strip()


CONVERT: dict[str, Callable[[str], Any]] = {
    "INT": int,
    "DECIMAL": _decimal,
    "BOOL": _bool,
    "STR": str,
    "TIME": parse_clock,
    "URL": _url,
}


@dataclass(frozen=True, slots=True)
class Key:
    """One setting. `default` is called at every read, so that the environment decides; limits are inclusive.

    `choices`: the words it takes. `secret`: shown to nobody once it is stored.
    """

    name: str
    type: str
    default: Callable[[], Any]
    label: Any
    low: Any = None
    high: Any = None
    choices: tuple[str, ...] = ()
    secret: bool = False

    def parse(self, raw: str) -> Any:
        """The typed value of `raw`. Raises InvalidError with a sentence that names the range."""
        try:
            value = CONVERT[self.type](raw)
        except (ValueError, InvalidOperation) as error:
            raise InvalidError({self.name: self._expected()}) from error
        if self.choices and value not in self.choices:
            raise InvalidError({self.name: self._expected()})
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise InvalidError({self.name: self._expected()})
        return value

    def _expected(self) -> str:
        limits = {"label": self.label, "low": self.low, "high": self.high}
        if self.type == "INT":
            return _("%(label)s: a whole number from %(low)s to %(high)s is expected.") % limits
        if self.type == "DECIMAL":
            return _("%(label)s: a number from %(low)s to %(high)s is expected.") % limits
        if self.choices:
            return _("%(label)s: one of %(names)s is expected.") % {
                "label": self.label,
                "names": ", ".join(self.choices),
            }
        if self.type == "URL":
            return _("%(label)s: an address like https://geo.example.com is expected.") % {"label": self.label}
        if self.type == "TIME":
            return _("%(label)s: a time like 10:00 is expected.") % {"label": self.label}
        return _("%(label)s: yes or no is expected.") % {"label": self.label}


def _env(name: str) -> Callable[[], Any]:
    return lambda: getattr(env, name)


def _chat(name: str) -> Callable[[], int]:
    return lambda: getattr(env, name) or 0


_t = gettext_lazy
KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        Key(
            "distribution_tick_seconds",
            "INT",
            _env("DISTRIBUTION_TICK_SECONDS"),
            _t("Dispatch: seconds between ticks"),
            1,
            600,
        ),
        Key(
            "distribution_sla_seconds",
            "INT",
            _env("DISTRIBUTION_SLA_SECONDS"),
            _t("Dispatch: seconds to answer an offer"),
            5,
            3600,
        ),
        Key("distribution_rounds", "INT", _env("DISTRIBUTION_ROUNDS"), _t("Dispatch: rounds"), 1, 20),
        Key("offers_per_round", "INT", lambda: 1, _t("Dispatch: offers per round"), 1, 10),
        Key(
            "escalate_to_admin_after_min", "INT", lambda: 10, _t("Dispatch: minutes until an admin is alerted"), 0, 1440
        ),
        Key("max_active_orders", "INT", lambda: 5, _t("Active orders per master"), 0, 50),
        Key("distribution_log_topn", "INT", lambda: 10, _t("Dispatch: candidates in the log"), 0, 50),
        Key("decision_log_days", "INT", lambda: 14, _t("Dispatch: days the decision log is kept"), 1, 365),
        Key("citywide_fallback", "BOOL", lambda: True, _t("Dispatch: whole city when the district is empty")),
        Key("working_hours_start", "TIME", _env("WORKDAY_START"), _t("Working window from")),
        Key("working_hours_end", "TIME", _env("WORKDAY_END"), _t("Working window to")),
        Key("asap_late_threshold", "TIME", _env("ASAP_LATE_THRESHOLD"), _t("ASAP is too late from")),
        Key(
            "guarantee_company_payment",
            "DECIMAL",
            _env("GUARANTEE_COMPANY_PAYMENT"),
            _t("Guarantee: paid by the company"),
            0,
            100000,
        ),
        Key("guarantee_days", "INT", lambda: 14, _t("Guarantee: days after closing"), 0, 365),
        Key(
            "commission_deadline_hours",
            "INT",
            _env("COMMISSION_DEADLINE_HOURS"),
            _t("Commission: hours to pay"),
            1,
            168,
        ),
        Key("commission_percent_default", "INT", lambda: 50, _t("Commission: percent"), 0, 100),
        Key(
            "commission_percent_high_volume",
            "INT",
            lambda: 40,
            _t("Commission: percent for a high average check"),
            0,
            100,
        ),
        Key(
            "commission_high_volume_threshold",
            "INT",
            lambda: 7000,
            _t("Commission: high average check from"),
            0,
            1000000,
        ),
        Key(
            "commission_reminder_first_min",
            "INT",
            lambda: 60,
            _t("Commission: first reminder, minutes before the deadline (0: none)"),
            0,
            1440,
        ),
        Key(
            "commission_reminder_last_min",
            "INT",
            lambda: 15,
            _t("Commission: last reminder, minutes before the deadline (0: none)"),
            0,
            1440,
        ),
        Key(
            "commission_report_alert_min",
            "INT",
            lambda: 180,
            _t("Commission: minutes a reported payment may wait before admins are alerted"),
            5,
            10080,
        ),
        Key("referral_payout_min", "DECIMAL", lambda: Decimal(1), _t("Referrals: smallest payout"), 0, 100000),
        Key("export_keep_hours", "INT", lambda: 24, _t("Exports: hours a file is kept"), 1, 720),
        Key(
            "access_code_ttl_hours",
            "INT",
            _env("ACCESS_CODE_TTL_HOURS"),
            _t("Access codes: hours they are valid"),
            1,
            720,
        ),
        Key("alerts_channel_id", "INT", _chat("ALERTS_CHANNEL_ID"), _t("ALERTS channel"), -(10**15), 10**15),
        Key("logs_channel_id", "INT", _chat("LOGS_CHANNEL_ID"), _t("LOGS channel"), -(10**15), 10**15),
        Key("reports_channel_id", "INT", _chat("REPORTS_CHANNEL_ID"), _t("REPORTS channel"), -(10**15), 10**15),
        Key("company_name", "STR", lambda: "Field Service", _t("Company name, as in the consent of masters")),
        Key("support_faq_url", "STR", lambda: "", _t("Address of questions and answers for masters")),
        Key(
            "geo_mode",
            "STR",
            lambda: "local_centroids",
            _t("Coordinates: who is asked"),
            choices=("local_centroids", "yandex", "nominatim"),
        ),
        Key("yandex_geocoder_key", "STR", lambda: "", _t("Yandex geocoder: key"), secret=True),
        Key("yandex_throttle_rps", "INT", lambda: 1, _t("Yandex geocoder: questions a second"), 1, 50),
        Key("yandex_daily_limit", "INT", lambda: 1000, _t("Yandex geocoder: questions a day"), 0, 1000000),
        Key("nominatim_url", "URL", lambda: "", _t("Nominatim: address of the server")),
        Key("nominatim_throttle_rps", "INT", lambda: 1, _t("Nominatim: questions a second"), 1, 100),
        Key("nominatim_daily_limit", "INT", lambda: 1000, _t("Nominatim: questions a day"), 0, 1000000),
        Key("web_url", "URL", _env("WEB_URL"), _t("Address of the web admin, for links in messages")),
        Key("support_contact", "STR", lambda: "", _t("Support contact shown to masters")),
    )
}


def read(names: Iterable[str]) -> dict[str, Any]:
    """The current values of `names`, in one query. An unknown name is a KeyError."""
    wanted = list(names)
    stored = dict(Setting.objects.filter(key__in=wanted).values_list("key", "value"))
    return {name: _value(KEYS[name], stored.get(name)) for name in wanted}


def typed(name: str, stored: str | None) -> Any:
    """The value of a setting whose stored text was read by the caller (None: there is no row)."""
    return _value(KEYS[name], stored)


def is_secret(name: str) -> bool:
    """Whether the stored value is for programs only, and shown to nobody."""
    return name in KEYS and KEYS[name].secret


def get(name: str) -> Any:
    """The current value of one setting."""
    return read([name])[name]


def write(name: str, raw: str, *, actor: Actor) -> Any:
    """Store a value; returns it typed. Raises InvalidError for an unknown key or a value out of range."""
    if name not in KEYS:
        raise InvalidError({"key": _("There is no setting called %(name)s.") % {"name": name}})
    raw = clean(raw)
    value = KEYS[name].parse(raw)
    Setting.objects.update_or_create(
        key=name, defaults={"value": raw, "value_type": KEYS[name].type, "updated_by_staff_id": actor.staff_id}
    )
    return value


def check_together(changes: Mapping[str, str]) -> None:
    """What is right alone and wrong together: a working day that ends before it begins would be ignored, and one that
    is late from the start would send every "as soon as possible" to tomorrow.

    `changes` are texts by setting, empty for the default; what is not changed is read. Raises InvalidError by setting.
    """
    start, end, late = names = ("working_hours_start", "working_hours_end", "asap_late_threshold")
    if not {*names} & changes.keys():
        return
    now = read(names) | {name: _value(KEYS[name], changes[name]) for name in names if name in changes}
    for after, sentence in (
        (end, _("The working day must begin before it ends (now %(other)s).")),
        (late, _("The working day must begin before “as soon as possible” is too late (now %(other)s).")),
    ):
        if {start, after} & changes.keys() and now[start] >= now[after]:
            name, other = (start, after) if start in changes else (after, start)
            raise InvalidError({name: sentence % {"other": f"{now[other]:%H:%M}"}})


def _value(key: Key, raw: str | None) -> Any:
    if raw is None or not raw.strip():
        return key.default()
    try:
        return key.parse(raw)
    except InvalidError:
        log.warning("setting_ignored", extra={"key": key.name})
        return key.default()
