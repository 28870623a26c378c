"""An application, answer by answer: kept in PostgreSQL, so that it survives restarts and is the same on two phones.

The field asked next is the first one without an answer: a new city drops the districts, and they are asked again.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fieldservice.lib.errors import ConflictError, InvalidError, NotFoundError
from fieldservice.lib.fields import parse_code, parse_name, parse_patronymic
from fieldservice.lib.phones import parse_phone
from geo.models import City, District
from staff.enums import ModerationStatus, PayoutMethod
from staff.models import Master, MasterDraft, Skill
from staff.selectors import draft_of, has_applied, inviter_by_code, master_by_tg
from staff.services import form, invites

#: the version of the text people consent to: a new text is consented to anew
CONSENT = "2025-11"
IDLE = timedelta(days=30)
FIELDS = (
    "consent", "last_name", "first_name", "middle_name", "phone", "referral", "city", "districts", "vehicle", "plate",
    "skills", "passport", "selfie", "payout_method", "payout", "bank", "home",
)  # fmt: skip
SUMMARY = "summary"
#: what falls with a changed answer
DEPENDENT = {"city": ("districts",), "vehicle": ("plate",), "payout_method": ("payout", "bank"), "payout": ("bank",)}
#: pages of a document
PAGES = 10


def question(draft: MasterDraft) -> str:
    """The field that is asked now; `summary` when all are answered."""
    if draft.editing:
        return draft.editing
    return next((field for field in FIELDS if field not in draft.data), SUMMARY)


@transaction.atomic
def begin(*, tg_user_id: int, code: str, now: datetime, referral: str = "") -> MasterDraft:
    """A newcomer with an invite code begins, or goes on with another code. Raises InvalidError for a bad code.

    `referral`: the code of who sent them here; a wrong one is asked for in its turn.
    """
    _refuse_members(master_by_tg(tg_user_id))
    invite = invites.check(code, now=now)
    draft = MasterDraft.objects.select_for_update().filter(tg_user_id=tg_user_id).first()
    draft = draft or MasterDraft(tg_user_id=tg_user_id)
    draft.invite = invite
    if invite.city_id and draft.data.get("city") != invite.city_id:
        _set(draft, "city", invite.city_id)
    if referral and "referral" not in draft.data:
        with suppress(InvalidError):
            _set(draft, "referral", _referral(draft, referral))
    draft.save()
    return draft


@transaction.atomic
def reapply(*, tg_user_id: int, prefilled: dict[str, Any]) -> MasterDraft:
    """A rejected or deleted master applies again, with the answers of last time; `prefilled`: documents, inviter."""
    master = master_by_tg(tg_user_id)
    if master is None or not (has_applied(master) and may_reapply(master)):
        raise ConflictError(_("There is nothing to apply for again."))
    draft = draft_of(tg_user_id)
    if draft is None:
        draft = MasterDraft.objects.create(tg_user_id=tg_user_id, data=_answers(master) | prefilled)
    return draft


def may_reapply(master: Master) -> bool:
    """Rejected and deleted masters, and those of v1.2 who never sent the form."""
    rejected = master.moderation_status == ModerationStatus.REJECTED
    return master.is_deleted or rejected or not has_applied(master)


@transaction.atomic
def answer(*, tg_user_id: int, field: str, value: Any) -> MasterDraft:
    """Keep an answer to the question asked now. Raises InvalidError for a bad one, ConflictError for an old button."""
    draft = lock(tg_user_id)
    if question(draft) != field:
        raise ConflictError(_("This step is done. You can change the answer at the end."), code="answered")
    value = CLEAN[field](draft, value) if field in CLEAN else value
    _set(draft, field, value)
    draft.editing = ""
    draft.save()
    return draft


@transaction.atomic
def pick(*, tg_user_id: int, field: str, choice: int) -> MasterDraft:
    """Tick or untick one of several. Raises InvalidError for what is not offered, ConflictError for an old button."""
    draft = lock(tg_user_id)
    if question(draft) != field:
        raise ConflictError(_("This step is done. You can change the answer at the end."), code="answered")
    _known(draft, field, [choice])
    picked = ticked(draft, field)
    draft.data[f"_{field}"] = [one for one in picked if one != choice] if choice in picked else [*picked, choice]
    draft.save()
    return draft


def ticked(draft: MasterDraft, field: str) -> list[int]:
    """What is ticked so far: districts, skills."""
    return list(draft.data.get(f"_{field}", draft.data.get(field, [])))


@transaction.atomic
def add_page(*, tg_user_id: int, field: str, file: dict[str, Any]) -> MasterDraft:
    """A photo of the passport or a selfie: the first one answers the question, further ones of an album join it."""
    draft = lock(tg_user_id)
    album = file.get("album")
    if question(draft) == field:
        _set(draft, field, [file])
        draft.editing = ""
    elif album and any(page.get("album") == album for page in draft.data.get(field, ())):
        pages = [page for page in draft.data[field] if page["file_unique_id"] != file["file_unique_id"]]
        draft.data[field] = [*pages, file][:PAGES]
    draft.save()
    return draft


def album_field(draft: MasterDraft, album: str | None) -> str:
    """The document whose album this is; empty when it is no known one."""
    fields = ("passport", "selfie")
    return next((f for f in fields if album and any(p.get("album") == album for p in draft.data.get(f, ()))), "")


@transaction.atomic
def edit(*, tg_user_id: int, field: str) -> MasterDraft:
    """Change one answer from the summary. Raises ConflictError while questions are open."""
    draft = lock(tg_user_id)
    if field not in editable(draft):
        raise ConflictError(_("This cannot be changed now."))
    draft.editing = field
    draft.data.pop(f"_{field}", None)
    draft.save()
    return draft


@transaction.atomic
def keep(*, tg_user_id: int) -> MasterDraft:
    """Leave the answer as it is: back to the summary."""
    draft = lock(tg_user_id)
    draft.data.pop(f"_{draft.editing}", None)
    draft.editing = ""
    draft.save()
    return draft


def editable(draft: MasterDraft) -> list[str]:
    """What the summary offers to change."""
    if any(field not in draft.data for field in FIELDS):
        return []
    hidden = {"consent", "bank"} | ({"city"} if draft.invite and draft.invite.city_id else set())
    hidden |= {"referral"} if draft.data.get("_invited") else set()
    hidden |= set() if draft.data.get("vehicle") else {"plate"}
    hidden |= set() if draft.data.get("payout_method") != PayoutMethod.CASH else {"payout"}
    if not District.objects.filter(city_id=draft.data["city"]).exists():
        hidden.add("districts")
    return [field for field in FIELDS if field not in hidden]


@transaction.atomic
def ask_again(*, tg_user_id: int, fields: list[str]) -> MasterDraft:
    """Forget these answers."""
    draft = lock(tg_user_id)
    for field in fields:
        draft.data.pop(field, None)
    _skip(draft)
    draft.editing = ""
    draft.save()
    return draft


def drop(*, tg_user_id: int) -> None:
    """Forget the application."""
    MasterDraft.objects.filter(tg_user_id=tg_user_id).delete()


def drop_idle(*, now: datetime, limit: int = 1000) -> int:
    """Forget applications nobody has gone on with for 30 days; returns how many."""
    old = MasterDraft.objects.filter(updated_at__lt=now - IDLE).order_by("updated_at").values_list("pk", flat=True)
    return MasterDraft.objects.filter(pk__in=list(old[:limit])).delete()[0]


def _refuse_members(master: Master | None) -> None:
    if master and not may_reapply(master):
        raise ConflictError(_("You have applied already."))


def lock(tg_user_id: int) -> MasterDraft:
    """The draft, locked until the transaction ends. Raises NotFoundError."""
    draft = MasterDraft.objects.select_for_update(of=("self",)).select_related("invite").filter(tg_user_id=tg_user_id)
    found = draft.first()
    if found is None:
        raise NotFoundError(_("There is no application to fill in. Press /start, please."), code="no_draft")
    return found


def _set(draft: MasterDraft, field: str, value: Any) -> None:
    changed = draft.data.get(field) != value
    draft.data.pop(f"_{field}", None)
    draft.data[field] = value
    if changed:
        for dependent in DEPENDENT.get(field, ()):
            draft.data.pop(dependent, None)
            draft.data.pop(f"_{dependent}", None)
    _skip(draft)


def _skip(draft: MasterDraft) -> None:
    """Answer what need not be asked."""
    data = draft.data
    if "city" in data and "districts" not in data and not District.objects.filter(city_id=data["city"]).exists():
        data["districts"] = []
    if data.get("vehicle") is False:
        data["plate"] = ""
    if data.get("payout_method") == PayoutMethod.CASH:
        data["payout"] = {}
    if "payout" in data and data.get("payout_method") != PayoutMethod.SBP:
        data["bank"] = ""


def _known(draft: MasterDraft, field: str, chosen: list[int]) -> list[int]:
    rows: Any = Skill.objects.filter(is_active=True)
    if field == "districts":
        rows = District.objects.filter(city_id=draft.data.get("city") or 0)
    found = set(rows.filter(pk__in=chosen).values_list("pk", flat=True))
    if len(found) != len(set(chosen)):
        raise InvalidError(_("This is not offered any more. Choose from the list, please."))
    return sorted(found)


def _several(field: str) -> Any:
    def check(draft: MasterDraft, _value: Any) -> list[int]:
        chosen = _known(draft, field, ticked(draft, field))
        if not chosen:
            raise InvalidError(_("Choose at least one."))
        return chosen

    return check


def _city(draft: MasterDraft, value: Any) -> int:
    if not City.objects.filter(pk=value, is_active=True).exists():
        raise InvalidError(_("This city is not offered any more. Choose another one, please."))
    return int(value)


def _referral(draft: MasterDraft, value: Any) -> str:
    if not value:
        return ""
    code = parse_code(str(value), 8)
    inviter = inviter_by_code(code)
    if inviter is None:
        raise InvalidError(_("There is no such referral code. Look once more, or skip this step."))
    if inviter.tg_user_id == draft.tg_user_id:
        raise InvalidError(_("This is your own code. Skip this step, please."))
    return code


def _bank(draft: MasterDraft, value: Any) -> str:
    if value not in form.BANKS:
        raise InvalidError(_("Choose from the list, please."))
    draft.data["payout"] = {**draft.data["payout"], "sbp_bank": form.BANKS[value]}
    return str(value)


def _method(draft: MasterDraft, value: Any) -> str:
    if value not in PayoutMethod.values:
        raise InvalidError(_("Choose from the list, please."))
    return str(value)


CLEAN: dict[str, Any] = {
    "last_name": lambda draft, text: parse_name(text),
    "first_name": lambda draft, text: parse_name(text),
    "middle_name": lambda draft, text: parse_patronymic(text),
    "phone": lambda draft, text: parse_phone(text),
    "plate": lambda draft, text: form.plate(text),
    "referral": _referral,
    "city": _city,
    "districts": _several("districts"),
    "skills": _several("skills"),
    "payout_method": _method,
    "payout": lambda draft, text: form.payout(draft.data["payout_method"], text),
    "bank": _bank,
    "home": lambda draft, place: [f"{number:.6f}" for number in place],
}


def _answers(master: Master) -> dict[str, Any]:
    """What is known from the last application; what is missing is asked."""
    data: dict[str, Any] = {}
    if master.pdn_version == CONSENT and master.pdn_accepted_at:
        data["consent"] = {"version": CONSENT, "at": master.pdn_accepted_at.isoformat()}
    if has_applied(master):
        known = {"referral": "", "vehicle": master.has_vehicle, "plate": master.vehicle_plate or ""}
        data |= _names(master) | known
        data["home"] = [str(master.home_latitude), str(master.home_longitude)] if master.home_latitude else []
    if master.phone:
        data["phone"] = master.phone
    if master.city and master.city.is_active:
        data["city"] = master.city_id
        districts = sorted(master.districts.filter(city_id=master.city_id).values_list("pk", flat=True))
        if districts or not District.objects.filter(city=master.city).exists():
            data["districts"] = districts
    if skills := sorted(master.skills.filter(is_active=True).values_list("pk", flat=True)):
        data["skills"] = skills
    if master.payout_method and isinstance(master.payout_data, dict):
        data |= {"payout_method": master.payout_method, "payout": master.payout_data, "bank": ""}
    return data


def _names(master: Master) -> dict[str, Any]:
    words = master.full_name.split()
    if not words or len(words) > 3:
        return {}
    return dict(zip(("last_name", "first_name"), words, strict=False)) | {"middle_name": " ".join(words[2:])}
