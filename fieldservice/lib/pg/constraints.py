"""Names and ON DELETE rules that Django cannot spell: long index names, named foreign keys."""

from __future__ import annotations

from typing import Any

from django.db import models


class LongIndex(models.Index):
    """An index whose name may be as long as PostgreSQL allows (Django stops at 30 characters)."""

    max_name_length = 63


class ForeignKeyConstraint(models.BaseConstraint):
    """The database side of a `ForeignKey(db_constraint=False)`: its own name and ON DELETE rule."""

    def __init__(self, *, field: str, on_delete: str, name: str) -> None:
        super().__init__(name=name)
        self.field, self.on_delete = field, on_delete

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        field, quote = model._meta.get_field(self.field), schema_editor.quote_name
        target = field.remote_field.model._meta.db_table
        return (
            f"ALTER TABLE {quote(model._meta.db_table)} ADD CONSTRAINT {quote(self.name)} "
            f"FOREIGN KEY ({quote(field.column)}) REFERENCES {quote(target)} "
            f"({quote(field.target_field.column)}) ON DELETE {self.on_delete}"
        )

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        # inside CREATE TABLE: wait, the other table may not exist yet
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        quote = schema_editor.quote_name
        return f"ALTER TABLE {quote(model._meta.db_table)} DROP CONSTRAINT {quote(self.name)}"

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: Any = None) -> None:
        """Nothing to validate: Django's own ForeignKey validation looks the row up."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ForeignKeyConstraint) and self.deconstruct() == other.deconstruct()

    __hash__ = None  # type: ignore[assignment]

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        return path, args, kwargs | {"field": self.field, "on_delete": self.on_delete}


def named_fk(table: str, column: str, target: str, on_delete: str, *, name: str = "") -> ForeignKeyConstraint:
    """The convention `fk_<table>__<column>__<target>` for the ForeignKey stored in `column` (ends in `_id`)."""
    return ForeignKeyConstraint(
        field=column.removesuffix("_id"), on_delete=on_delete, name=name or f"fk_{table}__{column}__{target}"
    )
