"""Skills, each for a category of orders (which is why this page lives above `staff`)."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _

from fieldservice.lib.errors import InvalidError
from fieldservice.lib.fields import parse_place
from orders.enums import Category
from staff.forms import of_changed, refuse_twin
from staff.models import Skill
from staff.scoped_admin import ScopedAdmin, admin


def _code(text: str) -> str:
    code = text.strip().upper()
    if code not in Category.values:
        names = ", ".join(f"{value} ({label})" for value, label in Category.choices)
        raise InvalidError(_("An order knows these categories, the code is one of them: %(names)s.") % {"names": names})
    return code


class SkillForm(forms.ModelForm):
    """A skill no order asks for, or the same one twice, would only be in everybody's way."""

    def clean_code(self) -> str:
        """One of the categories, however it is typed."""
        code = str(of_changed(self, "code", _code))
        refuse_twin(self, "code", code)
        return code

    def clean_name(self) -> str:
        """Letters, and no other skill's name."""
        name = str(of_changed(self, "name", parse_place))
        refuse_twin(self, "name", name)
        return name


@admin.register(Skill)
class SkillAdmin(ScopedAdmin):
    form = SkillForm
    audit_name = "skill"
    list_display = ("name", "code", "is_active")
    ordering = ("name",)
