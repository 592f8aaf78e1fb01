"""A mapping: how rows of a file become values, as data (TOML). A word in it that is unknown or missing is refused before a row is read."""

import tomllib
from collections.abc import Mapping
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from carewright.contracts.migration import InvalidMapping

Kind = Literal["patient", "appointment"]
FIELDS: Mapping[Kind, frozenset[str]] = {
    "patient": frozenset({"id", "family", "given", "birth_on", "gender", "language", "phone", "email"}),
    "appointment": frozenset({"id", "patient", "start", "end", "visit_type", "site", "practitioner", "status"}),
}
NEEDED: Mapping[Kind, frozenset[str]] = {
    "patient": frozenset({"id", "family"}),
    "appointment": frozenset({"id", "patient", "start", "visit_type", "site"}),
}
Text = Annotated[str, Meta(min_length=1, max_length=200)]


class FileMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`columns` name the column of each field, `constants` the value of a field that has none, `identifiers` the column of each system's.

    `source` names the system that the ids are of, as the system of an identifier. `codes` say, for a field, what each word of theirs is
    here; a word that is not in its table is refused. `date` and `start` are formats of strptime, `start` that of `end` too. `encoding` and
    `separator` are found out where they are empty. `absent` says what it means that an export does not list an appointment any more.
    """

    kind: Kind
    source: Text
    encoding: str = ""
    separator: Annotated[str, Meta(max_length=1)] = ""
    date: Text = "%Y-%m-%d"
    start: Text = "%Y-%m-%dT%H:%M:%S%z"
    time_zone: Text = "UTC"
    absent: Literal["kept", "cancelled"] = "kept"
    columns: dict[str, Text]
    constants: dict[str, Text] = {}
    identifiers: dict[Text, Text] = {}
    codes: dict[str, dict[str, Text]] = {}

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def named_columns(self) -> frozenset[str]:
        """Every column that the file must have."""
        return frozenset({*self.columns.values(), *self.identifiers.values()})


def mapping_in(text: str) -> FileMapping:
    """The mapping in a TOML document. Raises `InvalidMapping`, which says what is wrong with it."""
    try:
        mapping = msgspec.convert(tomllib.loads(text), FileMapping)
    except tomllib.TOMLDecodeError as fault:
        raise InvalidMapping(f"The mapping is no TOML: {fault}.") from fault
    except msgspec.ValidationError as fault:
        raise InvalidMapping(f"The mapping is out of form: {fault}.") from fault
    ensure_usable(mapping)
    return mapping


def ensure_usable(mapping: FileMapping) -> None:
    """Hold a mapping against what there is to say of its kind. Raises `InvalidMapping`."""
    try:
        mapping.zone  # noqa: B018  # a zone that nobody knows raises
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise InvalidMapping("`time_zone` is not an IANA time zone name, such as America/Chicago.") from fault
    given = {*mapping.columns, *mapping.constants}
    unknown = sorted((given | set(mapping.codes)) - FIELDS[mapping.kind])
    missing = sorted(NEEDED[mapping.kind] - given)
    if unknown:
        raise InvalidMapping(f"There is no field {unknown[0]!r} of a {mapping.kind}.", field=unknown[0])
    if missing:
        raise InvalidMapping(f"A {mapping.kind} needs a column or a constant for {missing[0]!r}.", field=missing[0])
    if mapping.identifiers and mapping.kind != "patient":
        raise InvalidMapping("Identifiers are of patients.", field="identifiers")
