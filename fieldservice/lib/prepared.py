"""Queries written once and planned once: Django's ORM takes 1–2 ms to write the SQL of a query with joins, the same
SQL every time, and PostgreSQL takes ten times as long to plan it as to run it.

    @prepared
    def _order(*, master_id: int, order_id: int) -> QuerySet[Order]:
        return Order.objects.select_related("city").filter(pk=order_id, assigned_master_id=master_id)

    _order(master_id=1, order_id=2)  # list[Order]

The function is called once with samples to see where its arguments go in the SQL; afterwards the SQL is as it was.
Keyword-only arguments, of `int` or `datetime`, are values. Positional ones (a tab, an offset) are the query's shape:
each combination has SQL of its own. A function must not do anything else with its values than to filter by them.
What is neither stands in the SQL as it is: a plan for any value could not use an index of some states.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import update_wrapper
from typing import Any, Generic, TypeVar, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, NotSupportedError, OperationalError, connection, connections
from django.db.models import Model, QuerySet
from django.db.models.query import ModelIterable, ValuesListIterable, get_related_populators
from psycopg.sql import Literal

R = TypeVar("R")
#: shapes kept per query: a person who leafs to page 10,000 must not cost memory for ever
SHAPES = 200
PLACE = re.compile("%%|%s")
#: values no filter has by itself: the argument's number is added
SAMPLES: dict[str, Callable[[int], Any]] = {
    "int": lambda number: 2_000_001_000 + number,
    "datetime": lambda number: datetime(1917, 3, 1, 1, 2, 3, 4, UTC) + timedelta(seconds=number),
}


@dataclass(frozen=True, slots=True)
class _Plan:
    """The SQL of one shape and how its rows are read."""

    sql: str
    #: the arguments' names, as they come in the SQL
    params: Sequence[str]
    #: (column, converters, expression)
    converters: Sequence[tuple[int, Sequence[Any], Any]]
    read: Callable[[Sequence[Any]], Any]

    def run(self, values: dict[str, Any]) -> list[Any]:
        """Execute; the rows, read."""
        rows = fetch(self.sql, [values[name] for name in self.params])
        return [self.read(row) for row in (map(self._converted, rows) if self.converters else rows)]

    def _converted(self, row: Sequence[Any]) -> list[Any]:
        row = list(row)
        for column, converters, expression in self.converters:
            for convert in converters:
                row[column] = convert(row[column], expression, connection)
        return row


class _Cursor(psycopg.Cursor[Any]):
    """The server keeps the plan, as long as the connection lives and its settings allow it (`fieldservice.links`)."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        return super().execute(query, params, **{"prepare": True} | options)

    def _convert_query(self, query: Any, params: Any = None) -> Any:
        self._query = super()._convert_query(query, params)  # where Django looks for the SQL it logs
        return self._query


def fetch(sql: str, params: Sequence[Any] | dict[str, Any]) -> Sequence[Sequence[Any]]:
    """The rows of a statement that is planned once. The SQL must be one of few: values belong into `params`."""
    try:
        return _fetched(sql, params)
    except NotSupportedError:  # a migration has given a column another type: no plan of before is of use
        if connection.in_atomic_block:  # its end as a whole makes psycopg forget them
            raise
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")
        return _fetched(sql, params)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()  # it was cut: to read once more harms nobody
        return _fetched(sql, params)


def _fetched(sql: str, params: Sequence[Any] | dict[str, Any]) -> Sequence[Sequence[Any]]:
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    wrapper = cast(Any, connections[DEFAULT_DB_ALIAS])
    kept: _Cursor | None = getattr(wrapper, "prepared_cursor", None)
    if kept is None or kept.connection is not wrapper.connection:  # making one takes as long as a statement
        kept = wrapper.prepared_cursor = _Cursor(wrapper.connection)
    # as Django makes its own: statements are counted and logged, errors are Django's
    cursor = wrapper._prepare_cursor(kept)
    cursor.execute(sql, params)
    return cast("Sequence[Sequence[Any]]", cursor.fetchall())


