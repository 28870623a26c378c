"""The questions of an application: one screen each, with a progress bar; the last one is the summary."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from bots.buttons import COLUMNS, in_columns, page_of, pager, tap, ticks
from bots.screens import Button, Key, Screen, page
from bots.visit import Dialog, Reply
from fieldservice.runtime import registry
from geo.models import City, District
from geo.names import in_order
from staff.enums import PayoutMethod
from staff.models import MasterDraft, Skill
from staff.selectors import inviter_by_code
from staff.services import form, onboarding

STEP = "m:onb"
#: field → its number; what belongs together has one
NUMBERS = {
    "consent": 1, "last_name": 2, "first_name": 3, "middle_name": 4, "phone": 5, "referral": 6, "city": 7,
    "districts": 8, "vehicle": 9, "plate": 9, "skills": 10, "passport": 11, "selfie": 12, "payout_method": 13,
    "payout": 14, "bank": 14, "home": 15, onboarding.SUMMARY: 16,
}  # fmt: skip
CELLS = 10


def ask(draft: MasterDraft, *, number: int = 1, toast: str = "", cities: list[City] | None = None) -> Reply:
    """The question that is open now, and the dialog that waits for its answer."""
    return Reply(screen(draft, number=number, cities=cities), toast=toast, dialog=Dialog(STEP))


def screen(draft: MasterDraft, *, number: int = 1, cities: list[City] | None = None) -> Screen:
    """The open question. `number`: the page of a list; `cities`: what was found."""
    field = onboarding.question(draft)
    if field == onboarding.SUMMARY:
        return summary(draft)
    keys = _keys(draft, field)
    rows = [] if keys else [*_rows(draft, field, number, cities), _leave(draft)]
    context: dict[str, Any] = {"field": field, "draft": draft, "data": draft.data, "editing": bool(draft.editing)}
    context |= progress(field) | {"cities": cities, "company": registry.get("company_name")}
    screen = page("apply/question.html", rows, **context)
    return Screen(screen.text, keys=keys) if keys else screen


def progress(field: str) -> dict[str, Any]:
    """The progress bar's values."""
    step, steps = NUMBERS[field], len(set(NUMBERS.values()))
    done = CELLS * (step - 1) // (steps - 1)
    return {"step": step, "steps": steps, "bar": "▰" * done + "▱" * (CELLS - done)}


def summary(draft: MasterDraft) -> Screen:
    """Everything that was answered, to be sent or changed."""
    rows = [
        [tap(_("📨 Send the application"), "m:onb:send")],
        [tap(_("✏️ Change"), "m:onb:change"), tap(_("⏸ Later"), "m:onb:later")],
    ]
    return page("apply/summary.html", rows, **facts(draft), **progress(onboarding.SUMMARY))


def change(draft: MasterDraft) -> Screen:
    """Which answer?"""
    names = titles()
    buttons = [tap(names[field], "m:onb:edit", field) for field in onboarding.editable(draft)]
    rows = [buttons[at : at + COLUMNS] for at in range(0, len(buttons), COLUMNS)]
    return page("apply/change.html", [*rows, [tap(_("‹ Back"), "m:menu")]])


def titles() -> dict[str, str]:
    """What the fields are called."""
    return {
        "last_name": _("Surname"), "first_name": _("First name"), "middle_name": _("Patronymic"),
        "phone": _("Phone"), "referral": _("Referral code"), "city": _("City"), "districts": _("Districts"),
        "vehicle": _("Vehicle"), "plate": _("Licence plate"), "skills": _("Skills"), "passport": _("Passport"),
        "selfie": _("Selfie"), "payout_method": _("Payout method"), "payout": _("Payout details"),
        "home": _("Home"),
    }  # fmt: skip


def facts(draft: MasterDraft) -> dict[str, Any]:
    """The answers in words."""
    data = draft.data
    inviter = inviter_by_code(data["referral"]) if data.get("referral") else None
    return {
        "data": data,
        "city": City.objects.filter(pk=data["city"]).first(),
        "districts": list(District.objects.filter(pk__in=data["districts"]).order_by("name")),
        "skills": list(Skill.objects.filter(pk__in=data["skills"]).order_by("name")),
        "inviter": inviter,
        "payout": form.show_payout(data["payout_method"], data["payout"]),
    }


def _keys(draft: MasterDraft, field: str) -> tuple[Key, ...]:
    leave = (Key(keep_word()),) if draft.editing else ()
    if field == "phone":
        return (Key(_("📱 Send my number"), shares="phone"), *leave)
    if field == "home":
        return (Key(_("📍 Send where I am"), shares="place"), Key(skip_word()), *leave)
    return ()


def skip_word() -> str:
    """What the key that skips a question sends."""
    return _("Skip")


def keep_word() -> str:
    """What leaves the answer that is being changed as it is: a button, or what the key sends."""
    return _("↩️ Leave as it is")


def _leave(draft: MasterDraft) -> list[Button]:
    if draft.editing:
        return [tap(keep_word(), "m:onb:keep")]
    return [tap(_("⏸ Later"), "m:onb:later")]


def _rows(draft: MasterDraft, field: str, number: int, cities: list[City] | None) -> list[list[Button]]:
    if field == "consent":
        return [[tap(_("✅ I agree"), "m:onb:set", field, "yes"), tap(_("❌ I do not agree"), "m:onb:no")]]
    if field in ("middle_name", "referral", "plate"):
        return [[tap(_("Skip"), "m:onb:set", field, "-")]]
    if field == "city":
        return _cities(cities, number)
    if field in ("districts", "skills"):
        return _ticks(draft, field, number)
    if field == "vehicle":
        return [[tap(_("🚗 Yes"), "m:onb:set", field, "yes"), tap(_("🚶 No"), "m:onb:set", field, "no")]]
    if field == "payout_method":
        return [[tap(str(method.label), "m:onb:set", field, method.value)] for method in PayoutMethod]
    if field == "bank":
        names = {code: name or _("Another bank") for code, name in form.BANKS.items()}
        return in_columns([tap(name, "m:onb:set", field, code) for code, name in names.items()])
    return []


def _cities(found: list[City] | None, number: int) -> list[list[Button]]:
    if found is None:
        return [[tap(_("📋 All cities"), "m:onb:cities")]]
    shown, number, pages = page_of(found, number, COLUMNS)
    rows = in_columns([tap(city.name, "m:onb:city", city.pk) for city in shown])
    return [*rows, pager("m:onb:cities", number, pages) if pages > 1 else [tap(_("📋 All cities"), "m:onb:cities")]]


def _ticks(draft: MasterDraft, field: str, number: int) -> list[list[Button]]:
    picked = onboarding.ticked(draft, field)
    rows = (
        Skill.objects.filter(is_active=True)
        if field == "skills"
        else District.objects.filter(city_id=draft.data["city"])
    )
    done = tap(_("✅ Done (%(count)s)") % {"count": len(picked)}, "m:onb:done", field)
    return [*ticks(in_order(rows), picked, number, path="m:onb:tick", before=(field,)), [done]]
