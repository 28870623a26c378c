"""Databases in which the migrations run step by step, apart from the test database of everybody else."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

V11 = ("orders", "0001_initial")
FILLED = ("orders", "0002_orders_add_v12_fields")
V12 = ("orders", "0003_orders_drop_legacy_fields")
DISPATCH = ("orders", "0004_orders_dispatch")
STAFF = ("staff", "0002_seed_skills")


class Chain:
    """One database: `migrate` it, look into it by SQL."""

    def __init__(self, alias: str) -> None:
        self.connection = connections[alias]

    def migrate(self, *targets: tuple[str, str | None]) -> None:
        MigrationExecutor(self.connection).migrate(list(targets))

    def leaves(self) -> list[tuple[str, str]]:
        return MigrationExecutor(self.connection).loader.graph.leaf_nodes()

    def rows(self, sql: str, *params: Any) -> list[Any]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall() if cursor.description else []

    def insert(self, table: str, **values: Any) -> int:
        """The id of a new row."""
        columns, marks = ", ".join(values), ", ".join(["%s"] * len(values))
        return self.rows(f"INSERT INTO {table} ({columns}) VALUES ({marks}) RETURNING id", *values.values())[0][0]

    def row(self, table: str, **where: Any) -> Mapping[str, Any]:
        """The one row that matches, by column."""
        condition = " AND ".join(f"{name} = %s" for name in where)
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table} WHERE {condition}", list(where.values()))
            (row,) = cursor.fetchall()
            return dict(zip([column.name for column in cursor.description], row, strict=True))

    def columns(self, table: str) -> set[str]:
        query = "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
        return {name for (name,) in self.rows(query, table)}

    def applied(self) -> set[str]:
        return {name for (name,) in self.rows("SELECT name FROM django_migrations WHERE app = 'orders'")}

    def tables_and_types(self) -> set[str]:
        return {
            name
            for (name,) in self.rows(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
                "UNION ALL SELECT typname FROM pg_type WHERE typtype = 'e'"
            )
        }


@contextmanager
def database(alias: str, template: str = "template1") -> Iterator[Chain]:
    """A new database, copied from `template`; dropped at the end. No transaction may be open outside."""
    settings = copy.deepcopy(connection.settings_dict)
    settings["NAME"] = f"{settings['NAME']}_{alias}"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{settings["NAME"]}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{settings["NAME"]}" TEMPLATE "{template}"')
    connections.databases[alias] = settings
    try:
        yield Chain(alias)
    finally:
        connections[alias].close()
        del connections[alias], connections.databases[alias]
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{settings["NAME"]}" WITH (FORCE)')
