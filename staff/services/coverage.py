"""Keeps the trace of coverage changes short."""

from __future__ import annotations

from django.db import connection

#: one new row stands for those that go, so that whoever kept something looks again
PRUNE = """
WITH gone AS (DELETE FROM coverage_changes WHERE (SELECT count(*) FROM coverage_changes) > %s RETURNING id)
INSERT INTO coverage_changes(id) SELECT (random() * 9e18)::bigint FROM (SELECT count(*) AS n FROM gone) g WHERE n > 0"""


def forget_changes(*, keep: int = 500) -> None:
    """Forget the changes once there are more than `keep`: their number is what a batch of dispatch reads."""
    with connection.cursor() as cursor:
        cursor.execute(PRUNE, [keep])
