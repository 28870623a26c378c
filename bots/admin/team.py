"""The office: who belongs to it, roles and cities, access codes. For GLOBAL_ADMINs."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm, names
from bots.admin.menu import menu_button
from bots.buttons import back, page_of, pager, tap
from bots.callbacks import on
from bots.screens import PAGE, Button, Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import ConflictError, InvalidError, NotFoundError
from geo.models import City
from geo.selectors.places import search_cities
from staff.enums import Role
from staff.models import StaffAccessCode, StaffUser
from staff.services import access_codes, team

RIGHT = "staff"
CITIES = "adm:st:cities"
COLUMNS = 2


@on("adm:st", needs=RIGHT)
def menu(visit: Visit) -> Reply:
    """How many of which role."""
    counts = {role: StaffUser.objects.filter(role=role, is_active=True).count() for role in Role.values}
    rows = [[tap(f"{Role(role).label} ({count})", "adm:st:list", role)] for role, count in counts.items()]
    off = StaffUser.objects.filter(is_active=False).count()
    rows.append([tap(_("🚫 Switched off (%(count)s)") % {"count": off}, "adm:st:list", "off")])
    rows += [[tap(_("➕ New access code"), "adm:st:new"), tap(_("🎟 Codes"), "adm:st:codes")], [menu_button()]]
    return Reply(page("admin/team.html", rows))


@on("adm:st:list", needs=RIGHT, back=lambda visit, role, number=1: menu(visit))
def members(visit: Visit, role: str, number: int = 1) -> Reply:
    """Members of a role, or those who are switched off."""
    rows_ = StaffUser.objects.filter(is_active=False)
    role = role if role in Role.values else "off"
    if role in Role.values:
        rows_ = StaffUser.objects.filter(role=role, is_active=True)
    number = max(number, 1)
    found = list(rows_.prefetch_related("cities").order_by("full_name", "id")[(number - 1) * PAGE : number * PAGE + 1])
    items, more = found[:PAGE], len(found) > PAGE
    rows = [[tap(str(member), "adm:st:card", member.pk)] for member in items]
    rows += [pager("adm:st:list", number, number + more, role), [back("adm:st"), menu_button()]]
    title = Role(role).label if role in Role.values else _("Switched off")
    return Reply(page("admin/team_list.html", rows, members=items, title=title, page=number))


@on("adm:st:card", needs=RIGHT, back=lambda visit, member_id: menu(visit))
def card(visit: Visit, member_id: int) -> Reply:
    """One member."""
    return Reply(_card(visit, member_id))


@on("adm:st:role", needs=RIGHT, back=card)
def choose_role(visit: Visit, member_id: int) -> Reply:
    """Which role?"""
    member = _member(member_id)
    rows = [[tap(str(label), "adm:st:role:to", member.pk, role)] for role, label in Role.choices if role != member.role]
    return Reply(page("admin/team_role.html", [*rows, [back("adm:st:card", member.pk)]], member=member))


@on("adm:st:role:to", needs=RIGHT, back=lambda visit, member_id, role: card(visit, member_id))
def ask_role(visit: Visit, member_id: int, role: str) -> Reply:
    """A city role asks for its cities; a global admin only for a confirmation."""
    member = _member(member_id)
    if role not in Role.values:
        return choose_role(visit, member_id)
    if role == Role.GLOBAL_ADMIN:
        yes = tap(_("Yes, everything, in all cities"), "adm:st:role:ok", member.pk)
        rows = [[yes], [tap(_("No"), "adm:st:card", member.pk)]]
        return Reply(page("admin/team_global.html", rows, member=member))
    chosen = list(member.cities.values_list("pk", flat=True))
    return _cities(visit, {"member": member.pk, "role": role, "chosen": chosen})


@on("adm:st:role:ok", needs=RIGHT, back=card)
def make_global(visit: Visit, member_id: int) -> Reply:
    """A GLOBAL_ADMIN more."""
    team.set_role(member_id=member_id, role=Role.GLOBAL_ADMIN, city_ids=(), actor=visit.actor)
    return Reply(_card(visit, member_id), toast=_("Saved: it holds at once."))


@on("adm:st:own", needs=RIGHT, back=card)
def choose_cities(visit: Visit, member_id: int) -> Reply:
    """Other cities, same role."""
    member = _member(member_id)
    if member.role == Role.GLOBAL_ADMIN:
        raise ConflictError(_("A global admin sees all cities."))
    chosen = list(member.cities.values_list("pk", flat=True))
    return _cities(visit, {"member": member.pk, "role": str(member.role), "chosen": chosen})


@on("adm:st:off", needs=RIGHT, back=card)
def ask_off(visit: Visit, member_id: int) -> Reply:
    """Really?"""
    member = _member(member_id)
    rows = [[tap(_("Yes, switch off"), "adm:st:off:ok", member.pk), tap(_("No"), "adm:st:card", member.pk)]]
    return Reply(page("admin/team_off.html", rows, member=member))


@on("adm:st:off:ok", needs=RIGHT, back=card)
def switch_off(visit: Visit, member_id: int) -> Reply:
    """From the next tap on, the member is a stranger."""
    team.set_active(member_id=member_id, active=False, actor=visit.actor)
    return Reply(_card(visit, member_id), toast=_("Switched off: it holds at once."))


@on("adm:st:on", needs=RIGHT, back=card)
def switch_on(visit: Visit, member_id: int) -> Reply:
    """In again, with the role and cities of before."""
    team.set_active(member_id=member_id, active=True, actor=visit.actor)
    return Reply(_card(visit, member_id), toast=_("Switched on: the person is told."))


@on("adm:st:new", needs=RIGHT)
def new_code(visit: Visit) -> Reply:
    """For which role?"""
    rows = [[tap(str(label), "adm:st:new:as", role)] for role, label in Role.choices]
    return Reply(page("admin/code_role.html", [*rows, [back("adm:st"), menu_button()]]))


@on("adm:st:new:as", needs=RIGHT)
def new_code_as(visit: Visit, role: str) -> Reply:
    """A global admin needs no cities; the others choose some first."""
    if role not in Role.values:
        return new_code(visit)
    if role == Role.GLOBAL_ADMIN:
        return _issued(visit, access_codes.issue(actor=visit.actor, role=role, now=timezone.now()))
    return _cities(visit, {"member": 0, "role": role, "chosen": []})


@on("adm:st:c", needs=RIGHT)
def toggle(visit: Visit, city_id: int, number: int = 1) -> Reply:
    """This city, or not."""
    data = _data(visit)
    chosen = set(data["chosen"])
    if City.objects.filter(pk=city_id).exists():
        chosen ^= {city_id}
    return _cities(visit, data | {"chosen": sorted(chosen)}, number)


@on("adm:st:cp", needs=RIGHT)
def turn(visit: Visit, number: int) -> Reply:
    """Another page of cities."""
    return _cities(visit, _data(visit), number)


@fsm.step(CITIES, ask=lambda visit: _picker(_data(visit), 1), needs=RIGHT)
def find_city(visit: Visit) -> Reply:
    """A part of a name; the only city like it is chosen."""
    found = search_cities(visit.incoming.text) if visit.incoming.text else []
    if not found:
        raise InvalidError(_("There is no such city. Type a part of its name, or choose it."))
    data = _data(visit)
    if len(found) == 1:
        return _cities(visit, data | {"chosen": sorted({*data["chosen"], found[0].pk}), "typed": ""})
    return _cities(visit, data | {"typed": visit.incoming.text})


@on("adm:st:done", needs=RIGHT)
def save_cities(visit: Visit) -> Reply:
    """The cities are chosen: for a member, or for a new code."""
    data = _data(visit)
    if not data["chosen"]:
        return Reply(_picker(data, 1), toast=_("Choose at least one city."), alert=True, dialog=Dialog(CITIES, data))
    if not data["member"]:
        made = access_codes.issue(actor=visit.actor, role=data["role"], city_ids=data["chosen"], now=timezone.now())
        return _issued(visit, made)
    team.set_role(member_id=data["member"], role=data["role"], city_ids=data["chosen"], actor=visit.actor)
    return Reply(_card(visit, data["member"]), toast=_("Saved: it holds at once."))


@on("adm:st:codes", needs=RIGHT)
def codes(visit: Visit, number: int = 1) -> Reply:
    """Access codes, newest first, with what became of them."""
    number, now = max(number, 1), timezone.now()
    rows_ = StaffAccessCode.objects.select_related("used_by_staff").prefetch_related("cities").order_by("-id")
    found = list(rows_[(number - 1) * PAGE : number * PAGE + 1])
    items, more = found[:PAGE], len(found) > PAGE
    rows = [
        [tap(_("Open code #%(id)s") % {"id": code.pk}, "adm:st:code", code.pk)]
        for code in items
        if access_codes.state(code, now=now) == "active"
    ]
    rows += [pager("adm:st:codes", number, number + more), [back("adm:st"), menu_button()]]
    listed = [(code, access_codes.state(code, now=now)) for code in items]
    return Reply(page("admin/codes.html", rows, codes=listed, page=number))


@on("adm:st:code", needs=RIGHT, back=lambda visit, code_id: codes(visit))
def code(visit: Visit, code_id: int) -> Reply:
    """One code."""
    found = StaffAccessCode.objects.filter(pk=code_id).first()
    if found is None:
        raise NotFoundError(_("There is no such access code."))
    return _issued(visit, found)


@on("adm:st:code:off", needs=RIGHT, back=code)
def revoke(visit: Visit, code_id: int) -> Reply:
    """Nobody can use it any more."""
    access_codes.revoke(code_id=code_id, actor=visit.actor, now=timezone.now())
    return Reply(codes(visit).screen, toast=_("The code is revoked."))


def _issued(visit: Visit, row: StaffAccessCode) -> Reply:
    state, link = access_codes.state(row, now=timezone.now()), names.link("admin", row.code)
    rows: list[list[Button]] = []
    if state == "active":
        rows.append([Button(_("📋 Code"), copy=row.code)] + ([Button(_("📋 Link"), copy=link)] if link else []))
        rows.append([tap(_("🚫 Revoke"), "adm:st:code:off", row.pk)])
    rows.append([back("adm:st:codes"), menu_button()])
    cities = list(row.cities.order_by("name"))
    return Reply(page("admin/code.html", rows, code=row, state=state, link=link, cities=cities))


def _card(visit: Visit, member_id: int) -> Screen:
    member = _member(member_id)
    rows = [[tap(_("🎓 Role"), "adm:st:role", member.pk)]]
    if member.role != Role.GLOBAL_ADMIN:
        rows[0].append(tap(_("🏙 Cities"), "adm:st:own", member.pk))
    if not member.is_active:
        rows.append([tap(_("✅ Switch on"), "adm:st:on", member.pk)])
    elif member.pk != visit.member.pk:
        rows.append([tap(_("🚫 Switch off"), "adm:st:off", member.pk)])
    rows.append([back("adm:st:list", str(member.role) if member.is_active else "off"), menu_button()])
    return page("admin/team_card.html", rows, member=member, cities=list(member.cities.order_by("name")))


def _member(member_id: int) -> StaffUser:
    member = StaffUser.objects.filter(pk=member_id).first()
    if member is None:
        raise NotFoundError(_("There is no such staff member."))
    return member


def _data(visit: Visit) -> dict[str, Any]:
    if not visit.dialog or visit.dialog.step != CITIES:
        raise ConflictError(_("This form is over: begin a new one, please."))
    return visit.dialog.data


def _cities(visit: Visit, data: dict[str, Any], number: int = 1) -> Reply:
    return Reply(_picker(data, number), dialog=Dialog(CITIES, data))


def _picker(data: dict[str, Any], number: int) -> Screen:
    found = search_cities(data.get("typed", ""))
    shown, number, pages = page_of(found, number, COLUMNS)
    chosen = set(data["chosen"])
    buttons = [tap(("☑️ " if c.pk in chosen else "▫️ ") + c.name, "adm:st:c", c.pk, number) for c in shown]
    rows = [buttons[at : at + COLUMNS] for at in range(0, len(buttons), COLUMNS)]
    way_out = back("adm:st:card", data["member"]) if data["member"] else back("adm:st")
    rows += [pager("adm:st:cp", number, pages), [tap(_("💾 Done (%(count)s)") % {"count": len(chosen)}, "adm:st:done")]]
    names_ = ", ".join(City.objects.filter(pk__in=chosen).order_by("name").values_list("name", flat=True))
    role = Role(data["role"]).label
    return page("admin/team_cities.html", [*rows, [way_out, menu_button()]], names=names_, role=role)
