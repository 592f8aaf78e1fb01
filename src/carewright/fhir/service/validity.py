"""Whether what was sent is a resource at all; asked before anything is done with it."""

from collections.abc import Sequence

from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import InvalidElement, InvalidResource
from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions

Issues = list[dict[str, str | int | None]]


def ensure_valid(resource: object) -> None:
    """Raises `InvalidResource` with everything that is wrong with its form."""
    issues: Issues = [
        {"code": each.type, "diagnostics": f"{each.rule}: {each.text}" if each.rule else each.text, "expression": each.expression}
        for each in issues_of(r4_definitions(), resource)
        if each.severity == "error"
    ]
    if issues:
        raise InvalidResource(issues=issues)


def ensure_type(kind: str, resource: Resource) -> None:
    """Raises `InvalidElement` for a resource of another type than the address names."""
    if resource["resourceType"] != kind:
        raise InvalidElement(f"A resource of the type {kind} belongs here.", expression=kind)


def ensure_id(kind: str, resource: Resource, ids: Sequence[str | None]) -> None:
    """R4: where the id in the body is not that of the address, the answer is 400 (`InvalidResource`)."""
    if resource.get("id") not in ids:
        issues: Issues = [{"code": "invalid", "diagnostics": "The id is not the one of the address.", "expression": f"{kind}.id"}]
        raise InvalidResource(issues=issues)
