"""PostgreSQL things Django has no word for: native ENUM types, long names, named foreign keys."""

from fieldservice.lib.pg.constraints import ForeignKeyConstraint, LongIndex, named_fk
from fieldservice.lib.pg.enum_swap import refuse_unknown
from fieldservice.lib.pg.fields import PgEnumField
from fieldservice.lib.pg.operations import CreateEnum, NamePrimaryKey, RecreateEnum

__all__ = [
    "CreateEnum",
    "ForeignKeyConstraint",
    "LongIndex",
    "NamePrimaryKey",
    "PgEnumField",
    "RecreateEnum",
    "named_fk",
    "refuse_unknown",
]
