"""Reads the schema out of PostgreSQL, in the words of `schema.txt`."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from django.db import connection

EXPECTED = Path(__file__).with_name("schema.txt")

COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       COALESCE(pg_get_expr(d.adbin, d.adrelid), CASE WHEN a.attidentity <> '' THEN 'nextval(' END),
       a.attgenerated <> ''
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped"""
CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f', 'c')"""
# Django adds a second index (…_like) to every text key; nothing here asks for it
INDEXES = r"""
SELECT i.indrelid::regclass::text, c.relname, i.indisunique, pg_get_indexdef(i.indexrelid)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE c.relnamespace = 'public'::regnamespace AND c.relname !~ '_[0-9a-f]{8}_like$'
   AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.indexrelid AND contype IN ('p', 'u'))"""
TYPES = {"timestamp with time zone": "timestamptz", "double precision": "float8"}


def expected() -> dict[str, set[str]]:
    """Table → its lines in schema.txt, without the marks."""
    return {name: {canonical(line[2:]) for line in lines} for name, *lines in _blocks()}


def ours() -> set[str]:
    """What schema.txt marks as changed or ours: names of columns and indexes, or of the whole table."""
    names: set[str] = set()
    for name, *lines in _blocks():
        marked = [line.split()[1].rstrip(":") for line in lines if not line.startswith(" ")]
        names |= {name} if len(marked) == len(lines) else {mark for mark in marked if not mark.startswith("fk_")}
    return names


def actual() -> dict[str, set[str]]:
    """The same of the database at hand."""
    found: dict[str, set[str]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        for table, name, kind, not_null, default, generated in cursor.fetchall():
            found[table].add(canonical(_column(name, kind, not_null, default, generated)))
        cursor.execute(CONSTRAINTS)
        for table, name, definition in cursor.fetchall():
            found[table].add(canonical(f"{name}: {_constraint(definition)}"))
        cursor.execute(INDEXES)
        for table, name, unique, definition in cursor.fetchall():
            on = definition.partition(" USING btree ")[2]
            found[table].add(canonical(f"{name}: {'UNIQUE ' if unique else ''}INDEX {on}"))
    return found


def enums() -> dict[str, list[str]]:
    """Type → labels in their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.typname, array_agg(e.enumlabel::text ORDER BY e.enumsortorder) "
            "FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY 1"
        )
        return dict(cursor.fetchall())


def canonical(line: str) -> str:
    """One spelling: conditions without casts, quotes and brackets, their AND-terms sorted."""
    head, word, condition = re.match(r"(.*?)(?:( WHERE |: CHECK )(.*))?$", line).groups()
    if word is None:
        return line
    terms = (_term(term) for term in condition.split(" OR "))
    return head + word + " OR ".join(" AND ".join(sorted(term.split(" AND "))) for term in terms)


def _blocks() -> list[list[str]]:
    text = re.sub(r"^#.*\n", "", EXPECTED.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [block.split("\n") for block in text.strip().split("\n\n")]


def _column(name: str, kind: str, not_null: bool, default: str | None, generated: bool) -> str:
    kind = TYPES.get(kind, kind).replace("character varying", "varchar")
    line = f"{name} {kind}" + ("" if not_null else " null")
    if default is None:
        return line
    if generated:
        return f"{line} = GENERATED {_term(default)}"
    if default.startswith("nextval("):
        return f"{line} = serial"
    bare = re.sub(r"'(.*)'|(\d+)\.0", r"\1\2", re.sub(r"::[\w ]+", "", default))
    return f"{line} = " + ({"statement_timestamp()": "now", "now()": "now", "": "''"}.get(bare.lower(), bare))


def _constraint(definition: str) -> str:
    match = re.match(r"FOREIGN KEY (\(\w+\)) REFERENCES (\w+)\(\w+\)(?: ON DELETE (.*))?$", definition)
    return f"FOREIGN KEY {match[1]} -> {match[2]} {match[3]}" if match else definition


def _term(condition: str) -> str:
    text = re.sub(r"::[\w ]*\w(\[\])?", "", condition).replace("'", "")
    text = re.sub(r"= ANY \(+ARRAY\[(.*?)\]\)*", r"IN [\1]", text)
    text = re.sub(r"IN \((.*?)\)", r"IN [\1]", text)
    return re.sub(r"[()]", "", text)
