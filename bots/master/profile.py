"""The profile: what the company knows of the master, and what he may change."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm
from bots.buttons import back, in_columns, tap, ticks
from bots.callbacks import on
from bots.master.apply.answers import own_phone
from bots.master.menu import menu_button
from bots.screens import Key, Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import ConflictError, InvalidError
from fieldservice.runtime import registry
from geo.models import District
from geo.names import in_order
from staff.enums import PayoutMethod
from staff.models import Master, Skill
from staff.services import applications, form, profile

PHONE, TICKS, PLATE, PAYOUT = "m:pf:phone", "m:pf:ticks", "m:pf:plate", "m:pf:payout"


@on("m:pf", needs="approved")
def view(visit: Visit) -> Reply:
    """Everything, with the ways to change it."""
    master = Master.objects.select_related("city").get(pk=visit.master.pk)
    districts = in_order(master.districts.all())
    rows = [
        [tap(_("📱 Phone"), "m:pf:ph"), tap(_("🚗 Vehicle"), "m:pf:v")],
        [tap(_("🔧 Skills"), "m:pf:t", "skills", 1)],
        [tap(_("💳 Payout"), "m:pf:pay"), menu_button()],
    ]
    if District.objects.filter(city_id=master.city_id or 0).exists():
        rows[1].append(tap(_("📍 Districts"), "m:pf:t", "districts", 1))
    limit = master.max_active_orders_override
    context = {
        "master": master,
        "districts": districts[:30],
        "skills": in_order(master.skills.filter(is_active=True)),
        "wanted": in_order(Skill.objects.filter(pk__in=applications.asked_skills(master))),
        "payout": form.show_payout(master.payout_method, master.payout_data),
        "limit": registry.get("max_active_orders") if limit is None else limit,
    }
    return Reply(page("master/profile.html", rows, **context))


def _view(visit: Visit, *args: Any) -> Reply:
    return view(visit)


@on("m:pf:ph", needs="approved", back=_view)
def ask_phone(visit: Visit) -> Reply:
    """Another phone."""
    return Reply(_phone_screen(visit), dialog=Dialog(PHONE))


def _phone_screen(visit: Visit) -> Screen:
    text = page("master/profile_ask.html", what="phone", master=visit.master).text
    return Screen(text, keys=(Key(_("📱 Send my number"), shares="phone"), Key(_("Cancel"))))


@fsm.step(PHONE, ask=_phone_screen, needs="approved")
def take_phone(visit: Visit) -> Reply:
    """The number, by the key or as a text."""
    if visit.incoming.text == _("Cancel"):
        return view(visit)
    profile.set_phone(master_id=visit.master.pk, phone=own_phone(visit.incoming), actor=visit.actor)
    return Reply(view(visit).screen, toast=_("Saved."))


@on("m:pf:t", needs="approved", back=_view)
def ask_ticks(visit: Visit, what: str, number: int = 1) -> Reply:
    """Which districts, which skills?"""
    return _ticking(visit, _what(what), _present(visit, what), number)


@on("m:pf:tick", needs="approved", back=_view)
def tick(visit: Visit, what: str, choice: int, number: int) -> Reply:
    """One of them, on or off; 0 only turns the page."""
    picked = _picked(visit, _what(what))
    if choice:
        picked = [one for one in picked if one != choice] if choice in picked else [*picked, choice]
    return _ticking(visit, what, picked, number)


@on("m:pf:ok", needs="approved", back=_view)
def save_ticks(visit: Visit, what: str) -> Reply:
    """Done ticking."""
    picked, master_id = _picked(visit, _what(what)), visit.master.pk
    if what == "districts":
        profile.set_districts(master_id=master_id, district_ids=picked, actor=visit.actor)
        return Reply(view(visit).screen, toast=_("Saved."))
    changed = profile.set_skills(master_id=master_id, skill_ids=picked, actor=visit.actor, now=timezone.now())
    waits = _("Saved. The office checks the new skills; you will get a message.")
    return Reply(view(visit).screen, toast=waits if changed.skills_wanted else _("Saved."))


@fsm.step(TICKS, ask=lambda visit: _ticks_screen(visit, visit.answer("what"), _picked(visit, visit.answer("what")), 1),
          needs="approved")  # fmt: skip
def take_nothing(visit: Visit) -> Reply:
    """Ticks are made by buttons."""
    raise InvalidError(_("Use the buttons below, please."))


@on("m:pf:v", needs="approved", back=_view)
def ask_vehicle(visit: Visit) -> Reply:
    """With or without a vehicle?"""
    rows = [[tap(_("🚗 Yes"), "m:pf:v:yes"), tap(_("🚶 No"), "m:pf:v:no")], [back("m:pf")]]
    return Reply(page("master/profile_ask.html", rows, what="vehicle", master=visit.master))


@on("m:pf:v:no", needs="approved", back=_view)
def no_vehicle(visit: Visit) -> Reply:
    """Without."""
    profile.set_vehicle(master_id=visit.master.pk, has_vehicle=False, plate="", actor=visit.actor)
    return Reply(view(visit).screen, toast=_("Saved."))


@on("m:pf:v:yes", needs="approved", back=_view)
def ask_plate(visit: Visit) -> Reply:
    """With: which licence plate?"""
    return Reply(_plate_screen(visit), dialog=Dialog(PLATE))


@on("m:pf:v:skip", needs="approved", back=_view)
def no_plate(visit: Visit) -> Reply:
    """With a vehicle, without a plate."""
    profile.set_vehicle(master_id=visit.master.pk, has_vehicle=True, plate="", actor=visit.actor)
    return Reply(view(visit).screen, toast=_("Saved."))


def _plate_screen(visit: Visit) -> Screen:
    rows = [[tap(_("Skip"), "m:pf:v:skip"), back("m:pf")]]
    return page("master/profile_ask.html", rows, what="plate", master=visit.master)


@fsm.step(PLATE, ask=_plate_screen, needs="approved")
def take_plate(visit: Visit) -> Reply:
    """The licence plate."""
    plate = _text(visit)
    profile.set_vehicle(master_id=visit.master.pk, has_vehicle=True, plate=plate, actor=visit.actor)
    return Reply(view(visit).screen, toast=_("Saved."))


@on("m:pf:pay", needs="approved", back=_view)
def ask_method(visit: Visit) -> Reply:
    """How are rewards paid?"""
    rows = [[tap(str(method.label), "m:pf:pay:by", method.value)] for method in PayoutMethod]
    return Reply(page("master/profile_ask.html", [*rows, [back("m:pf")]], what="method", master=visit.master))


@on("m:pf:pay:by", needs="approved", back=lambda visit, method: ask_method(visit))
def choose_method(visit: Visit, method: str) -> Reply:
    """The method; cash needs no details."""
    if method == PayoutMethod.CASH:
        return _save_payout(visit, method, {})
    if method not in PayoutMethod.values:
        raise InvalidError(_("Choose from the list, please."))
    return Reply(_payout_screen(visit, method), dialog=Dialog(PAYOUT, {"method": method}))


def _payout_screen(visit: Visit, method: str = "") -> Screen:
    method = method or visit.answer("method")
    if visit.answer("details"):
        names = {code: name or _("Another bank") for code, name in form.BANKS.items()}
        rows = in_columns([tap(name, "m:pf:pay:bank", code) for code, name in names.items()])
        return page("master/profile_ask.html", [*rows, [back("m:pf:pay")]], what="bank", master=visit.master)
    return page("master/profile_ask.html", [[back("m:pf:pay")]], what="payout", method=method, master=visit.master)


@fsm.step(PAYOUT, ask=_payout_screen, needs="approved")
def take_payout(visit: Visit) -> Reply:
    """The details; SBP is asked for its bank besides."""
    if visit.answer("details"):
        raise InvalidError(_("Use the buttons below, please."))
    method = str(visit.answer("method"))
    details = form.payout(method, _text(visit))
    if method != PayoutMethod.SBP:
        return _save_payout(visit, method, details)
    dialog = Dialog(PAYOUT, {"method": method, "details": details})
    asked = Visit(visit.person, dialog, visit.chat_id, visit.message_id, visit.incoming)
    return Reply(_payout_screen(asked), dialog=dialog)


@on("m:pf:pay:bank", needs="approved", back=lambda visit, bank: ask_method(visit))
def choose_bank(visit: Visit, bank: str) -> Reply:
    """The bank of SBP."""
    details = visit.answer("details")
    if bank not in form.BANKS or not details:
        raise ConflictError(_("This button is out of date: choose the payout method again, please."))
    return _save_payout(visit, PayoutMethod.SBP, {**details, "sbp_bank": form.BANKS[bank]})


def _save_payout(visit: Visit, method: str, details: dict[str, str]) -> Reply:
    profile.set_payout(master_id=visit.master.pk, method=method, details=details, actor=visit.actor)
    return Reply(view(visit).screen, toast=_("Saved."))


def _what(what: str) -> str:
    if what not in ("districts", "skills"):
        raise ConflictError(_("This button is out of date. Here is the menu."))
    return what


def _present(visit: Visit, what: str) -> list[int]:
    """What is ticked at the beginning; skills already asked for, too."""
    if what == "districts":
        return list(visit.master.districts.values_list("pk", flat=True))
    has = list(visit.master.skills.filter(is_active=True).values_list("pk", flat=True))
    return has + [pk for pk in applications.asked_skills(visit.master) if pk not in has]


def _picked(visit: Visit, what: str) -> list[int]:
    mine = visit.dialog and visit.dialog.step == TICKS and visit.answer("what") == what
    return list(visit.answer("ids") or []) if mine else _present(visit, what)


def _ticking(visit: Visit, what: str, picked: list[int], number: int) -> Reply:
    return Reply(_ticks_screen(visit, what, picked, number), dialog=Dialog(TICKS, {"what": what, "ids": picked}))


def _ticks_screen(visit: Visit, what: str, picked: list[int], number: int) -> Screen:
    offered = Skill.objects.filter(is_active=True) if what == "skills" else None
    items: list[Any] = in_order(offered if offered is not None else visit.master.city.district_set.all())  # type: ignore[union-attr]
    rows = ticks(items, picked, number, path="m:pf:tick", before=(what,))
    done = tap(_("✅ Done (%(count)s)") % {"count": len(picked)}, "m:pf:ok", what)
    return page("master/profile_ask.html", [*rows, [done, back("m:pf")]], what=what, master=visit.master)


def _text(visit: Visit) -> str:
    if not visit.incoming.text:
        raise InvalidError(_("A text is expected here."))
    return visit.incoming.text
