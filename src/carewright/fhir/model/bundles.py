"""Bundles as answers (https://hl7.org/fhir/R4/bundle.html)."""

from collections.abc import Iterable

from carewright.contracts.fhir.basics import Resource, said


def address(base: str, one: Resource) -> str:
    return f"{base}/{one['resourceType']}/{one['id']}"


def searchset(base: str, matches: Iterable[Resource], total: int | None, self_link: str) -> Resource:
    """What a search found. `total` counts all matches, also those on other pages."""
    return said({
        "resourceType": "Bundle",
        "type": "searchset",
        "total": total,
        "link": [{"relation": "self", "url": self_link}],
        "entry": [{"fullUrl": address(base, one), "resource": one, "search": {"mode": "match"}} for one in matches],
    })  # fmt: skip
