"""Files that people sent, kept as Telegram file ids."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fieldservice.lib.actor import Actor
from fieldservice.lib.clean import clean
from orders.enums import AttachmentEntity, FileType
from orders.models import Attachment


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRef:
    """A file as one bot received it; `file_id` is good for that bot only."""

    file_type: str  # a label of FileType
    file_id: str
    file_unique_id: str = ""
    file_name: str = ""
    mime_type: str = ""
    size: int | None = None
    caption: str = ""
    bot: str = "master"


def attach(
    file: FileRef, *, entity: AttachmentEntity, entity_id: int, actor: Actor, now: datetime, document_type: str = ""
) -> Attachment:
    """Keep the file with an order, offer, commission or master. The same file twice is kept once.

    Nothing in the database forbids doubles (imports have them): the caller holds the lock of the entity.
    """
    same = {
        "entity_type": entity,
        "entity_id": entity_id,
        "file_unique_id": file.file_unique_id or file.file_id,
        "document_type": document_type or None,
    }
    return Attachment.objects.filter(**same).order_by("pk").first() or Attachment.objects.create(
        **same,
        file_type=FileType(file.file_type),
        file_id=file.file_id,
        file_name=clean(file.file_name)[:256] or None,
        mime_type=clean(file.mime_type)[:128] or None,
        size=file.size,
        caption=clean(file.caption)[:1024] or None,
        uploaded_by_master_id=actor.master_id,
        uploaded_by_staff_id=actor.staff_id,
        bot=file.bot,
        created_at=now,
    )
