"""Expected failures carry a sentence and a code."""

from __future__ import annotations

from fieldservice.lib.errors import ConflictError, DomainError, InvalidError, NotFoundError, StaleError


def test_every_kind_has_its_code():
    kinds = {DomainError: "refused", NotFoundError: "not_found", StaleError: "stale", ConflictError: "conflict"}
    assert {kind: kind("no").code for kind in kinds} == kinds
    assert ConflictError("no", code="limit").code == "limit"


def test_wrong_input_names_its_fields():
    error = InvalidError({"phone": "Wrong phone.", "city": "Wrong city."})
    assert str(error) == "Wrong phone. Wrong city."
    assert error.fields == {"phone": "Wrong phone.", "city": "Wrong city."}
    assert InvalidError("Wrong.").fields == {"": "Wrong."}
