"""A write through FHIR, of whatever type: what was sent, and what became of it."""

import msgspec

from carewright.contracts.fhir.basics import Resource


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A resource that has R4's form. `base` is our address, `version` the one in If-Match, `key` the Idempotency-Key."""

    resource: Resource
    base: str = ""
    version: int | None = None
    key: str | None = None


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """The resource as it is now; whether it `is_new`; and the elements, as FHIRPaths, that we have no place for."""

    resource: Resource
    is_new: bool = False
    left_out: tuple[str, ...] = ()


def field_of(fault: msgspec.ValidationError) -> str:
    """The outermost field of a command that a value does not fit."""
    return str(fault).rpartition("`$.")[2].strip("`").partition("[")[0].partition(".")[0]
