"""A model field for native PostgreSQL ENUM types."""

from __future__ import annotations

from typing import Any

from django.db import models


def _label(labels: dict[Any, Any], value: Any) -> Any:
    """The label in words; what is none of them (None too) is shown as it is."""
    return str(labels.get(value, value)) if value is not None else None


class PgEnumField(models.CharField):
    """A column of the native ENUM type `enum_type`; `choices` must list its labels in the type's order.

    A value outside the labels raises ValueError before it reaches the server, so a wrong filter in a URL is an
    ordinary error and never breaks the running transaction.
    """

    empty_strings_allowed = False  # '' is no label

    def __init__(self, *args: Any, enum_type: str, **kwargs: Any) -> None:
        self.enum_type = enum_type
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"enum_type": self.enum_type}

    def contribute_to_class(self, cls: Any, name: str, *args: Any, **kwargs: Any) -> None:
        # Django's own makes a dictionary of all labels, each translated and hashed, for one of them
        labels = dict(self.flatchoices)
        if f"get_{name}_display" not in cls.__dict__:
            setattr(cls, f"get_{name}_display", lambda row: _label(labels, getattr(row, name)))
        super().contribute_to_class(cls, name, *args, **kwargs)

    def db_type(self, connection: Any) -> str:
        return self.enum_type

    def cast_db_type(self, connection: Any) -> str:
        # CharField without max_length would say varchar, and bulk_update would cast to it
        return self.enum_type

    def get_internal_type(self) -> str:
        # not "CharField": only then does AlterField varchar -> ENUM get its USING clause
        return "PgEnumField"

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        # lets update(Case(...)) and F(varchar) work: PostgreSQL has no implicit text -> ENUM cast
        return f"CAST(%s AS {connection.ops.quote_name(self.enum_type)})"

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        if isinstance(value, str) and self.choices and value not in {label for label, _ in self.flatchoices}:
            raise ValueError(f"{value!r} is not a label of {self.enum_type}")
        return getattr(value, "value", value)
