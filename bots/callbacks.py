"""Addresses of buttons, `<scope>:<section>:<action>[:<id>[:<arg>]]`, and who handles them.

An address is never a permission. It can only be packed when its handler exists, so no screen has a dead button.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from bots.visit import Reply
from fieldservice.lib.clean import read_number

MAX_BYTES = 64
Handler = Callable[..., Reply]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True, slots=True)
class Route:
    """A handler and how its arguments are read."""

    path: str
    handler: Handler
    #: the types of the arguments after the visit, and how many of them must be there
    types: tuple[type, ...]
    required: int
    #: what the person must be allowed to; its meaning is the bot's
    needs: str
    #: shown again when the handler refuses: what is true now
    back: Handler | None

    def read(self, words: Iterable[str]) -> tuple[Any, ...] | None:
        """The arguments typed; None when they do not fit."""
        parts = list(words)
        if not self.required <= len(parts) <= len(self.types):
            return None
        if any(kind is int and read_number(part) is None for kind, part in zip(self.types, parts, strict=False)):
            return None
        return tuple(kind(part) for kind, part in zip(self.types, parts, strict=False))


class Registry:
    """Handlers by address: one dictionary look-up instead of a chain of filters."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}

    def on(self, path: str, *, needs: str = "", back: Handler | None = None) -> Callable[[H], H]:
        """Register a handler `(visit, *ints or strings)`. Raises ValueError when the path is taken."""

        def register(handler: H) -> H:
            if path in self.routes:
                raise ValueError(f"{path} has a handler already")
            parameters = list(inspect.signature(handler, eval_str=True).parameters.values())[1:]
            required = sum(parameter.default is parameter.empty for parameter in parameters)
            types = tuple(parameter.annotation for parameter in parameters)
            self.routes[path] = Route(path, handler, types, required, needs, back)
            return handler

        return register

    def find(self, data: str) -> tuple[Route, tuple[Any, ...]] | None:
        """The route with the longest path that `data` begins with, and its arguments; None for a stale address."""
        words = data.split(":")
        for length in range(len(words), 0, -1):
            if route := self.routes.get(":".join(words[:length])):
                args = route.read(words[length:])
                return None if args is None else (route, args)
        return None

    def pack(self, path: str, *args: int | str) -> str:
        """An address. Raises ValueError when it has no handler, does not fit it, or is too long."""
        data = ":".join([path, *map(str, args)])
        found = self.find(data)
        # an argument that reads like the rest of a longer address is taken for it
        if found is None or found[0].path != path:
            raise ValueError(f"no handler for {data}")
        if len(data.encode()) > MAX_BYTES:
            raise ValueError(f"{data} is longer than {MAX_BYTES} bytes")
        return data


ROUTES = Registry()
on = ROUTES.on
to = ROUTES.pack
