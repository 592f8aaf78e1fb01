"""Whether what was sent is a resource at all; asked before anything is done with it."""

from carewright.contracts.fhir.refusals import InvalidResource
from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions


def ensure_valid(resource: object) -> None:
    """Raises `InvalidResource` with everything that is wrong with its form."""
    issues: list[dict[str, str | int | None]] = [
        {"code": each.type, "diagnostics": f"{each.rule}: {each.text}" if each.rule else each.text, "expression": each.expression}
        for each in issues_of(r4_definitions(), resource)
        if each.severity == "error"
    ]
    if issues:
        raise InvalidResource(issues=issues)
