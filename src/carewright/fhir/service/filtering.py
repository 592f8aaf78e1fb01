"""What `_typeFilter` asks of an export: searches of a type, each decided of every resource before it is written.

Filters are kept with the export, so that they may name codes, ids and times, and nothing that could be a person's name or number.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import UTC
from urllib.parse import parse_qsl

from carewright.contracts.fhir.basics import Resource
from carewright.fhir.context import FhirContext
from carewright.fhir.model.searching.deciding import matches
from carewright.fhir.model.searching.parsing import parse
from carewright.fhir.model.searching.refusals import SearchRefused
from carewright.fhir.model.searching.search import Search, Server
from carewright.fhir.store import search_definitions
from carewright.kernel.errors import BadInput

NAMELESS = frozenset({
    "_id", "_lastUpdated", "active", "actor", "appointment-type", "class", "date", "gender", "language", "location", "organization",
    "participant", "patient", "practitioner", "role", "service-category", "service-type", "specialty", "status", "subject", "type",
})  # fmt: skip
"""Search parameters that a filter may have."""


def filters_for(ctx: FhirContext, texts: Iterable[str], kinds: Collection[str], *, lenient: bool) -> tuple[str, ...]:
    """Those of the filters that are served, of the types of the export. Raises `BadInput` and `SearchRefused`, unless `lenient`."""
    kept = []
    for text in texts:
        try:
            _ensure_of(text, kinds)
            _searched(ctx, text)
        except (SearchRefused, BadInput):
            if not lenient:
                raise
            continue
        kept.append(text)
    return tuple(kept)


def fitting(ctx: FhirContext, texts: Iterable[str], kind: str) -> Callable[[Resource], bool]:
    """Whether a resource of a type meets any of the filters that are about it; where none is, every one does."""
    asked = [search for found, search in (_searched(ctx, text) for text in texts) if found == kind]
    return lambda one: not asked or any(matches(each, one) for each in asked)


def _ensure_of(text: str, kinds: Collection[str]) -> None:
    if text.partition("?")[0] not in kinds:
        raise BadInput("A filter is about a type that this export does not have.", parameter="_typeFilter")


def _searched(ctx: FhirContext, text: str) -> tuple[str, Search]:
    """The type that a filter is about, and what it asks. Raises `BadInput` and `SearchRefused`."""
    kind, _, query = text.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=20)
    if not pairs or not all(name.partition(":")[0] in NAMELESS for name, _ in pairs):
        raise BadInput("A filter is `Type?parameter=code`, by codes, ids and times.", parameter="_typeFilter")
    search = parse(search_definitions(), kind, pairs, Server("", UTC, ctx.clock.now()), strict=True)
    if search.links:
        raise BadInput("A filter asks nothing of other resources.", parameter="_typeFilter")
    return kind, search
