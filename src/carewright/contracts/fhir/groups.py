"""Lists of patients (https://hl7.org/fhir/R4/group.html)."""

from carewright.contracts.fhir.basics import Resource, identifiers, reference, resource
from carewright.contracts.groups import Group


def group(one: Group) -> Resource:
    """Who is in it, by reference alone."""
    return resource("Group", one.id, {
        "identifier": identifiers(one.identifiers),
        "active": one.active,
        "type": "person",
        "actual": True,
        "name": one.name,
        "quantity": len(one.member_ids) or None,
        "member": [{"entity": reference("Patient", each)} for each in one.member_ids],
    }, one.version, one.updated_at)  # fmt: skip
