"""Addresses, and the promise that no button is dead."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from bots.callbacks import ROUTES, Registry
from bots.delivery import events  # noqa: F401 - all handlers
from bots.visit import Reply, Visit


@pytest.fixture
def routes() -> Registry:
    made = Registry()

    @made.on("m:sh:brk")
    def choose(visit: Visit, length: str = "") -> Reply:
        return Reply()

    @made.on("m:sh:brk:ok")
    def resume(visit: Visit) -> Reply:
        return Reply()

    @made.on("m:act:card")
    def card(visit: Visit, order_id: int, page: int = 1) -> Reply:
        return Reply()

    return made


def test_the_longest_path_wins(routes: Registry) -> None:
    # v1.2 lost the way back from a break to a prefix
    assert [(r.path, args) for r, args in [routes.find("m:sh:brk:ok"), routes.find("m:sh:brk:2h")]] == [
        ("m:sh:brk:ok", ()),
        ("m:sh:brk", ("2h",)),
    ]


def test_arguments_are_typed(routes: Registry) -> None:
    assert routes.find("m:act:card:7:2")[1] == (7, 2)
    assert routes.find("m:act:card:7")[1] == (7,)


@pytest.mark.parametrize(
    "stale",
    [
        "",
        "m",
        "m:act:card",
        "m:act:card:x",
        "m:act:card:1:2:3",
        "m:act:card:-1",
        "m:gone:1",
        "::",
        "ü" * 40,
        "m:act:card:٣",
        f"m:act:card:{2**31}",
    ],
)
def test_what_does_not_fit_is_stale(routes: Registry, stale: str) -> None:
    assert routes.find(stale) is None


def test_only_addresses_with_handlers_can_be_packed(routes: Registry) -> None:
    assert routes.pack("m:act:card", 7, 2) == "m:act:card:7:2"
    for path, args in (("m:act:dead", ()), ("m:act:card", ()), ("m:act:card", ("x",)), ("m:sh:brk", ("ok",))):
        with pytest.raises(ValueError, match="no handler"):
            routes.pack(path, *args)


def test_addresses_fit_into_64_bytes(routes: Registry) -> None:
    with pytest.raises(ValueError, match="longer than 64"):
        routes.pack("m:sh:brk", "x" * 60)


def test_a_path_has_one_handler(routes: Registry) -> None:
    with pytest.raises(ValueError, match="already"):
        routes.on("m:act:card")(lambda visit: Reply())


def test_every_address_in_the_source_has_a_handler() -> None:
    """Rendered or not: every literal path given to `tap`, `back`, `to` or `pager` is registered."""
    paths = dict(_paths())
    assert len(paths) > 25
    assert {path: place for path, place in paths.items() if path not in ROUTES.routes} == {}


def test_the_worst_ids_fit() -> None:
    big = 2**31 - 1
    for route in ROUTES.routes.values():
        args = [big if kind is int else "15m" for kind in route.types]
        assert len(":".join([route.path, *map(str, args)]).encode()) <= 64


def test_scopes_belong_to_the_bots() -> None:
    assert {path.partition(":")[0] for path in ROUTES.routes} == {"m", "adm"}


def _paths() -> Iterator[tuple[str, str]]:
    names = {"tap": 1, "back": 0, "to": 0, "pager": 0}
    for file in Path(settings.BASE_DIR, "bots").rglob("*.py"):
        if {"sandbox", "tests"} & set(file.parts):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                args = node.args[names[node.func.id] :]
                if args and isinstance(args[0], ast.Constant) and isinstance(args[0].value, str):
                    yield args[0].value, f"{file.name}:{node.lineno}"
