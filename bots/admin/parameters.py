"""Settings: typed, with ranges; a change works at once and is kept in the audit log. For GLOBAL_ADMINs."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots import fsm
from bots.admin.menu import menu_button
from bots.buttons import back, tap
from bots.callbacks import on
from bots.screens import Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import InvalidError, NotFoundError
from fieldservice.runtime import registry
from fieldservice.runtime.models import Setting
from staff.services import parameters

STEP = "adm:set:value"
#: name → how its keys begin; what fits none is under «other»
GROUPS = {
    "time": (gettext_lazy("🕒 Working day"), ("working_", "asap_")),
    "dispatch": (
        gettext_lazy("🤖 Dispatch"),
        ("distribution_", "offers_", "escalate_", "max_active", "decision_", "citywide"),
    ),
    "guarantee": (gettext_lazy("🛡 Guarantee"), ("guarantee_",)),
    "money": (gettext_lazy("💳 Commissions"), ("commission_", "referral_")),
    "channels": (gettext_lazy("📣 Channels"), ("alerts_", "logs_", "reports_")),
    "other": (gettext_lazy("⚙️ Other"), ()),
}
LONGEST = 200


@on("adm:set", needs="settings")
def menu(visit: Visit) -> Reply:
    """Groups of settings."""
    rows = [[tap(str(title), "adm:set:group", name)] for name, (title, _starts) in GROUPS.items()]
    return Reply(page("admin/settings.html", [*rows, [menu_button()]]))


@on("adm:set:group", needs="settings", back=lambda visit, name: menu(visit))
def group(visit: Visit, name: str) -> Reply:
    """The settings of a group with their values."""
    if name not in GROUPS:
        return menu(visit)
    return Reply(_group(name))


@on("adm:set:edit", needs="settings", back=lambda visit, key: menu(visit))
def edit(visit: Visit, key: str) -> Reply:
    """Another value?"""
    data = {"key": _key(key).name}
    return Reply(_question(key), dialog=Dialog(STEP, data))


@fsm.step(STEP, ask=lambda visit: _question(visit.answer("key")), needs="settings")
def take_value(visit: Visit) -> Reply:
    """The value, checked by its type and range."""
    text = visit.incoming.text
    if not text or len(text) > LONGEST:
        raise InvalidError(_("Type the value, please: up to 200 characters."))
    return _save(visit, visit.answer("key"), text)


@on("adm:set:to", needs="settings", back=lambda visit, key, value: edit(visit, key))
def choose(visit: Visit, key: str, value: str) -> Reply:
    """Yes or no, or one of the words the setting takes."""
    return _save(visit, _key(key).name, value)


@on("adm:set:reset", needs="settings", back=edit)
def reset(visit: Visit, key: str) -> Reply:
    """The default again."""
    parameters.reset(name=_key(key).name, actor=visit.actor)
    return Reply(_group(_group_of(key)), toast=_("The default holds again."))


def _save(visit: Visit, name: str, text: str) -> Reply:
    parameters.change(texts={_key(name).name: text}, actor=visit.actor)
    return Reply(_group(_group_of(name)), toast=_("Saved: it holds at once."))


def _key(name: str) -> registry.Key:
    key = registry.KEYS.get(name)
    if key is None:
        raise NotFoundError(_("There is no setting called %(name)s.") % {"name": name})
    return key


def _group_of(name: str) -> str:
    return next((group for group, (_title, starts) in GROUPS.items() if name.startswith(starts or ("?",))), "other")


def _group(name: str) -> Screen:
    keys = [key for key in registry.KEYS.values() if _group_of(key.name) == name]
    values, own = registry.read([key.name for key in keys]), _own([key.name for key in keys])
    shown = [(place, key, _shown(key, values[key.name]), key.name in own) for place, key in enumerate(keys, 1)]
    buttons = [tap(f"✏️ {place}", "adm:set:edit", key.name) for place, key, *_rest in shown]
    rows = [buttons[at : at + 5] for at in range(0, len(buttons), 5)]
    return page(
        "admin/settings_group.html", [*rows, [back("adm:set"), menu_button()]], title=GROUPS[name][0], keys=shown
    )


def _own(names: list[str]) -> set[str]:
    return set(Setting.objects.filter(key__in=names).values_list("key", flat=True))


def _question(name: str) -> Screen:
    key = _key(name)
    rows = []
    if key.type == "BOOL":
        rows.append([tap(_("Yes"), "adm:set:to", name, "yes"), tap(_("No"), "adm:set:to", name, "no")])
    if key.choices:
        rows.append([tap(choice, "adm:set:to", name, choice) for choice in key.choices])
    if _own([name]):
        rows.append(
            [tap(_("♻️ Default: %(value)s") % {"value": _shown(key, key.default())[:30]}, "adm:set:reset", name)]
        )
    rows.append([back("adm:set:group", _group_of(name)), menu_button()])
    return page("admin/setting.html", rows, key=key, value=_shown(key, registry.get(name)), expected=_expected(key))


def _expected(key: registry.Key) -> str:
    """What is to be typed, with the range."""
    if key.name.endswith("_channel_id"):
        return _("the number of the channel in Telegram, 0 for none")
    kind = {"INT": _("a whole number"), "DECIMAL": _("a number"), "TIME": _("a time like 10:00"),
            "BOOL": _("yes or no"), "URL": _("an address like https://desk.example.org"),
            "STR": _("a text")}[key.type]  # fmt: skip
    if key.choices:
        kind = _("one of the words below")
    if key.low is None:
        return kind
    return _("%(kind)s from %(low)s to %(high)s") % {"kind": kind, "low": key.low, "high": key.high}


def _shown(key: registry.Key, value: object) -> str:
    if key.secret:
        return "***" if value else "—"
    if key.type == "BOOL":
        return _("yes") if value else _("no")
    if key.name.endswith("_channel_id") and not value:
        return "—"
    if key.type == "TIME":
        return f"{value:%H:%M}"
    return "—" if value in ("", None) else str(value)
