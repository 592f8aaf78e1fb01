"""A server to ask, and the shortest way to ask it whether a resource is found."""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from carewright.fhir.model.searching.deciding import matches
from carewright.fhir.model.searching.parsing import parse
from carewright.fhir.model.searching.search import Search, Server
from carewright.fhir.store import search_definitions

BASE = "https://hospital.example/fhir/R4"
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Json = dict[str, Any]


def server(zone: tzinfo = UTC) -> Server:
    return Server(BASE, zone, NOW)


def pairs_of(query: str) -> list[tuple[str, str]]:
    """A query without percent signs, as a client would write it on paper."""
    return [(name, value) for name, _, value in (pair.partition("=") for pair in query.split("&"))]


def search(resource_type: str, query: str, zone: tzinfo = UTC, *, strict: bool = True) -> Search:
    return parse(search_definitions(), resource_type, pairs_of(query), server(zone), strict=strict)


def is_found(query: str, resource: Json, zone: tzinfo = UTC) -> bool:
    return matches(search(resource["resourceType"], query, zone), resource)


def found(query: str, resources: Iterable[Json], zone: tzinfo = UTC) -> list[int]:
    """The places of the resources that are found."""
    return [number for number, resource in enumerate(resources) if is_found(query, resource, zone)]
