"""Writing export files: CSV by COPY, workbooks row by row; neither holds more than a page of rows in memory."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import xlsxwriter
from django.db import connections
from xlsxwriter.worksheet import Worksheet

from finance.enums import ExportFormat
from finance.export_tables import BOOL, CSV, INT, MONEY, PLACE, TEXT, TIME, WHOLE, XLSX, Table

#: rows between two looks at whether anybody still wants the file
PAGE = 5000
#: rows of a sheet, with its header
SHEET_ROWS = 1_048_576
CELL_CHARS = 32_767
FORMATS = {INT: "0", WHOLE: "0.##", MONEY: "0.00", PLACE: "0.000000"}
Tell = Callable[[int], None]


def extension(fmt: str, tables: Sequence[Table]) -> str:
    """The file's name ends so: several tables as CSV come in one archive."""
    return "zip" if fmt == ExportFormat.CSV and len(tables) > 1 else fmt


def write(
    path: Path, *, fmt: str, tables: Sequence[Table], params: dict[str, Any], tell: Tell, using: str = "default"
) -> int:
    """Write the file; returns the rows. `tell` hears how many so far and may raise to stop.

    In a transaction of the database `using`.
    """
    if fmt == ExportFormat.XLSX:
        return _workbook(path, tables, params, tell, using)
    if len(tables) == 1:
        with path.open("wb") as file:
            return _csv(file, tables[0], params, tell, 0, using)
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for table in tables:
            with archive.open(f"{table.name}.csv", "w", force_zip64=True) as file:
                done += _csv(file, table, params, tell, done, using)  # type: ignore[arg-type]
    return done


def count(tables: Sequence[Table], params: dict[str, Any], using: str = "default") -> int:
    """How many rows the file will have."""
    with connections[using].cursor() as cursor:
        total = 0
        for table in tables:
            cursor.execute(table.count(), params)
            total += cursor.fetchone()[0]
        return total


def _csv(file: BinaryIO, table: Table, params: dict[str, Any], tell: Tell, before: int, using: str) -> int:
    """UTF-8 with its mark, `;`, CRLF."""
    file.write(("\ufeff" + ";".join(table.names) + "\r\n").encode())
    statement = f"COPY ({table.select(CSV)}) TO STDOUT WITH (FORMAT csv, DELIMITER ';')"
    done, page = 0, []
    database = connections[using]
    # Django leaves the errors of COPY as psycopg's own, which nobody expects
    with database.wrap_database_errors, database.cursor() as cursor, cursor.copy(statement, params) as copy:
        for row in copy:  # one row each, ending in \n; a line break inside a cell stays \n
            page.append(bytes(row[:-1]))
            if len(page) == PAGE:
                done += _flush(file, page)
                tell(before + done)
        done += _flush(file, page)
    tell(before + done)
    return done


def _flush(file: BinaryIO, page: list[bytes]) -> int:
    size = len(page)
    if page:
        file.write(b"\r\n".join(page) + b"\r\n")
        page.clear()
    return size


def _workbook(path: Path, tables: Sequence[Table], params: dict[str, Any], tell: Tell, using: str) -> int:
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False,
        "tmpdir": str(path.parent),
    }  # fmt: skip
    done = 0
    with xlsxwriter.Workbook(str(path), options) as book:
        styles = {kind: book.add_format({"num_format": shown}) for kind, shown in FORMATS.items()}
        head = book.add_format({"bold": True})
        for table in tables:
            sheet, line, number = _sheet(book, table, head, 1), 1, 1
            for row in _rows(table, params, using):
                if line == SHEET_ROWS:
                    number += 1
                    sheet, line = _sheet(book, table, head, number), 1
                _line(sheet, line, table, row, styles)
                line, done = line + 1, done + 1
                if done % PAGE == 0:
                    tell(done)
        tell(done)
    return done


def _sheet(book: Any, table: Table, head: Any, number: int) -> Worksheet:
    sheet = book.add_worksheet(table.name if number == 1 else f"{table.name}_{number}")
    sheet.freeze_panes(1, 0)
    for index, name in enumerate(table.names):
        sheet.set_column(index, index, max(12, len(name) + 2))
        sheet.write_string(0, index, name, head)
    return sheet


def _rows(table: Table, params: dict[str, Any], using: str) -> Iterator[Sequence[Any]]:
    with connections[using].chunked_cursor() as cursor:
        cursor.execute(table.select(XLSX), params)
        while page := cursor.fetchmany(PAGE):
            yield from page


def _line(sheet: Worksheet, line: int, table: Table, row: Sequence[Any], styles: dict[str, Any]) -> None:
    for index, (column, value) in enumerate(zip(table.columns, row, strict=True)):
        if value is None:
            continue
        if column.kind == BOOL:
            sheet.write_boolean(line, index, value)
        elif column.kind in (TEXT, TIME) or isinstance(value, str):
            sheet.write_string(line, index, value[:CELL_CHARS])
        else:
            sheet.write_number(line, index, value, styles[column.kind])
