"""Expected failures: their message is a sentence for a person, in that person's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class DomainError(Exception):
    """Something a person asked for cannot be done. `str(error)` says why and what to do; nothing was written."""

    #: machine-readable name, for logs and JSON answers
    code = "refused"

    def __init__(self, message: str, *, code: str = "", **details: Any) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.details = details


class NotFoundError(DomainError):
    """No such row, or not within the person's sight: both look the same from outside."""

    code = "not_found"


class ForbiddenError(DomainError):
    """The person may not do this."""

    code = "forbidden"


class StaleError(DomainError):
    """The row changed since the person saw it."""

    code = "stale"


class ConflictError(DomainError):
    """The state does not allow it (any more)."""

    code = "conflict"


class InvalidError(DomainError):
    """Wrong input. `fields` maps field names to sentences; the message joins them."""

    code = "invalid"

    def __init__(self, fields: Mapping[str, str] | str, *, code: str = "", **details: Any) -> None:
        self.fields = {"": fields} if isinstance(fields, str) else dict(fields)
        super().__init__(" ".join(self.fields.values()), code=code, **details)
