"""How rows of the old tables become rows of today's (rules: docs/schema.md, "Backfill")."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from fieldservice.lib.pg import refuse_unknown

CATEGORIES = ["ELECTRICS", "PLUMBING", "APPLIANCES", "WINDOWS", "HANDYMAN", "ROADSIDE"]

# the zone of every city; a name PostgreSQL does not know counts as none
ZONES = """
SELECT c.id AS city_id, COALESCE(n.name, %(fallback)s) AS tz
  FROM cities c LEFT JOIN pg_timezone_names n ON n.name = c.timezone"""

# A slot of one end gets the other three hours away (all slots of v1.2 last three hours). What the two columns cannot
# hold (a lone date or time, a label, the guess just made) is appended to the description, so nothing is lost.
FILL_V12 = f"""
WITH zones AS ({ZONES}),
slots AS (
    SELECT o.id,
           (o.scheduled_date + o.time_slot_start) AT TIME ZONE z.tz AS start_utc,
           (o.scheduled_date + o.time_slot_end) AT TIME ZONE z.tz AS end_utc
      FROM orders o JOIN zones z USING (city_id)),
remarks AS (
    SELECT id, text FROM (
        SELECT id, description, concat_ws(', ',
                   to_char(scheduled_date, 'DD.MM.YYYY'), 'с ' || to_char(time_slot_start, 'HH24:MI'),
                   'до ' || to_char(time_slot_end, 'HH24:MI'), NULLIF(btrim(slot_label), '')) AS slot,
               scheduled_date IS NOT NULL AND time_slot_start < time_slot_end AS complete
          FROM orders) o,
       LATERAL (SELECT 'Время визита (старая запись): ' || slot AS text) r
     WHERE slot <> '' AND complete IS NOT TRUE AND strpos(COALESCE(description, ''), text) = 0)
UPDATE orders o
   SET timeslot_start_utc = COALESCE(s.start_utc, s.end_utc - interval '3 hours'),
       timeslot_end_utc = CASE WHEN s.end_utc > s.start_utc OR s.start_utc IS NULL THEN s.end_utc
                               ELSE s.start_utc + interval '3 hours' END,
       total_sum = COALESCE(o.total_price, 0),
       lat = o.latitude, lon = o.longitude,
       no_district = o.district_id IS NULL,
       type = COALESCE(o.order_type, 'NORMAL'),
       description = COALESCE(NULLIF(concat_ws(E'\\n', NULLIF(o.description, ''), r.text), ''), o.description)
  FROM slots s LEFT JOIN remarks r USING (id)
 WHERE s.id = o.id"""

# Where the old columns still hold anything (0003 was not run), they keep it. A slot outside 10:00–20:00 stays empty:
# the legacy check would refuse it.
RESTORE_LEGACY = f"""
WITH zones AS ({ZONES}),
slots AS (
    SELECT o.id,
           o.timeslot_start_utc AT TIME ZONE z.tz AS start_local,
           o.timeslot_end_utc AT TIME ZONE z.tz AS end_local
      FROM orders o JOIN zones z USING (city_id)
     WHERE o.scheduled_date IS NULL AND o.time_slot_start IS NULL AND o.time_slot_end IS NULL),
fitting AS (
    SELECT * FROM slots
     WHERE start_local::date = end_local::date AND start_local::time >= '10:00' AND end_local::time <= '20:00')
UPDATE orders o
   SET scheduled_date = COALESCE(o.scheduled_date, f.start_local::date),
       time_slot_start = COALESCE(o.time_slot_start, f.start_local::time),
       time_slot_end = COALESCE(o.time_slot_end, f.end_local::time),
       total_price = o.total_sum, latitude = o.lat, longitude = o.lon, order_type = o.type
  FROM orders every LEFT JOIN fitting f USING (id)
 WHERE every.id = o.id"""

# One pass over the rows that need it. What waits is due now: the engine itself computes when a DEFERRED order wakes.
# Orders on a master's hands and cancelled ones wait for nothing.
FILL_ORDERS = """
UPDATE orders o
   SET closed_at = CASE WHEN o.status = 'CLOSED' THEN COALESCE(
           (SELECT max(h.created_at) FROM order_status_history h
             WHERE h.order_id = o.id AND h.to_status = 'CLOSED' AND h.from_status IS DISTINCT FROM 'CLOSED'),
           o.updated_at) END,
       dispatch_at = CASE WHEN o.status <> 'CLOSED' THEN now() END,
       dispatch_round = CASE WHEN o.status IN ('SEARCHING', 'GUARANTEE') THEN COALESCE(
           (SELECT max(f.round_number) FROM offers f WHERE f.order_id = o.id), 0) ELSE 0 END
 WHERE o.status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED', 'CLOSED')"""

# v1.2 sent an offer at once and kept no SLA of its own
FILL_OFFERS = """
UPDATE offers
   SET delivered_at = sent_at,
       sla_seconds = CASE WHEN expires_at > sent_at THEN extract(epoch FROM expires_at - sent_at)::int
                          ELSE sla_seconds END
 WHERE state IN ('SENT', 'VIEWED')"""

# staff work with the admin bot, and a file id is good for the bot that received it
FILL_ATTACHMENTS = """
UPDATE attachments SET bot = 'admin' WHERE uploaded_by_staff_id IS NOT NULL AND uploaded_by_master_id IS NULL"""


def fallback_zone(cursor: Any) -> str:
    """The zone of cities without a valid one: TIMEZONE, else UTC."""
    cursor.execute("SELECT name FROM pg_timezone_names WHERE name = %s", [getattr(settings, "TIMEZONE", "")])
    row = cursor.fetchone()
    return row[0] if row else "UTC"


def _run(editor: Any, sql: str) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute(sql, {"fallback": fallback_zone(cursor)})


def fill_v12(apps: Any, editor: Any) -> None:
    _run(editor, FILL_V12)


def restore_legacy(apps: Any, editor: Any) -> None:
    _run(editor, RESTORE_LEGACY)


def refuse_unknown_categories(apps: Any, editor: Any) -> None:
    refuse_unknown(editor, "orders", "category", [*CATEGORIES, ""], value="upper(btrim(category))")


def fill_dispatch(apps: Any, editor: Any) -> None:
    with editor.connection.cursor() as cursor:
        for sql in (FILL_ORDERS, FILL_OFFERS, FILL_ATTACHMENTS):
            cursor.execute(sql)
