"""Reading a catalogue of places: CSV `type;city;district;name;centroid_lat;centroid_lon`. Pure: text in, rows out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from fieldservice.lib.clean import clean, shorten
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.point import Point, make_point

KINDS = ("city", "district", "street")
REQUIRED = ("type", "city", "district", "name")
COLUMNS = (*REQUIRED, "centroid_lat", "centroid_lon")
LENGTHS = {"city": 120, "district": 120, "street": 200}
DELIMITERS = {";": ";", ",": ",", "tab": "\t", "|": "|"}


@dataclass(frozen=True, slots=True)
class Row:
    """One place of the file; `line` as an editor counts."""

    line: int
    kind: str
    city: str
    district: str
    name: str
    centre: Point | None


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that cannot be taken, and why."""

    line: int
    sentence: str

    def __str__(self) -> str:
        return _("Line %(line)s: %(sentence)s") % {"line": self.line, "sentence": self.sentence}


@dataclass(slots=True)
class Catalog:
    """What a file holds."""

    rows: list[Row] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)


def decode(content: bytes) -> str:
    """UTF-8, with or without the mark at its beginning. Raises InvalidError."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidError(
            _("Line %(line)s is not UTF-8: save the file as «CSV UTF-8» and try again.") % {"line": line}
        ) from error


def read_catalog(text: str, *, delimiter: str = ";", most: int | None = None) -> Catalog:
    """Every row, or why it is none; no more than `most` of both. Raises InvalidError when the header is not the
    expected one.
    """
    # line ends as editors know them: a form feed or a Unicode line separator inside a name ends no row
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    catalog, columns = Catalog(), _columns(_next(reader) or [], delimiter)
    while most is None or len(catalog.rows) + len(catalog.bad) < most:
        line = reader.line_num + 1
        cells = _next(reader)
        if cells is None:
            break
        if any("\n" in cell or "\r" in cell for cell in cells):
            catalog.bad.append(Bad(line, _("has a quote that is not closed, or a cell of several lines.")))
        elif any(cell.strip() for cell in cells):
            _take(catalog, line, columns, cells)
    return catalog


def _next(reader: Any) -> list[str] | None:
    """The cells of the next row; None at the end."""
    try:
        cells: list[str] | None = next(reader, None)
    except csv.Error:  # a cell of more than 128 kB goes through many lines
        return ["\n"]
    return cells


def _columns(header: Iterable[str], delimiter: str) -> list[str]:
    columns = [clean(cell).lower() for cell in header]
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise InvalidError(
            _("The first line must name the columns %(columns)s; there is no %(missing)s. Is «%(delimiter)s» right?")
            % {"columns": ";".join(COLUMNS), "missing": ", ".join(missing), "delimiter": delimiter}
        )
    return columns


def _take(catalog: Catalog, line: int, columns: list[str], cells: list[str]) -> None:
    try:
        if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
            raise InvalidError(_("has more cells than the first line has columns."))
        values = dict.fromkeys(COLUMNS, "") | dict(zip(columns, map(clean, cells), strict=False))
        catalog.rows.append(_row(line, values))
    except InvalidError as error:
        catalog.bad.append(Bad(line, str(error)))


def _row(line: int, values: dict[str, str]) -> Row:
    kind = values["type"].lower()
    if kind not in KINDS:
        typed = shorten(values["type"])
        raise InvalidError(_("the type «%(type)s» is not city, district or street.") % {"type": typed})
    name = " ".join((values["name"] or (values["city"] if kind == "city" else "")).split())
    if not name:
        raise InvalidError(_("has no name."))
    if not any(char.isalnum() for char in name) or len(name) > LENGTHS[kind]:
        raise InvalidError(_("«%(name)s» is no name of a place.") % {"name": shorten(name)})
    if kind != "city" and not values["city"]:
        raise InvalidError(_("«%(name)s» has no city.") % {"name": shorten(name)})
    district = values["district"] if kind == "street" else ""
    return Row(line, kind, values["city"], district, name, _centre(values))


def _centre(values: dict[str, str]) -> Point | None:
    lat, lon = values["centroid_lat"].replace(",", "."), values["centroid_lon"].replace(",", ".")
    if not lat and not lon:
        return None
    try:
        return make_point(float(lat), float(lon))
    except ValueError as error:
        raise InvalidError(
            _("«%(lat)s; %(lon)s» are no coordinates.") % {"lat": shorten(lat), "lon": shorten(lon)}
        ) from error
