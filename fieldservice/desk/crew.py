"""Masters at work now: who is free, who has how much on their hands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from fieldservice.desk.sight import Sight
from fieldservice.runtime import registry
from orders.selectors import average_checks

PAGE = 50
ROWS = """
WITH crew AS (
    SELECT m.id, m.full_name, m.shift_status::text AS shift, m.break_until, m.rating, m.has_vehicle,
           m.unreachable_at IS NOT NULL OR m.tg_user_id IS NULL AS is_unreachable, c.name AS city,
           coalesce(m.max_active_orders_override, %(limit)s) AS places, coalesce(l.n, 0) AS load,
           coalesce(o.n, 0) AS offers
      FROM masters m
      JOIN cities c ON c.id = m.city_id
      LEFT JOIN (SELECT assigned_master_id AS id, count(*) AS n FROM orders
                  WHERE status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT') AND assigned_master_id IS NOT NULL
                  GROUP BY 1) l ON l.id = m.id
      LEFT JOIN (SELECT master_id AS id, count(*) AS n FROM offers WHERE state IN ('SENT', 'VIEWED') GROUP BY 1) o
        ON o.id = m.id
     WHERE m.shift_status <> 'SHIFT_OFF' AND m.verified AND m.is_active AND NOT m.is_blocked AND NOT m.is_deleted
       AND (%(cities)s::int[] IS NULL OR m.city_id = ANY(%(cities)s)))
SELECT * FROM crew
 WHERE CASE %(which)s WHEN 'free' THEN shift = 'SHIFT_ON' AND load = 0
                      WHEN 'limit' THEN shift = 'SHIFT_ON' AND load >= places
                      WHEN 'break' THEN shift = 'BREAK' ELSE true END
 ORDER BY load DESC, full_name, id LIMIT %(page)s + 1 OFFSET %(offset)s"""
WHICH = ("", "free", "limit", "break")


def rows(sight: Sight, *, which: str, page: int, now: datetime) -> tuple[list[dict[str, Any]], bool]:
    """A page of masters on shift or on a break, the busiest first, and whether there are more."""
    with connection.cursor() as cursor:
        cursor.execute(ROWS, {"limit": registry.get("max_active_orders"), "cities": sight.ids, "which": which,
                              "page": PAGE, "offset": (page - 1) * PAGE})  # fmt: skip
        names = [column.name for column in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    checks = average_checks([row["id"] for row in found[:PAGE]], now=now)
    for row in found[:PAGE]:
        row["check"] = checks.get(row["id"])
        row["full"] = row["load"] >= row["places"]
    return found[:PAGE], len(found) > PAGE
