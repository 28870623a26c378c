"""Files that people sent, shown to who may see what they belong to. They stay with Telegram and are fetched when asked.

A copy is kept in MEDIA_ROOT, which nothing serves; a document of a master leaves a row in the audit log.
"""

from __future__ import annotations

import hashlib
import json
import logging
import urllib.parse
import urllib.request
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from fieldservice.lib.actor import Actor
from finance import scope as finance_scope
from orders import scope as order_scope
from orders.enums import AttachmentEntity
from orders.models import Attachment
from staff import access
from staff import scope as staff_scope
from staff.models import StaffUser
from staff.services.moderation import audit

log = logging.getLogger(__name__)
MOST, TIMEOUT = 20 * 2**20, 10
#: first bytes → type: what a browser may show; everything else is only saved
KNOWN = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"GIF8", "image/gif"),
         (b"%PDF-", "application/pdf"))  # fmt: skip


@require_GET
@cache_control(private=True, max_age=300)
def attachment(request: HttpRequest, pk: int) -> HttpResponse:
    """The bytes of an attachment."""
    row = Attachment.objects.filter(pk=pk).first()
    if row is None or not may_see(request.user, row):  # type: ignore[arg-type]
        raise Http404
    content = fetch(row)
    if row.entity_type == AttachmentEntity.MASTER:
        audit("document_viewed", actor=Actor.of_staff(request.user, "web"), master_id=row.entity_id,
              attachment_id=row.pk)  # fmt: skip
    if content is None:
        sentence = _("Telegram does not give this file now. Try again in a minute.")
        return TemplateResponse(request, "desk/file_missing.html", {"sentence": sentence}, status=502)
    kind = kind_of(content)
    name = urllib.parse.quote(row.file_name or f"{row.pk}")
    shown = "inline" if kind != "application/octet-stream" else "attachment"
    headers = {
        "Content-Disposition": f"{shown}; filename*=UTF-8''{name}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox",
    }
    return HttpResponse(content, content_type=kind, headers=headers)


def may_see(member: StaffUser, row: Attachment) -> bool:
    """Whose file it is decides: an order's city, a commission's rights, a master's moderators."""
    if row.entity_type == AttachmentEntity.ORDER:
        return order_scope.visible_to(member).filter(pk=row.entity_id).exists()
    if row.entity_type == AttachmentEntity.COMMISSION:
        return finance_scope.visible_to(member).filter(pk=row.entity_id).exists()
    if row.entity_type == AttachmentEntity.MASTER:
        moderates = member.is_active and access.may(member.role, "master.moderate")
        return moderates and staff_scope.masters(member).filter(pk=row.entity_id).exists()
    return False


def kind_of(content: bytes) -> str:
    """The type by the first bytes, never by what the sender says."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in KNOWN if content.startswith(start)), "application/octet-stream")


def fetch(row: Attachment) -> bytes | None:
    """The file's bytes: our copy, else Telegram's. None when it cannot be had now."""
    copy = _folder() / hashlib.sha256(f"{row.bot}:{row.file_id}".encode()).hexdigest()
    if copy.exists():
        return copy.read_bytes()
    token = {"master": settings.MASTER_BOT_TOKEN, "admin": settings.ADMIN_BOT_TOKEN}.get(row.bot)
    if not token:
        return None
    try:
        content = _download(token, row.file_id)
    except (OSError, ValueError, KeyError) as error:  # their texts quote the address, and with it the token
        log.warning("file_not_fetched", extra={"attachment": row.pk, "error": type(error).__name__})
        return None
    if not 0 < len(content) <= MOST:
        return None
    draft = copy.with_name(f"{copy.name}.{row.pk}.new")
    draft.write_bytes(content)
    draft.replace(copy)
    return content


def _download(token: str, file_id: str) -> bytes:
    base = settings.TELEGRAM_API_URL
    asked = f"{base}/bot{token}/getFile?{urllib.parse.urlencode({'file_id': file_id})}"
    with urllib.request.urlopen(asked, timeout=TIMEOUT) as answer:
        path = json.load(answer)["result"]["file_path"]
    with urllib.request.urlopen(f"{base}/file/bot{token}/{urllib.parse.quote(path)}", timeout=TIMEOUT) as answer:
        content: bytes = answer.read(MOST + 1)
    return content


def _folder() -> Path:
    folder = Path(settings.MEDIA_ROOT) / "telegram"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
