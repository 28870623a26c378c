"""Where commissions are paid to: immutable versions, the newest one in force, its copy in each commission."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fieldservice.lib.actor import Actor
from fieldservice.lib.clean import clean
from fieldservice.lib.errors import InvalidError, StaleError
from fieldservice.lib.fields import parse_card
from fieldservice.lib.masking import mask_card, mask_phone
from fieldservice.lib.phones import parse_phone
from fieldservice.outbox import services as outbox
from fieldservice.outbox.models import Lane
from fieldservice.outbox.services import Message
from finance.enums import CommissionStatus
from finance.models import Commission, OwnerRequisites
from orders.models import Order
from staff.models import Master
from staff.scope import require
from staff.services.moderation import audit

METHODS = {"card": gettext_lazy("Card"), "sbp": gettext_lazy("SBP"), "cash": gettext_lazy("Cash")}
PLACEHOLDERS = {"<order_id>", "<master_fio>"}
QR_LIMIT = 1024 * 1024
#: how a picture begins
PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
#: who is told of new requisites: REPORTED ones have paid
WAITING = (CommissionStatus.WAIT_PAY, CommissionStatus.OVERDUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequisites:
    """What a person typed. `sbp_qr`: a picture; None keeps the present one, empty bytes remove it."""

    methods: tuple[str, ...] = ()
    card_number: str = ""
    card_holder: str = ""
    card_bank: str = ""
    sbp_phone: str = ""
    sbp_bank: str = ""
    other_text: str = ""
    comment_template: str = ""
    sbp_qr: bytes | None = None


def current() -> OwnerRequisites | None:
    """The version new commissions get, without its picture (loaded when it is asked for)."""
    return OwnerRequisites.objects.defer("sbp_qr").order_by("-pk").first()


def qr_of(version_id: int | None) -> bytes | None:
    """The QR picture of a version."""
    picture = OwnerRequisites.objects.filter(pk=version_id or 0).values_list("sbp_qr", flat=True).first()
    return bytes(picture) if picture else None


def picture_type(picture: bytes) -> str:
    """The MIME type of a picture we accept; empty for anything else."""
    return next((kind for start, kind in PICTURES.items() if picture.startswith(start)), "")


@transaction.atomic
def publish(
    *, new: NewRequisites, actor: Actor, seen_version: int | None = None, now: datetime | None = None
) -> OwnerRequisites:
    """A new version, in force for every commission made from now on; those made before keep theirs.

    `seen_version`: the version the person changed; another one by now is a StaleError. Nothing new is no version.
    """
    require(actor, "finance.requisites")
    values = check(new)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('owner_requisites'))")
    before = OwnerRequisites.objects.order_by("-pk").first()
    if seen_version is not None and seen_version != (before.pk if before else 0):
        raise StaleError(_("Somebody else has changed the requisites meanwhile; reload the page."))
    if new.sbp_qr is None:
        values["sbp_qr"] = bytes(before.sbp_qr) if before and before.sbp_qr else None
    if before and all(_plain(getattr(before, name)) == value for name, value in values.items()):
        return before
    made = OwnerRequisites.objects.create(
        **values, created_by_staff_id=actor.staff_id, created_at=now or timezone.now()
    )
    changed = [name for name, value in values.items() if before is None or _plain(getattr(before, name)) != value]
    audit("requisites_published", actor=actor, version=made.pk, changed=changed, **masked(made))
    return made


def check(new: NewRequisites) -> dict[str, Any]:
    """The values as they are stored. Raises InvalidError with a sentence for each wrong field."""
    errors: dict[str, str] = {}
    values: dict[str, Any] = {
        name: _take(errors, name, lambda name=name, room=room: _text(getattr(new, name), room))  # type: ignore[misc]
        for name, room in (
            ("card_holder", 120), ("card_bank", 80), ("sbp_bank", 80), ("other_text", 1000), ("comment_template", 200),
        )
    }  # fmt: skip
    values["methods"] = _take(errors, "methods", lambda: _methods(new.methods))
    values["card_number"] = _take(
        errors, "card_number", lambda: parse_card(new.card_number) if new.card_number.strip() else ""
    )
    values["sbp_phone"] = _take(
        errors, "sbp_phone", lambda: parse_phone(new.sbp_phone) if new.sbp_phone.strip() else ""
    )
    values["sbp_qr"] = _take(errors, "sbp_qr", lambda: _picture(new.sbp_qr))
    if "comment_template" not in errors:
        _take(errors, "comment_template", lambda: _template(values["comment_template"]))
    for method, field in (("card", "card_number"), ("sbp", "sbp_phone")):
        if method in new.methods and not values[field] and field not in errors:
            errors[field] = _("«%(method)s» is switched on: fill this in.") % {"method": METHODS[method]}
    if not new.methods and not values["other_text"] and "methods" not in errors:
        errors["methods"] = _("Choose how masters pay, or say it in «other».")
    if errors:
        raise InvalidError(errors)
    return values


def masked(requisites: OwnerRequisites) -> dict[str, Any]:
    """What others than the payer and GLOBAL_ADMIN may see."""
    return {
        "methods": list(requisites.methods),
        "card": mask_card(requisites.card_number),
        "sbp": mask_phone(requisites.sbp_phone),
    }


def snapshot(requisites: OwnerRequisites | None, *, order: Order, master: Master) -> dict[str, Any]:
    """What the commission keeps: the full requisites for the payer, masked ones for exports, the comment rendered."""
    r = requisites or OwnerRequisites()
    template = r.comment_template or _("Commission #<order_id> from <master_fio>")
    comment = template.replace("<order_id>", str(order.pk)).replace("<master_fio>", master.full_name)
    return {
        "methods": list(r.methods),
        "card_number": r.card_number or None,
        "card_number_last4": r.card_number[-4:] or None,
        "card_holder": r.card_holder or None,
        "card_bank": r.card_bank or None,
        "sbp_phone": r.sbp_phone or None,
        "sbp_phone_masked": mask_phone(r.sbp_phone) or None,
        "sbp_bank": r.sbp_bank or None,
        "sbp_qr": bool(r.pk) and OwnerRequisites.objects.filter(pk=r.pk, sbp_qr__isnull=False).exists(),
        "other_text": r.other_text or None,
        "comment": comment,
    }


def waiting_masters() -> int:
    """How many masters a broadcast would reach."""
    return len(_waiting())


@transaction.atomic
def broadcast(*, actor: Actor, now: datetime | None = None) -> int:
    """The requisites in force to every master who still has to pay; the same version once an hour at most."""
    require(actor, "finance.requisites")
    version = current()
    if version is None:
        raise InvalidError(_("There are no requisites yet: fill them in first."))
    hour = f"{now or timezone.now():%Y%m%d%H}"
    masters = _waiting()
    outbox.enqueue(
        Message(
            event="requisites_changed",
            master_id=pk,
            payload={"requisites_id": version.pk},
            lane=Lane.BROADCAST,
            dedup_key=f"requisites:{version.pk}:{hour}:{pk}",
        )
        for pk in masters
    )
    audit("requisites_broadcast", actor=actor, version=version.pk, masters=len(masters))
    return len(masters)


def _waiting() -> list[int]:
    owed = Commission.objects.filter(status__in=WAITING, master__is_deleted=False, master__tg_user_id__isnull=False)
    return sorted(set(owed.values_list("master_id", flat=True)))


def _take(errors: dict[str, str], name: str, convert: Callable[[], Any]) -> Any:
    try:
        return convert()
    except InvalidError as error:
        errors[name] = str(error)
        return ""


def _text(text: str, room: int) -> str:
    text = clean(text)
    if len(text) > room:
        raise InvalidError(_("At most %(room)s characters are possible.") % {"room": room})
    return text


def _methods(methods: tuple[str, ...]) -> list[str]:
    strange = [name for name in methods if name not in METHODS]
    if strange:
        raise InvalidError(_("There is no way to pay called «%(name)s».") % {"name": strange[0]})
    return [name for name in METHODS if name in methods]


def _template(text: str) -> None:
    for word in re.findall(r"<[^<>]*>", text):
        if word not in PLACEHOLDERS:
            raise InvalidError(
                _("Only <order_id> and <master_fio> are filled in; there is no %(word)s.") % {"word": word}
            )


def _picture(picture: bytes | None) -> bytes | None:
    if not picture:
        return None
    if len(picture) > QR_LIMIT:
        raise InvalidError(_("The picture must be smaller than 1 MB."))
    if not picture_type(picture) or not _is_whole(picture):
        raise InvalidError(_("The QR code must be a PNG or JPEG picture."))
    return picture


def _is_whole(picture: bytes) -> bool:
    """Whether Telegram would show it: not cut off, and of a sensible size (a JPEG's is not looked at)."""
    if picture_type(picture) == "image/jpeg":
        return picture.rstrip(b"\0").endswith(b"\xff\xd9")
    if len(picture) < 33 or b"IEND" not in picture[-16:]:
        return False
    width, height = struct.unpack(">II", picture[16:24])
    return 0 < width <= 5000 and 0 < height <= 5000


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
