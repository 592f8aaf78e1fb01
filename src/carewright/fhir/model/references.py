"""References between rows: every way FHIR has of pointing at a resource becomes a list of identifiers it must carry.

A FHIR id is an identifier too: `Practitioner/12` is `urn:carewright:source:Practitioner|12`, kept with every imported resource.
"""

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from carewright.contracts.directory import SOURCE_SYSTEM, Identifier
from carewright.fhir.model import r4

ResourceType = Literal["Organization", "Location", "Practitioner", "PractitionerRole", "Device", "Patient", "Encounter", "Observation"]
ORDER: tuple[ResourceType, ...] = (
    "Organization", "Location", "Practitioner", "PractitionerRole", "Device", "Patient", "Encounter", "Observation",
)  # fmt: skip
"""What is imported, each after the types it refers to."""

FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
LITERAL = re.compile(r"(?:^|/)([A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?$")
CONDITIONAL = re.compile(r"^([A-Za-z]+)\?identifier=([^&]+)$")
BUNDLE_ENTRY = re.compile(r"^urn:uuid:([0-9A-Fa-f-]{36})$")
ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
DEPTH_MAX = 20


class Ref(msgspec.Struct, frozen=True):
    """A pointer at a resource of one type, by any of these identifiers. With none of them it points nowhere."""

    resource_type: ResourceType
    identifiers: tuple[Identifier, ...]


def source_identifier(resource_type: ResourceType, source_id: str) -> Identifier:
    """The identifier that keeps a resource's FHIR id, so that the next import knows it again."""
    return Identifier(system=SOURCE_SYSTEM + resource_type, value=source_id)


def read_ref(reference: r4.Reference | None, resource_type: ResourceType) -> Ref | None:
    """What `reference` points at, if a `resource_type` may stand there; None where the row has no reference.

    Relative and absolute addresses count by type and id alone (the server's name is passed over: an export is one server's),
    and so do `urn:uuid` entries and conditional references (`Practitioner?identifier=system|value`).
    """
    if reference is None:
        return None
    found = (_literal(reference.reference or "", resource_type), _logical(reference.identifier))
    return Ref(resource_type, tuple(identifier for identifier in found if identifier))


def _literal(text: str, resource_type: ResourceType) -> Identifier | None:
    if match := BUNDLE_ENTRY.search(text):
        return source_identifier(resource_type, match[1])
    if (match := CONDITIONAL.search(text)) and match[1] == resource_type:
        system, _, value = _unescaped(match[2]).partition("|")
        return Identifier(system=system, value=value) if system and value else None
    if (match := LITERAL.search(text)) and match[1] == resource_type:
        return source_identifier(resource_type, match[2])
    return None


def _logical(identifier: r4.Identifier | None) -> Identifier | None:
    if identifier is None or not identifier.system or not identifier.value:
        return None
    return Identifier(system=identifier.system.strip(), value=identifier.value.strip())


def _unescaped(text: str) -> str:
    """Percent escapes of RFC 3986 section 2.1 undone."""
    return ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), text.encode()).decode(errors="replace")


def by_depth(parents: Mapping[str, str | None]) -> tuple[list[list[str]], list[str]]:
    """Ids in levels, each after its parents; and those in a circle, beneath one, or more than `DEPTH_MAX` levels deep."""
    waiting = dict(parents)
    levels: list[list[str]] = []
    while waiting and len(levels) < DEPTH_MAX:
        level = [key for key, parent in waiting.items() if parent is None or parent not in waiting]
        if not level:
            break
        levels.append(level)
        for key in level:
            del waiting[key]
    return levels, list(waiting)
