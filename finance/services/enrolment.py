"""Sending an application: the master, the documents and who invited him, in one transaction (spec §6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from fieldservice.lib.actor import Actor
from finance.models import Referral
from finance.services import referrals
from orders.enums import AttachmentEntity
from orders.models import Attachment
from orders.services import files
from orders.services.files import FileRef
from staff.models import Master, MasterDraft
from staff.selectors import inviter_by_code, master_by_tg
from staff.services import applications, enrol, onboarding

DOCUMENTS = ("passport", "selfie")


@transaction.atomic
def submit(*, tg_user_id: int, username: str, now: datetime) -> Master:
    """The application goes to moderation; the draft is gone, the moderators are told.

    Raises ConflictError or InvalidError with what is missing or no longer right; the draft stays as it was.
    """
    master, draft = enrol.enrol(tg_user_id=tg_user_id, username=username, now=now)
    for kind in DOCUMENTS:
        _documents(master, kind, draft.data[kind], now)
    _inviter(master, draft, now)
    onboarding.drop(tg_user_id=tg_user_id)
    applications.sent(master)
    return master


def begin_again(*, tg_user_id: int) -> MasterDraft:
    """A new application of a rejected or deleted master, filled in with the last one."""
    master = master_by_tg(tg_user_id)
    known: dict[str, Any] = {}
    if master:
        for kind in DOCUMENTS:
            if pages := [_page(row) for row in documents(master.pk, kind)]:
                known[kind] = pages
        if Referral.objects.filter(master=master).exists():
            known |= {"referral": "", "_invited": True}
    return onboarding.reapply(tg_user_id=tg_user_id, prefilled=known)


def documents(master_id: int, *kinds: str) -> list[Attachment]:
    """The documents of a master, in the order they came."""
    rows = Attachment.objects.filter(entity_type=AttachmentEntity.MASTER, entity_id=master_id)
    return list((rows.filter(document_type__in=kinds) if kinds else rows).order_by("pk")[:30])


def _documents(master: Master, kind: str, pages: list[dict[str, Any]], now: datetime) -> None:
    """These pages replace the ones of the last application."""
    actor = Actor.of_master(master)
    kept = [
        files.attach(
            FileRef(**{name: value for name, value in page.items() if name != "album"}),
            entity=AttachmentEntity.MASTER,
            entity_id=master.pk,
            actor=actor,
            now=now,
            document_type=kind,
        ).pk
        for page in pages
    ]
    old = Attachment.objects.filter(entity_type=AttachmentEntity.MASTER, entity_id=master.pk, document_type=kind)
    old.exclude(pk__in=kept).delete()


def _page(row: Attachment) -> dict[str, Any]:
    return {
        "file_type": row.file_type,
        "file_id": row.file_id,
        "file_unique_id": row.file_unique_id or row.file_id,
        "file_name": row.file_name or "",
        "mime_type": row.mime_type or "",
        "size": row.size,
        "bot": row.bot,
    }


def _inviter(master: Master, draft: MasterDraft, now: datetime) -> None:
    """Who invited the master is written once and never changes; one who has left meanwhile earns nothing."""
    code = draft.data.get("referral")
    if code and inviter_by_code(code) and not Referral.objects.filter(master=master).exists():
        referrals.join(master_id=master.pk, code=code, actor=Actor.of_master(master), now=now)
