"""Bundles as answers (https://hl7.org/fhir/R4/bundle.html)."""

from collections.abc import Iterable

from carewright.contracts.fhir.basics import Resource, said


def address(base: str, one: Resource) -> str:
    return f"{base}/{one['resourceType']}/{one['id']}"


def searchset(base: str, matches: Iterable[Resource], total: int | None, self_link: str, unheeded: Iterable[str] = ()) -> Resource:
    """What a search found. `total` counts all matches, also those on other pages; `unheeded` says what was left out of account."""
    return said({
        "resourceType": "Bundle",
        "type": "searchset",
        "total": total,
        "link": [{"relation": "self", "url": self_link}],
        "entry": [
            *({"fullUrl": address(base, one), "resource": one, "search": {"mode": "match"}} for one in matches), *warnings(unheeded),
        ],
    })  # fmt: skip


def warnings(unheeded: Iterable[str]) -> list[Resource]:
    """What was left out of account, said as R4 has it: one OperationOutcome among the entries."""
    issues = [{"severity": "warning", "code": "not-supported", "diagnostics": each} for each in unheeded]
    return [{"resource": {"resourceType": "OperationOutcome", "issue": issues}, "search": {"mode": "outcome"}}] if issues else []
