"""The requisites in the web admin: versions to look at, a form that makes the next one, a broadcast."""

from __future__ import annotations

import base64
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import ConflictError
from fieldservice.lib.masking import mask_card, mask_phone
from finance.models import OwnerRequisites
from finance.services import requisites
from finance.services.requisites import NewRequisites
from staff import access
from staff.scoped_admin import ReadOnlyAdmin
from staff.service_page import service_page

TEXTS = ("card_number", "card_holder", "card_bank", "sbp_phone", "sbp_bank", "comment_template")


class RequisitesForm(forms.Form):
    """The next version, filled with the present one. The service checks everything."""

    methods = forms.MultipleChoiceField(
        label=gettext_lazy("How masters pay"), choices=list(requisites.METHODS.items()), required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )  # fmt: skip
    other_text = forms.CharField(
        label=gettext_lazy("Other"), required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )
    qr_file = forms.FileField(
        label=gettext_lazy("QR image"), required=False, widget=UnfoldAdminFileFieldWidget,
        help_text=gettext_lazy("PNG or JPEG up to 1 MB. Without a new one the present image stays."),
    )  # fmt: skip
    no_qr = forms.BooleanField(label=gettext_lazy("Remove the image"), required=False, widget=UnfoldBooleanWidget)
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    field_order = ("methods", *TEXTS[:5], "qr_file", "no_qr", "other_text", "comment_template", "seen")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in TEXTS:
            label = OwnerRequisites._meta.get_field(name).verbose_name  # type: ignore[union-attr]
            self.fields[name] = forms.CharField(
                label=capfirst(label), required=False, widget=UnfoldAdminTextInputWidget
            )
        self.fields["comment_template"].help_text = escape(_("<order_id> and <master_fio> are filled in."))
        self.order_fields(self.field_order)

    def new(self) -> NewRequisites:
        """The answers as the service wants them."""
        data = self.cleaned_data
        upload = data.get("qr_file")
        return NewRequisites(
            methods=tuple(data["methods"]),
            other_text=data["other_text"],
            sbp_qr=b"" if data["no_qr"] else upload.read() if upload else None,
            **{name: data[name] for name in TEXTS},
        )


@admin.register(OwnerRequisites)
class OwnerRequisitesAdmin(ReadOnlyAdmin):
    list_display = ("id", "shown_methods", "card", "sbp", "created_by_staff", "created_at")
    list_select_related = ("created_by_staff",)
    ordering = ("-id",)
    actions_list = ("broadcast_page",)
    readonly_fields = ("qr", "shown_methods", "card", "sbp")
    fields = (
        "shown_methods", "card", "card_holder", "card_bank", "sbp", "sbp_bank", "qr", "other_text", "comment_template",
        "created_by_staff", "created_at",
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_publish_permission(request)

    def has_publish_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """GLOBAL_ADMIN only."""
        return bool(request.user.is_active and access.may(request.user.role, "finance.requisites"))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A new version."""
        if not self.has_publish_permission(request):
            raise PermissionDenied
        present = requisites.current()
        initial = {name: getattr(present, name) for name in (*TEXTS, "methods", "other_text")} if present else {}
        form = RequisitesForm(
            request.POST or None, request.FILES or None, initial=initial | {"seen": present.pk if present else 0}
        )

        def call(data: dict[str, Any]) -> str:
            made = requisites.publish(
                new=form.new(), actor=Actor.of_staff(request.user, "web"), seen_version=data["seen"]
            )
            if made.pk == data["seen"]:
                raise ConflictError(_("Nothing was changed: version %(id)s stays in force.") % {"id": made.pk})
            return _("Version %(id)s is in force: commissions made from now on carry it.") % {"id": made.pk}

        return service_page(
            request, self, title=_("New requisites"), form=form, call=call,
            back=reverse("admin:finance_ownerrequisites_changelist"), button=_("Publish"),
            text=_("Commissions made before keep the requisites they were made with."),
        )  # fmt: skip

    @action(
        description=gettext_lazy("Tell the masters"), url_path="broadcast", permissions=["publish"], icon="campaign"
    )
    def broadcast_page(self, request: HttpRequest) -> HttpResponse:
        """The present version to everybody who still has to pay."""
        count = requisites.waiting_masters()

        def call(data: dict[str, Any]) -> str:
            told = requisites.broadcast(actor=Actor.of_staff(request.user, "web"))
            return ngettext("%(count)s master is being told.", "%(count)s masters are being told.", told) % {
                "count": told
            }

        text = ngettext(
            "The present requisites go to %(count)s master who still has to pay.",
            "The present requisites go to %(count)s masters who still have to pay.",
            count,
        )
        return service_page(
            request, self, title=_("Tell the masters"), form=forms.Form(request.POST or None), call=call,
            back=reverse("admin:finance_ownerrequisites_changelist"), button=_("Send"), text=text % {"count": count},
        )  # fmt: skip

    @display(description=gettext_lazy("methods"))
    def shown_methods(self, version: OwnerRequisites) -> str:
        return ", ".join(str(requisites.METHODS.get(name, name)) for name in version.methods) or "—"

    @display(description=gettext_lazy("card number"))
    def card(self, version: OwnerRequisites) -> str:
        return mask_card(version.card_number) or "—"

    @display(description=gettext_lazy("SBP phone"))
    def sbp(self, version: OwnerRequisites) -> str:
        return mask_phone(version.sbp_phone) or "—"

    @display(description=gettext_lazy("QR image"))
    def qr(self, version: OwnerRequisites) -> str:
        if not version.sbp_qr:
            return "—"
        picture = bytes(version.sbp_qr)
        return format_html(
            '<img alt="QR" style="max-width: 240px" src="data:{};base64,{}">',
            requisites.picture_type(picture), base64.b64encode(picture).decode(),
        )  # fmt: skip
