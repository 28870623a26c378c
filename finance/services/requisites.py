"""Where commissions are paid to: the newest version, and its immutable copy in each commission."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from fieldservice.lib.masking import mask_phone
from finance.models import OwnerRequisites
from orders.models import Order
from staff.models import Master


def current() -> OwnerRequisites | None:
    """The version new commissions get."""
    return OwnerRequisites.objects.order_by("-pk").first()


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
        "other_text": r.other_text or None,
        "comment": comment,
    }
