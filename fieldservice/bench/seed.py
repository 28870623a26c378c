"""Rows by the hundred thousand, made by the server itself: the same shape as the measurements of goals.md."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from fieldservice.bench.harness import execute

STATIC = """
INSERT INTO cities(name, timezone) SELECT 'C' || g, 'Europe/Moscow' FROM generate_series(1, {cities}) g;
INSERT INTO districts(city_id, name) SELECT c.id, 'D' || g FROM cities c, generate_series(1, {districts}) g;
INSERT INTO masters(tg_user_id, full_name, city_id, rating, shift_status, moderation_status, has_vehicle)
  SELECT 1000000 + g, 'M' || g, 1 + (g % {cities}), 3 + (g % 20) / 10.0, 'SHIFT_ON', 'APPROVED', g % 2 = 0
    FROM generate_series(1, {masters}) g;
INSERT INTO master_districts(master_id, district_id)
  SELECT m.id, d.id FROM masters m JOIN districts d ON d.city_id = m.city_id WHERE (m.id / 13 + d.id / 3) % 2 = 0;
INSERT INTO master_skills(master_id, skill_id)
  SELECT m.id, k.id FROM masters m, skills k WHERE (m.id / 7 + k.id) % 2 = 0"""
HISTORY = """
INSERT INTO orders(city_id, category, status, type, assigned_master_id, total_sum, created_at, closed_at)
  SELECT m.city_id, 'ELECTRICS', 'CLOSED', 'NORMAL', m.id, 1000 + (g %% 9000),
         now() - ((g %% 30) || ' days')::interval, now()
    FROM generate_series(1, %s) g JOIN masters m ON m.id = 1 + (g %% %s)"""
DUE = """
INSERT INTO orders(city_id, district_id, category, status, type, created_at, description, dispatch_at,
                   search_started_at)
  SELECT d.city_id, d.id,
         (ARRAY['ELECTRICS','PLUMBING','APPLIANCES','WINDOWS','HANDYMAN','ROADSIDE'])[1 + g %% 6]::order_category,
         'SEARCHING', 'NORMAL', now() - (g || ' seconds')::interval, 'x', now() - interval '1 second', now()
    FROM generate_series(1, %s) g
    JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS n FROM districts) d
      ON d.place = (g * 7) %% d.n"""


OLDER = HISTORY.replace("(g %% 30)", "(31 + g %% 300)")


@dataclass(frozen=True, slots=True)
class Shape:
    """How big the company is."""

    cities: int = 10
    districts: int = 10
    masters: int = 10_000
    #: orders of the last 30 days, and older ones
    history: int = 200_000
    older: int = 0


def company(shape: Shape) -> None:
    """Cities, districts, masters with skills, past orders, instead of all there were. The skills stay."""
    execute("TRUNCATE cities, masters, orders, money_journal RESTART IDENTITY CASCADE")
    sizes = {name: getattr(shape, name) for name in ("cities", "districts", "masters")}
    for statement in STATIC.format(**sizes).split(";"):
        execute(statement)
    execute(HISTORY, [shape.history, shape.masters])
    execute(OLDER, [shape.older, shape.masters])
    execute("VACUUM ANALYZE")


def due(count: int) -> None:
    """Fresh searching orders, due now; what an earlier run left is removed."""
    execute("TRUNCATE offers, notifications_outbox, dispatch_decisions, order_status_history")
    execute("DELETE FROM orders WHERE status IN ('SEARCHING', 'ASSIGNED')")
    execute(DUE, [count])
    execute("VACUUM ANALYZE orders")
    execute("CHECKPOINT")


def scalar(statement: str) -> int:
    """The one number a statement returns."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])