def literal(value: Any) -> str:
    """A constant as it stands in SQL with placeholders; of a list, each in turn, with commas."""
    if isinstance(value, list | tuple):
        return ", ".join(map(literal, value))
    connection.ensure_connection()
    plain = str(value) if isinstance(value, str) else value
    return Literal(plain).as_string(connection.connection).replace("%", "%%")


class Prepared(Generic[R]):
    """A query whose SQL is written once. Made by `prepared`."""

    def __init__(self, build: Callable[..., QuerySet[Any, R]]) -> None:
        self.build = build
        self.plans: dict[tuple[Any, ...], _Plan] = {}
        self.samples: dict[str, Any] = {}
        for name, parameter in inspect.signature(build).parameters.items():
            if parameter.kind is parameter.KEYWORD_ONLY:
                self.samples[name] = SAMPLES[parameter.annotation](len(self.samples))
        update_wrapper(self, build)

    def __call__(self, *shape: Any, **values: Any) -> list[R]:
        """The rows. Raises TypeError when a value is missing or too many."""
        if values.keys() != self.samples.keys():
            raise TypeError(f"{self.build.__qualname__} takes {', '.join(self.samples)}")
        plan = self.plans.get(shape)
        if plan is None:
            if len(self.plans) >= SHAPES:
                self.plans.clear()
            plan = self.plans[shape] = self._plan(self.build(*shape, **self.samples))
        return plan.run(values)

    def first(self, *shape: Any, **values: Any) -> R | None:
        """The first row; for queries that find one at most."""
        found = self(*shape, **values)
        return found[0] if found else None

    def _plan(self, rows: QuerySet[Any, R]) -> _Plan:
        inside = cast(Any, rows)
        if inside._prefetch_related_lookups or inside._known_related_objects:
            raise ValueError(f"{self.build.__qualname__}: prefetched and known rows are not prepared")
        # django-stubs know little of the compiler, which has had this shape since Django 1.8
        compiler = inside.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, given = compiler.as_sql()
        names = {sample: name for name, sample in self.samples.items()}
        params = [names[value] for value in given if value in names]
        if missing := self.samples.keys() - set(params):
            raise ValueError(f"{self.build.__qualname__}: {missing} are not in the SQL as they are")
        written = iter(["%s" if value in names else literal(value) for value in given])
        sql = PLACE.sub(lambda match: next(written) if match[0] == "%s" else match[0], sql)
        columns = [column for column, _sql, _alias in compiler.select[: compiler.col_count]]
        converters = [(at, *found) for at, found in compiler.get_converters(columns).items()]
        return _Plan(sql, params, converters, _reader(rows, compiler))


def prepared(build: Callable[..., QuerySet[Any, R]]) -> Prepared[R]:
    """Write the query of the function once; see the module."""
    return Prepared(build)


def _reader(rows: QuerySet[Any, Any], compiler: Any) -> Callable[[Sequence[Any]], Any]:
    """How a row becomes what the queryset gives: a model with its related ones, or a tuple."""
    kind = rows._iterable_class
    if kind is ValuesListIterable:
        return tuple
    if kind is not ModelIterable:
        raise ValueError(f"{kind.__name__} is not prepared: models and values_list are")
    return _model_reader(compiler)


def _model_reader(compiler: Any) -> Callable[[Sequence[Any]], Model]:
    select, info = compiler.select, compiler.klass_info
    start, end = info["select_fields"][0], info["select_fields"][-1] + 1
    names = [column.target.attname for column, _sql, _alias in select[start:end]]
    related = cast(Any, get_related_populators)(info, select, DEFAULT_DB_ALIAS)  # stubs of a later Django
    annotations = list(compiler.annotation_col_map.items())

    def read(row: Sequence[Any]) -> Model:
        made: Model = info["model"].from_db(DEFAULT_DB_ALIAS, names, row[start:end])
        for populator in related:
            populator.populate(row, made)
        for name, at in annotations:
            setattr(made, name, row[at])
        return made

    return read
