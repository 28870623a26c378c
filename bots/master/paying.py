"""What paying needs besides the card: the QR code, receipts, the requisites in force."""

from __future__ import annotations

from django.utils.translation import gettext as _

from bots import fsm
from bots.buttons import back, tap
from bots.callbacks import on
from bots.master import finance
from bots.master.menu import menu_button
from bots.media import Enclosure, page_of, ref_fields
from bots.screens import Button, Screen, page
from bots.visit import Dialog, Reply, Visit
from fieldservice.lib.errors import ConflictError, NotFoundError
from fieldservice.lib.phones import show_phone
from finance.enums import CommissionStatus
from finance.selectors import receipts_of
from finance.services import receipts, requisites
from orders.services.files import FileRef

RECEIPT = "m:fin:receipt"


@on("m:fin:cm:qr", needs="approved", back=finance.card)
def show_qr(visit: Visit, commission_id: int, number: int = 1, tab: str = "-") -> Reply:
    """The code of the requisites the commission was made with."""
    commission = finance.own(visit, commission_id)
    code = qr(commission.requisites_id, _("Commission #%(id)s") % {"id": commission.pk})
    return Reply(finance.screen(commission, number, tab), files=(code,))


@on("m:fin:cm:files", needs="approved", back=finance.card)
def show_receipts(visit: Visit, commission_id: int, number: int = 1, tab: str = "-") -> Reply:
    """The receipts that were sent."""
    commission = finance.own(visit, commission_id)
    caption = _("Commission #%(id)s") % {"id": commission.pk}
    found = receipts_of(commission.pk)
    if not found:
        raise NotFoundError(_("There are no files."))
    files = tuple(Enclosure(row.file_type, row.file_id, row.bot, row.file_name or "", caption) for row in found)
    return Reply(finance.screen(commission, number, tab), files=files)


@on("m:fin:cm:chk", needs="approved", back=finance.card)
def ask_receipt(visit: Visit, commission_id: int, number: int = 1, tab: str = "-") -> Reply:
    """Send it."""
    commission = finance.own(visit, commission_id)
    if commission.status not in CommissionStatus.UNPAID:
        raise ConflictError(_("Commission #%(id)s is approved already: nothing to pay.") % {"id": commission.pk})
    data = {"commission": commission_id, "number": number, "tab": tab}
    return Reply(_ask(commission_id, number, tab), dialog=Dialog(RECEIPT, data))


@fsm.step(RECEIPT, ask=lambda visit: _ask(visit.answer("commission"), visit.answer("number"), visit.answer("tab")),
          needs="approved")  # fmt: skip
def take_receipt(visit: Visit) -> Reply:
    """One receipt; more may follow. Further pages of the same album are kept without a word."""
    assert visit.dialog is not None
    at = (visit.answer("commission"), visit.answer("number"), visit.answer("tab"))
    file = page_of(visit.incoming, _("A photo or a scan (PDF) of the receipt is expected here."))
    count = receipts.attach(commission_id=at[0], actor=visit.actor, file=FileRef(**ref_fields(file, "master")))
    album = visit.incoming.album
    going_on = Dialog(RECEIPT, {**visit.dialog.data, "album": album})
    if album and album == visit.answer("album"):
        return Reply(dialog=going_on)
    rows = [[tap(_("✅ Done"), "m:fin:cm", *at)]]
    return Reply(page("master/receipt_taken.html", rows, commission_id=at[0], count=count), dialog=going_on)


def _ask(commission_id: int, number: int, tab: str) -> Screen:
    rows = [[tap(_("Cancel"), "m:fin:cm", commission_id, number, tab)]]
    return page("master/receipt.html", rows, commission_id=commission_id)


@on("m:req", needs="approved")
def show_requisites(visit: Visit) -> Reply:
    """The requisites in force, in full."""
    return Reply(_requisites())


@on("m:req:qr", needs="approved", back=show_requisites)
def show_present_qr(visit: Visit) -> Reply:
    """Their code."""
    version = requisites.current()
    return Reply(_requisites(), files=(qr(version.pk if version else None, _("QR code for payments")),))


def _requisites() -> Screen:
    version = requisites.current()
    rows: list[list[Button]] = []
    if version:
        values = {_("📋 Card"): version.card_number, _("📋 SBP phone"): show_phone(version.sbp_phone)}
        rows.append([Button(name, copy=value) for name, value in values.items() if value])
        if requisites.qr_of(version.pk):
            rows.append([tap(_("🔳 QR code"), "m:req:qr")])
    rows.append([back("m:fin"), menu_button()])
    return page("master/requisites.html", rows, pay_to=version)


def qr(version_id: int | None, caption: str) -> Enclosure:
    """The picture of a version. Raises NotFoundError when it has none."""
    picture = requisites.qr_of(version_id)
    if not picture:
        raise NotFoundError(_("There is no QR code: pay by card or phone, please."))
    ending = "png" if requisites.picture_type(picture) == "image/png" else "jpg"
    return Enclosure("PHOTO", name=f"qr.{ending}", caption=caption, content=picture)
