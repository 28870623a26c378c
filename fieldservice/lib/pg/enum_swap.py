"""How the labels of an ENUM type are replaced while tables, indexes and triggers use it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.core.management import CommandError

COLUMNS = """
SELECT a.attrelid, a.attnum, c.oid::regclass::text, quote_ident(a.attname), pg_get_expr(d.adbin, d.adrelid)
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.atttypid = to_regtype(%s)::oid AND NOT a.attisdropped
 ORDER BY a.attrelid, a.attnum"""
GENERATED = """
SELECT a.attname FROM pg_depend p
  JOIN pg_attrdef d ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
  JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated <> ''
 WHERE p.refobjid = %s AND p.refobjsubid = %s"""
INDEXES = """
SELECT DISTINCT x.indexrelid::regclass::text, pg_get_indexdef(x.indexrelid) FROM pg_depend p
  JOIN pg_index x ON p.classid = 'pg_class'::regclass AND p.objid = x.indexrelid AND x.indrelid = p.refobjid
 WHERE p.refobjid = %s AND p.refobjsubid = %s AND (x.indpred IS NOT NULL OR x.indexprs IS NOT NULL)"""
CHECKS = """
SELECT quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
 WHERE conrelid = %s AND contype = 'c' AND %s = ANY(conkey)"""
TRIGGERS = """
SELECT quote_ident(t.tgname), pg_get_triggerdef(t.oid) FROM pg_trigger t
 WHERE t.tgrelid = %s AND NOT t.tgisinternal
   AND EXISTS (SELECT 1 FROM pg_depend p WHERE p.classid = 'pg_trigger'::regclass AND p.objid = t.oid
                  AND p.refobjid = t.tgrelid AND p.refobjsubid = %s)"""


class Column(NamedTuple):
    """One table column of the type; `default` is its SQL expression or None."""

    relation: int
    number: int
    table: str
    name: str
    default: str | None


def refuse_unknown(editor: Any, table: str, column: str, known: Sequence[str], *, value: str = "") -> None:
    """Stop the migration with one sentence if `table.column` (as text, or as the SQL `value`) holds anything else.

    A CommandError, so that `manage.py migrate` prints the sentence and not a traceback. NULL is always welcome.
    """
    value = value or f"{column}::text"
    with editor.connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {value}, count(*) FROM {table} WHERE {value} <> ALL(%s) GROUP BY 1 ORDER BY 1", [list(known)]
        )
        found = [f"{label!r} in {rows} row(s)" for label, rows in cursor.fetchall()]
    if found:
        raise CommandError(
            f"{table}.{column} has values that have no place today: {', '.join(found)}; known: "
            f"{', '.join(filter(None, known))}. Correct these rows, then migrate again; this migration changed nothing."
        )


class EnumSwap:
    """Replaces the labels of type `name`: detach what mentions it, change the columns, attach again."""

    def __init__(self, editor: Any, name: str, labels: Sequence[str], mapping: Mapping[str, str]) -> None:
        self.editor, self.name, self.labels, self.mapping = editor, name, list(labels), dict(mapping)
        self.shown = ""  # the type as PostgreSQL writes it in definitions
        self.undo: list[str] = []

    def run(self) -> None:
        """Do it. Raises CommandError when a row stands in the way, ValueError when a generated column does."""
        quote, literal = self.editor.quote_name, self.editor.quote_value
        self._execute("SET CONSTRAINTS ALL IMMEDIATE")  # pending trigger events would refuse the ALTER TABLE
        self.shown = self._rows("SELECT to_regtype(%s)::text", quote(self.name))[0][0]
        columns = [Column(*row) for row in self._rows(COLUMNS, quote(self.name))]
        for column in columns:
            self._refuse_generated(column)
            refuse_unknown(self.editor, column.table, column.name, [*self.mapping, *self.labels])
            self._detach(column)
        defaults = {c: self._rows(f"SELECT ({c.default})::text")[0][0] for c in columns if c.default}
        old = quote(self.name + "__old")
        self._execute(f"ALTER TYPE {quote(self.name)} RENAME TO {old}")
        listed = ", ".join(map(literal, self.labels))
        self._execute(f"CREATE TYPE {quote(self.name)} AS ENUM ({listed})")
        for column in columns:
            self._convert(column, defaults.get(column))
        for sql in self.undo:
            self._execute(sql)
        self._execute(f"DROP TYPE {old}")

    def _refuse_generated(self, column: Column) -> None:
        generated = self._rows(GENERATED, column.relation, column.number)
        if generated:
            raise ValueError(f"{column.table}.{generated[0][0]} is generated from {column.name}: drop it first")

    def _detach(self, column: Column) -> None:
        where = column.relation, column.number
        for name, definition in self._rows(INDEXES, *where):
            self._execute(f"DROP INDEX {name}")
            self._attach_later(definition)
        for name, definition in self._rows(CHECKS, *where):
            self._execute(f"ALTER TABLE {column.table} DROP CONSTRAINT {name}")
            self._attach_later(f"ALTER TABLE {column.table} ADD CONSTRAINT {name} {definition}")
        for name, definition in self._rows(TRIGGERS, *where):
            self._execute(f"DROP TRIGGER {name} ON {column.table}")
            self._attach_later(definition)

    def _attach_later(self, definition: str) -> None:
        """Keep the SQL that puts a dropped thing back, with the labels it compares with renamed."""
        typed = re.compile(rf"'([^']*)'::{re.escape(self.shown)}\b")
        self.undo.append(typed.sub(lambda m: f"'{self.mapping.get(m[1], m[1])}'::{self.shown}", definition))

    def _convert(self, column: Column, default: str | None) -> None:
        quote, literal = self.editor.quote_name, self.editor.quote_value
        text = f"{column.name}::text"
        if self.mapping:
            renames = " ".join(f"WHEN {literal(a)} THEN {literal(b)}" for a, b in self.mapping.items())
            text = f"(CASE {text} {renames} ELSE {text} END)"
        steps = [f"ALTER COLUMN {column.name} TYPE {quote(self.name)} USING {text}::{quote(self.name)}"]
        if default is not None:
            # PostgreSQL cannot cast a default of the old type: take it off, put the renamed one back
            steps.insert(0, f"ALTER COLUMN {column.name} DROP DEFAULT")
            steps.append(f"ALTER COLUMN {column.name} SET DEFAULT {literal(self.mapping.get(default, default))}")
        self._execute(f"ALTER TABLE {column.table} " + ", ".join(steps))

    def _execute(self, sql: str) -> None:
        self.editor.execute(sql, params=None)

    def _rows(self, sql: str, *params: Any) -> list[Any]:
        with self.editor.connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall()
