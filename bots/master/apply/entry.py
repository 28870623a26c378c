"""The way in: strangers with an invite code, applicants, rejected and former masters."""

from __future__ import annotations

import re

from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm, guesses
from bots.buttons import tap
from bots.callbacks import on
from bots.master.apply import questions
from bots.screens import Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import DomainError, InvalidError
from fieldservice.runtime import registry
from finance.services import enrolment
from staff.enums import ModerationStatus
from staff.models import Master
from staff.selectors import draft_of, has_applied
from staff.services import onboarding

CODE = "m:code"
START = re.compile(r"/start(?:@\w+)?\s+(?:ref[_-]?)?([A-Za-z0-9]{6,8})\s*", re.IGNORECASE)


def entry(visit: Visit) -> Reply:
    """Where somebody who is no master (yet) stands: the open question, the state of the application, or the code."""
    payload = START.fullmatch(visit.incoming.text)
    code = payload[1] if payload else ""
    master = visit.person.master_row
    draft = draft_of(visit.person.tg_user_id)
    if master and not draft and has_applied(master):
        return Reply(standing(master))
    if len(code) == 6:
        return _with_code(visit, code, {})
    if draft and visit.incoming.text.startswith("/cancel"):
        return Reply(kept())
    if draft:
        return questions.ask(draft)
    return Reply(ask_code(), dialog=Dialog(CODE, {"referral": code} if len(code) == 8 else {}))


def standing(master: Master) -> Screen:
    """Where the application stands; a rejected or former master may apply again."""
    again = onboarding.may_reapply(master)
    rows = [[tap(_("📝 Apply again"), "m:onb:again")]] if again else []
    support = registry.get("support_contact")
    return page(
        "master/application.html", [*rows, [tap(_("🔄 Refresh"), "m:menu")]], master=master, support=support,
        rejected=master.moderation_status == ModerationStatus.REJECTED,
    )  # fmt: skip


def kept() -> Screen:
    """The answers wait; go on, or forget them."""
    rows = [[tap(_("▶️ Go on"), "m:menu")], [tap(_("🗑 Delete my answers"), "m:onb:drop")]]
    return page("apply/later.html", rows)


def ask_code() -> Screen:
    """The question for the invite code."""
    return page("apply/code.html", support=registry.get("support_contact"))


@fsm.step(CODE, ask=lambda visit: ask_code(), idle=7 * 24 * 3600, needs="apply")
def take_code(visit: Visit) -> Reply:
    """The invite code."""
    if not visit.incoming.text:
        raise InvalidError(_("An invite code is expected here: 6 Latin letters and digits."))
    return _with_code(visit, visit.incoming.text, {"referral": visit.answer("referral") or ""})


@on("m:onb:again", needs="apply")
def again(visit: Visit) -> Reply:
    """Apply again, with the answers of last time."""
    return questions.ask(enrolment.begin_again(tg_user_id=visit.person.tg_user_id))


def _with_code(visit: Visit, code: str, answers: dict[str, str]) -> Reply:
    tg_user_id = visit.person.tg_user_id
    dialog = Dialog(CODE, answers)
    if not guesses.may_try(tg_user_id):
        return Reply(ask_code().under(_("Too many wrong codes. Try again in an hour, please.")), dialog=dialog)
    try:
        draft = onboarding.begin(
            tg_user_id=tg_user_id, code=code, referral=answers.get("referral", ""), now=timezone.now()
        )
    except DomainError as error:
        guesses.failed(tg_user_id)
        known = draft_of(tg_user_id)
        reply = questions.ask(known) if known else Reply(ask_code(), dialog=dialog)
        assert reply.screen is not None
        return Reply(reply.screen.under(str(error)), dialog=reply.dialog)
    return questions.ask(draft)
