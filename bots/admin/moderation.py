"""Applications of masters: the card, the documents, approve, reject; and skills asked for later."""

from __future__ import annotations

from dataclasses import replace

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from bots import fsm
from bots.admin.menu import menu_button
from bots.buttons import back, pager, tap
from bots.callbacks import on
from bots.delivery import onscreen
from bots.media import Enclosure
from bots.screens import PAGE, Button, Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import ConflictError, InvalidError, NotFoundError, StaleError
from finance.models import Referral
from finance.services.enrolment import documents
from staff import scope
from staff.enums import ModerationStatus
from staff.models import Master, Skill, StaffUser
from staff.services import applications, form
from staff.services.moderation import audit

REASON = "adm:mod:reason"


def presets() -> dict[str, tuple[str, str]]:
    """Reasons that come up again and again: the button, and what the master reads."""
    return {
        "photo": (_("🪪 Passport unreadable"), _("The photo of the passport cannot be read: send a sharper one.")),
        "selfie": (_("🤳 Selfie unclear"), _("The selfie does not show your face clearly: send another one.")),
        "data": (_("✏️ Data do not agree"), _("Name or phone do not agree with the documents: correct them.")),
        "full": (_("🚫 No places"), _("We need no more masters in your city at the moment.")),
    }


@on("adm:mod", needs="master.moderate")
def queue(visit: Visit, number: int = 1) -> Reply:
    """Applications that wait, the oldest first."""
    number = max(number, 1)
    waiting = pending(visit.member).order_by("applied_at", "id").select_related("city")
    found = list(waiting[(number - 1) * PAGE : number * PAGE + 1])
    items, more = found[:PAGE], len(found) > PAGE
    rows = [[tap(master.full_name, "adm:mod:card", master.pk, number)] for master in items]
    rows.append(pager("adm:mod", number, number + more))
    if len(items) > 1:
        rows.append([tap(_("☑️ Several at once"), "adm:mod:many", number)])
    rows.append([tap(_("🎟 Invite a master"), "adm:inv"), menu_button()])
    return Reply(page("admin/applications.html", rows, masters=items, page=number))


@on("adm:mod:card", needs="master.moderate", back=lambda visit, master_id, number=1: queue(visit, number))
def card(visit: Visit, master_id: int, number: int = 1) -> Reply:
    """One application, or one master."""
    onscreen.opened(visit, master_id)
    return Reply(screen(visit.member, master_id, number))


@on("adm:mod:docs", needs="master.moderate", back=card)
def show_documents(visit: Visit, master_id: int, number: int = 1) -> Reply:
    """Passport and selfie, not to be saved or forwarded. Who looked at them is kept in the audit log."""
    onscreen.opened(visit, master_id)
    master = own(visit.member, master_id)
    names = {"passport": _("Passport"), "selfie": _("Selfie")}
    files = tuple(
        Enclosure(row.file_type, row.file_id, row.bot, row.file_name or "", secret=True,
                  caption=f"{names.get(row.document_type or '', _('Document'))}: {master.full_name}")
        for row in documents(master.pk)
    )  # fmt: skip
    if not files:
        raise NotFoundError(_("There are no documents."))
    audit("documents_viewed", actor=visit.actor, master_id=master.pk, count=len(files))
    return Reply(screen(visit.member, master_id, number), files=files)


@on(
    "adm:mod:ok",
    needs="master.moderate",
    back=lambda visit, master_id, _version, number=1: card(visit, master_id, number),
)
def approve(visit: Visit, master_id: int, version: int, number: int = 1) -> Reply:
    """The master may work."""
    onscreen.opened(visit, master_id)
    applications.approve(master_id=master_id, actor=visit.actor, now=timezone.now(), version=version)
    return Reply(screen(visit.member, master_id, number), toast=_("Approved: the master is told."))


@on(
    "adm:mod:no",
    needs="master.moderate",
    back=lambda visit, master_id, _version, number=1: card(visit, master_id, number),
)
def ask_reason(visit: Visit, master_id: int, version: int, number: int = 1) -> Reply:
    """Why? A preset, or in own words."""
    onscreen.opened(visit, master_id)
    master = own(visit.member, master_id)
    if not _waits(master):
        raise ConflictError(
            _("This application was decided already: %(status)s.") % {"status": master.get_moderation_status_display()}
        )
    data = {"master": master_id, "version": version, "number": number}
    return Reply(_reasons(visit, data), dialog=Dialog(REASON, data))


@on("adm:mod:no_yes", needs="master.moderate", back=lambda visit, master_id, *rest: card(visit, master_id))
def reject_preset(visit: Visit, master_id: int, version: int, preset: str, number: int = 1) -> Reply:
    """Rejected for a preset reason. It goes to the master in the office's language."""
    if preset not in presets():
        raise ConflictError(_("This button is out of date. Here is the menu."))
    return _reject(visit, master_id, version, presets()[preset][1], number)


