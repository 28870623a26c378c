"""`bench street`: streets found while an operator types, in a catalogue of the whole country.

The floor is the least a look-up can cost: the ten rows that are shown, read by their keys. One city is as large as
Moscow; a change of a street now and then makes its city be read again, as in service.
"""

from __future__ import annotations

import random
import time
from typing import Any

from django.db import connection

from fieldservice.bench.harness import Result, Series, counted, execute, percentile
from geo.models import City, Street
from geo.names import split_street
from geo.seed import seed_geo
from geo.selectors import search_streets

STREETS, LARGEST = 150_000, 9_000
ASKED, CHANGED_EVERY = 2_000, 200
GOAL_MS = 10
FILL = """
INSERT INTO streets(city_id, name)
  SELECT c.id, k.word || ' ' || CASE g %% 7 WHEN 0 THEN (1 + g / 7 %% 30) || '-й ' ELSE '' END || s.first || s.last
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM cities) c
   CROSS JOIN LATERAL generate_series(1, CASE WHEN c.place = 1 THEN %(largest)s ELSE %(each)s END) g
   CROSS JOIN LATERAL (SELECT (ARRAY['улица','переулок','проспект','проезд'])[1 + (g * 31 + c.place) %% 4] AS word) k
   CROSS JOIN LATERAL (SELECT
         (ARRAY['Киро','Ленин','Совет','Мос','Град','Добр','Заречн','Павл','Петр','Ушак','Ивано','Ходж','Лыс','Верхне',
                'Нижне','Камен','Озер','Берез','Сосн','Луг'])[1 + (g * 7 + c.place) %% 20]
         || (ARRAY['бор','гор','дол','вод','лес','мир','свет','цвет','зор','хол','руч','ключ','яр','пол','бер'])
            [1 + (g / 20) %% 15] AS first,
         (ARRAY['ская','ова','ина','енская','ный','ый','ово','ая','инская','овская','ичева','оватая','истая'])
            [1 + (g / 300) %% 13]
         || CASE WHEN g > 3900 THEN '-' || chr(1072 + g %% 32) || 'ая' ELSE '' END AS last) s"""


def run(*, streets: int = STREETS, asked: int = ASKED) -> list[Result]:
    """Fill, warm up, ask. The database is the bench's own."""
    seed_geo()
    cities = list(City.objects.order_by("pk"))
    largest = min(LARGEST, streets // 2)
    execute(FILL, {"largest": largest, "each": (streets - largest) // (len(cities) - 1)})
    execute("VACUUM ANALYZE streets")
    rng = random.Random(4)
    result = Result("street", {"streets": Street.objects.count(), "cities": len(cities), "largest": largest,
                               "asked": asked}, floor=Series())  # fmt: skip
    for city in cities:
        search_streets(city, "мира")  # a process that has been running for a while has seen its cities
    first = largest_only(cities[0], rng)
    with counted() as statements:
        search_streets(cities[1], "мира")
    result.statements = len(statements)
    for number in range(asked):
        city = cities[0] if number % 4 == 0 else rng.choice(cities)
        _ask(result, city, _typed(city, rng))
        if number % CHANGED_EVERY == CHANGED_EVERY - 1:
            Street.objects.filter(pk=Street.objects.filter(city=city).values("pk")[:1]).update(name=f"улица {number}")
    p95 = percentile(result.work.times, 0.95)
    result.extra = {"p95_ms": round(p95, 2), "p99_ms": round(percentile(result.work.times, 0.99), 2),
                    "largest_p95_ms": round(percentile(first, 0.95), 2), "goal_p95_ms": GOAL_MS,
                    "reached": p95 <= GOAL_MS}  # fmt: skip
    return [result]


def largest_only(city: City, rng: random.Random) -> list[float]:
    """Times in the largest city, with nothing changed."""
    probe = Result("probe", {}, floor=Series())
    for _number in range(300):
        _ask(probe, city, _typed(city, rng))
    return probe.work.times


def _ask(result: Result, city: City, text: str) -> None:
    began = time.perf_counter()
    found = search_streets(city, text)
    result.work.times.append((time.perf_counter() - began) * 1000)
    keys: list[Any] = [hit.street.pk for hit in found]
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name FROM streets WHERE id = ANY(%s)", [keys])
        cursor.fetchall()
    assert result.floor is not None
    result.floor.times.append((time.perf_counter() - began) * 1000)


def _typed(city: City, rng: random.Random) -> str:
    """A name of the city as it is being typed: whole, begun, or with a mistake."""
    offset = rng.randrange(1000)
    name = Street.objects.filter(city=city).order_by("pk").values_list("name", flat=True)[offset]
    words = split_street(name).words
    place = rng.randrange(1, max(2, len(words)))
    mistake = words[:place] + rng.choice("аоеи") + words[place + 1 :]
    return rng.choice([name, words, words[: rng.randint(3, max(3, len(words)))], mistake])
