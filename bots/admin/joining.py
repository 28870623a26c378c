"""The way in for new staff: an access code, consent, name and phone."""

from __future__ import annotations

import re

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm, guesses
from bots.buttons import tap
from bots.callbacks import on
from bots.screens import Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import ConflictError, DomainError, InvalidError
from fieldservice.lib.fields import parse_client_name
from fieldservice.lib.phones import parse_phone
from fieldservice.runtime import registry
from staff.services import access_codes

GUEST = "guest"
CODE, CONSENT, NAME, PHONE, CHECK = (f"adm:join:{name}" for name in ("code", "consent", "name", "phone", "check"))
START = re.compile(r"/start(?:@\w+)?\s+([A-Za-z0-9]{8})\s*")


def entry(visit: Visit) -> Reply:
    """A stranger: with a code from the link, or asked for one; who is in the middle goes on."""
    payload = START.fullmatch(visit.incoming.text)
    if payload:
        return _with_code(visit, payload[1])
    if visit.dialog and visit.dialog.step in fsm.STEPS and not visit.incoming.text.startswith("/cancel"):
        return Reply(fsm.STEPS[visit.dialog.step].ask(visit), dialog=visit.dialog)
    return Reply(_ask_code(visit), dialog=Dialog(CODE))


@fsm.step(CODE, ask=lambda visit: _ask_code(visit), needs=GUEST)
def take_code(visit: Visit) -> Reply:
    """The access code."""
    if not visit.incoming.text:
        raise InvalidError(_("An access code is expected here: 8 Latin letters and digits."))
    return _with_code(visit, visit.incoming.text)


@on("adm:join:yes", needs=GUEST)
def consent(visit: Visit) -> Reply:
    """The person agrees."""
    if not visit.dialog or visit.dialog.step != CONSENT:
        return entry(visit)
    return Reply(_ask_name(visit), dialog=Dialog(NAME, visit.dialog.data))


@fsm.step(CONSENT, ask=lambda visit: _ask_consent(visit), needs=GUEST)
def take_consent(visit: Visit) -> Reply:
    """Only the button counts."""
    raise InvalidError(_("Press «I agree» to go on, please."))


@fsm.step(NAME, ask=lambda visit: _ask_name(visit), needs=GUEST)
def take_name(visit: Visit) -> Reply:
    """Surname and name."""
    name = parse_client_name(visit.incoming.text)
    assert visit.dialog is not None
    return Reply(_ask_phone(visit), dialog=Dialog(PHONE, visit.dialog.data | {"name": name}))


@fsm.step(PHONE, ask=lambda visit: _ask_phone(visit), needs=GUEST)
def take_phone(visit: Visit) -> Reply:
    """The own number."""
    assert visit.dialog is not None
    data = visit.dialog.data | {"phone": parse_phone(visit.incoming.phone or visit.incoming.text)}
    return Reply(_ask_check(data), dialog=Dialog(CHECK, data))


@fsm.step(CHECK, ask=lambda visit: _ask_check(visit.dialog.data if visit.dialog else {}), needs=GUEST)
def take_check(visit: Visit) -> Reply:
    """Only the buttons count."""
    raise InvalidError(_("Use the buttons below, please."))


@on("adm:join:again", needs=GUEST)
def again(visit: Visit) -> Reply:
    """Name and phone once more."""
    if not visit.dialog or visit.dialog.step != CHECK:
        return entry(visit)
    return Reply(_ask_name(visit), dialog=Dialog(NAME, visit.dialog.data))


@on("adm:join:ok", needs=GUEST)
def join(visit: Visit) -> Reply:
    """Everything is right: the person is a staff member from now on."""
    if not visit.dialog or visit.dialog.step != CHECK:
        return entry(visit)
    data = visit.dialog.data
    try:
        access_codes.use(text=data["code"], tg_user_id=visit.person.tg_user_id, full_name=data["name"],
                         phone=data["phone"], now=timezone.now())  # fmt: skip
    except ConflictError:
        raise
    except DomainError as error:  # somebody else was quicker, or it was revoked
        return Reply(_ask_code(visit).under(str(error)), dialog=Dialog(CODE))
    return Reply(page("admin/joined.html", [[tap(_("🏠 Menu"), "adm:menu")]]))


def _with_code(visit: Visit, text: str) -> Reply:
    tg_user_id = visit.person.tg_user_id
    if not guesses.may_try(tg_user_id):
        sentence = _("Too many wrong codes. Try again in an hour, please.")
        return Reply(_ask_code(visit).under(sentence), dialog=Dialog(CODE))
    try:
        code = access_codes.check(text, now=timezone.now())
    except DomainError as error:
        guesses.failed(tg_user_id)
        return Reply(_ask_code(visit).under(str(error)), dialog=Dialog(CODE))
    data = {"code": code.code}
    return Reply(_consent_screen(), dialog=Dialog(CONSENT, data))


def _ask_code(visit: Visit) -> Screen:
    return page("admin/join_code.html")


def _ask_consent(visit: Visit) -> Screen:
    return _consent_screen()


def _consent_screen() -> Screen:
    rows = [[tap(_("✅ I agree"), "adm:join:yes")]]
    return page("admin/join_consent.html", rows, company=registry.get("company_name"))


def _ask_name(visit: Visit) -> Screen:
    return page("admin/join_name.html")


def _ask_phone(visit: Visit) -> Screen:
    return page("admin/join_phone.html")


def _ask_check(data: dict[str, str]) -> Screen:
    rows = [[tap(_("✅ Everything is right"), "adm:join:ok")], [tap(_("✏️ Correct"), "adm:join:again")]]
    return page("admin/join_check.html", rows, name=data.get("name", ""), phone=data.get("phone", ""))
