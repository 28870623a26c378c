"""Migration operations for native ENUM types and for names of primary keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.migrations.operations import RunSQL
from django.db.migrations.operations.base import Operation

from fieldservice.lib.pg.enum_swap import EnumSwap


def create_type(editor: Any, name: str, labels: Sequence[str]) -> None:
    """CREATE TYPE name AS ENUM (labels), in their order."""
    listed = ", ".join(map(editor.quote_value, labels))
    editor.execute(f"CREATE TYPE {editor.quote_name(name)} AS ENUM ({listed})", params=None)


class CreateEnum(Operation):
    """CREATE TYPE … AS ENUM; put by hand before the CreateModel that uses it."""

    reversible = True
    reduces_to_sql = True

    def __init__(self, name: str, labels: Sequence[str]) -> None:
        self.name, self.labels = name, list(labels)

    def deconstruct(self) -> Any:
        return type(self).__name__, [], {"name": self.name, "labels": self.labels}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The project state knows fields, not types."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        # only an orphan left by a dropped test schema can be there: no CASCADE
        schema_editor.execute(f"DROP TYPE IF EXISTS {schema_editor.quote_name(self.name)}", params=None)
        create_type(schema_editor, self.name, self.labels)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        schema_editor.execute(f"DROP TYPE {schema_editor.quote_name(self.name)}", params=None)

    def describe(self) -> str:
        return f"Create ENUM {self.name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"enum_{self.name}"


class RecreateEnum(Operation):
    """A new label set for an ENUM type, in one transaction, for every column that uses it.

    `mapping` renames labels on the way (others keep their text); a row whose label is in neither set stops the
    migration with a sentence that names table, label and number of rows.
    """

    reversible = True
    reduces_to_sql = False

    def __init__(
        self,
        name: str,
        old: Sequence[str],
        new: Sequence[str],
        mapping: Mapping[str, str] | None = None,
        reverse_mapping: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.old, self.new = name, list(old), list(new)
        self.mapping, self.reverse_mapping = dict(mapping or {}), dict(reverse_mapping or {})

    def deconstruct(self) -> Any:
        return (
            type(self).__name__,
            [],
            {
                "name": self.name,
                "old": self.old,
                "new": self.new,
                "mapping": self.mapping,
                "reverse_mapping": self.reverse_mapping,
            },
        )

    def state_forwards(self, app_label: str, state: Any) -> None:
        """AlterField of the choices follows in the migration."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        EnumSwap(schema_editor, self.name, self.new, self.mapping).run()

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        EnumSwap(schema_editor, self.name, self.old, self.reverse_mapping).run()

    def describe(self) -> str:
        return f"Recreate ENUM {self.name}"


class NamePrimaryKey(RunSQL):
    """Gives the primary key of `table` the name `pk_<table>`; Django calls it `<table>_pkey`."""

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(
            f'ALTER TABLE "{table}" RENAME CONSTRAINT "{table}_pkey" TO "pk_{table}"',
            f'ALTER TABLE "{table}" RENAME CONSTRAINT "pk_{table}" TO "{table}_pkey"',
        )

    def deconstruct(self) -> Any:
        return type(self).__name__, [], {"table": self.table}