@fsm.step(REASON, ask=lambda visit: _reasons(visit, visit.dialog.data if visit.dialog else {}), needs="master.moderate")
def take_reason(visit: Visit) -> Reply:
    """Rejected in own words."""
    if not visit.incoming.text:
        raise InvalidError(_("Write the reason, please: 3 to 200 characters."))
    master_id, number = visit.answer("master"), visit.answer("number")
    try:
        return _reject(visit, master_id, visit.answer("version"), visit.incoming.text, number)
    except (ConflictError, StaleError) as error:  # somebody was quicker: there is nothing to ask any more
        return replace(card(visit, master_id, number), toast=str(error))


@on("adm:mod:sk", needs="master.moderate", back=lambda visit, master_id, *rest: card(visit, master_id))
def decide_skills(visit: Visit, master_id: int, granted: int, total: int) -> Reply:
    """Skills asked for: granted (1) or not (0). `total`: what was shown, so that another wish is not granted unseen."""
    onscreen.opened(visit, master_id)
    master = own(visit.member, master_id)
    asked = applications.asked_skills(master)
    if asked and sum(asked) != total:
        raise ConflictError(_("The master asks for other skills now: look once more, please."))
    applications.decide_skills(
        master_id=master_id, granted=bool(granted), actor=visit.actor, now=timezone.now(), seen=asked or None
    )
    return Reply(screen(visit.member, master_id), toast=_("Decided: the master is told."))


def pending(member: StaffUser) -> QuerySet[Master]:
    """Applications the member may decide on."""
    return (
        scope.masters(member).filter(moderation_status=ModerationStatus.PENDING, is_deleted=False).exclude(full_name="")
    )


def own(member: StaffUser, master_id: int) -> Master:
    """A master of the member's cities. Raises NotFoundError."""
    master = scope.masters(member).select_related("city", "verified_by").filter(pk=master_id).first()
    if master is None:
        raise NotFoundError(_("There is no such master."))
    return master


def screen(member: StaffUser, master_id: int, number: int = 1) -> Screen:
    """The card with what can be decided now."""
    master = own(member, master_id)
    rows: list[list[Button]] = []
    if _waits(master):
        rows.append(decisions(master, number))
    asked = applications.asked_skills(master)
    if asked:
        rows.append(skill_decisions(master))
    shown = facts(master)
    if shown["documents"]:
        rows.append([tap(_("🪪 Documents"), "adm:mod:docs", master.pk, number)])
    rows.append([back("adm:mod", number), menu_button()])
    return page("admin/application.html", rows, **shown)


def facts(master: Master) -> dict[str, object]:
    """The application in words, with what the office should notice."""
    referral = Referral.objects.select_related("referrer").filter(master=master).first()
    same = Master.objects.filter(phone=master.phone, is_deleted=False).exclude(pk=master.pk)
    return {
        "master": master,
        "waits": _waits(master),
        "districts": list(master.districts.order_by("name")[:30]),
        "skills": list(master.skills.order_by("name")),
        "wanted": list(Skill.objects.filter(pk__in=applications.asked_skills(master)).order_by("name")),
        "inviter": referral.referrer if referral else None,
        "payout": form.show_payout(master.payout_method, master.payout_data),
        "same_phone": list(same[:3]) if master.phone else [],
        "documents": len(documents(master.pk)),
    }


def decisions(master: Master, number: int = 1) -> list[Button]:
    """Approve, reject: of this version of the application only."""
    return [
        tap(_("✅ Approve the master"), "adm:mod:ok", master.pk, master.version, number),
        tap(_("❌ Reject"), "adm:mod:no", master.pk, master.version, number),
    ]


def skill_decisions(master: Master) -> list[Button]:
    """Grant the skills asked for, or not."""
    total = sum(applications.asked_skills(master))
    return [
        tap(_("✅ Grant the skills"), "adm:mod:sk", master.pk, 1, total),
        tap(_("❌ Refuse"), "adm:mod:sk", master.pk, 0, total),
    ]


def _waits(master: Master) -> bool:
    return master.moderation_status == ModerationStatus.PENDING and bool(master.full_name)


def _reasons(visit: Visit, data: dict[str, int]) -> Screen:
    master = own(visit.member, data["master"])
    rest = (master.pk, data["version"])
    rows = [[tap(text, "adm:mod:no_yes", *rest, name, data["number"])] for name, (text, _reason) in presets().items()]
    rows.append([tap(_("Cancel"), "adm:mod:card", master.pk, data["number"])])
    return page("admin/reject.html", rows, master=master)


def _reject(visit: Visit, master_id: int, version: int, reason: str, number: int) -> Reply:
    own(visit.member, master_id)
    applications.reject(master_id=master_id, reason=reason, actor=visit.actor, now=timezone.now(), version=version)
    return Reply(screen(visit.member, master_id, number), toast=_("Rejected: the master is told why."))
