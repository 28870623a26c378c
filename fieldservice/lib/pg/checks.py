"""`manage.py check --database default`: do the ENUM types in the database have the labels the code knows?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core import checks
from django.db import connections

from fieldservice.lib.pg.fields import PgEnumField

LABELS = """
SELECT t.typname, array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
  FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY 1"""


def check_enum_labels(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """A warning per field whose choices differ from the type. Not an error: it would block the very migration."""
    found: list[checks.CheckMessage] = []
    fields = [f for m in apps.get_models() for f in m._meta.local_fields if isinstance(f, PgEnumField)]
    for alias in databases or []:
        with connections[alias].cursor() as cursor:
            cursor.execute(LABELS)
            types = dict(cursor.fetchall())
        for field in fields:
            labels = [label for label, _ in field.flatchoices]
            if labels != types.get(field.enum_type, labels):
                found.append(
                    checks.Warning(
                        f"ENUM {field.enum_type}: {types[field.enum_type]} in the database, {labels} in the code",
                        obj=field,
                        id="fieldservice.W001",
                    )
                )
    return found
