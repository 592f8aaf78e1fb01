"""What a Group that was sent to us says (https://hl7.org/fhir/R4/group.html), before anybody is looked up."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.datatypes import Identifier
from carewright.contracts.fhir.refusals import InvalidElement
from carewright.contracts.groups import MEMBERS_MAX, GroupDetails
from carewright.fhir.model.left_out import ensure_unmodified, left_out
from carewright.fhir.model.pointing import pointer
from carewright.fhir.model.writes import field_of

ELEMENTS = {"name": "name", "identifiers": "identifier", "active": "active", "member_ids": "member"}
"""Our fields of a group, and the elements of a Group that they come from."""


class _Group(msgspec.Struct, frozen=True):
    type: str
    actual: bool
    active: bool = True
    name: str = ""
    identifier: tuple[Identifier, ...] = ()


def read_group(resource: Resource, base: str) -> GroupDetails:
    """Raises `InvalidElement` with the FHIRPath of what cannot be kept."""
    ensure_unmodified(resource, "characteristic")
    said = msgspec.convert(resource, _Group)
    if said.type != "person" or not said.actual:
        place = "Group.type" if said.actual else "Group.actual"
        raise InvalidElement("A group is of persons here, and of actual ones.", expression=place)
    if len(resource.get("member", ())) > MEMBERS_MAX:
        raise InvalidElement(f"A group has {MEMBERS_MAX:,} members at most.", expression="Group.member")
    if any(not each.system or not each.value for each in said.identifier):
        raise InvalidElement("An identifier has a system and a value.", expression="Group.identifier")
    values: dict[str, Any] = {
        "name": said.name, "active": said.active, "member_ids": list(_members(resource, base)),
        "identifiers": [{"system": each.system, "value": each.value} for each in said.identifier],
    }  # fmt: skip
    try:
        return msgspec.convert(values, GroupDetails)
    except msgspec.ValidationError as fault:
        raise InvalidElement("This is more, or other, than we keep.", expression=expression_of(field_of(fault))) from None


def expression_of(field: str) -> str:
    """The FHIRPath of one of our fields."""
    return f"Group.{ELEMENTS[field]}" if field in ELEMENTS else "Group"


def left_out_of(sent: Resource, kept: Resource) -> tuple[str, ...]:
    """As `left_out`. Every member was kept, so that each is held against the first alone: ten thousand against each other take long."""
    members = [_but_reference(each) for each in sent.get("member", ())]
    return left_out(sent | {"member": members}, kept | {"member": kept.get("member", [])[:1]})


def _members(resource: Resource, base: str) -> Iterator[UUID]:
    """Raises `InvalidElement` for whoever is no patient of ours by a reference, or was a member for a while alone."""
    for number, each in enumerate(resource.get("member", ())):
        place = f"Group.member[{number}]"
        if each.get("inactive") or "period" in each or "modifierExtension" in each:
            raise InvalidElement("Who is not a member now, or is one for a while alone, is not kept.", expression=place)
        found = pointer(each["entity"], f"{place}.entity", base)
        if found is None or found.kind != "Patient":
            raise InvalidElement("A member is a Patient of this server.", expression=f"{place}.entity")
        yield found.uuid


def _but_reference(member: Resource) -> Resource:
    return member | {"entity": {name: value for name, value in member["entity"].items() if name != "reference"}}
