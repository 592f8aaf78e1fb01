"""What the scopes of a SMART token let somebody see: asked of every resource before it is shown.

Whether a step is allowed at all is asked at the address (`http/interaction.py`); here it is asked of types that an address does not name,
as includes and chains do, and of what single resources say, where a scope has a constraint.
"""

from collections.abc import Iterable
from datetime import UTC

from carewright.contracts import smart
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import UnknownId
from carewright.contracts.smart import READ, SEARCH
from carewright.fhir.context import FhirContext
from carewright.fhir.model.searching.deciding import matches
from carewright.fhir.model.searching.parsing import parse
from carewright.fhir.model.searching.search import Server
from carewright.fhir.store import search_definitions


def ensure_seen(ctx: FhirContext, kind: str, one: Resource) -> Resource:
    """The resource that is read, if the scopes show it. Raises `ScopeMissing`, and `UnknownId` for one behind a constraint."""
    if not shown(ctx, kind, [one], READ):
        raise UnknownId
    return one


def shown(ctx: FhirContext, kind: str, found: Iterable[Resource], letter: str = SEARCH) -> list[Resource]:
    """Those that the scopes show; what a constraint asks for is decided as a search by its words would be.

    Raises `ScopeMissing` where they show none of this type.
    """
    scopes = smart.scopes_for(ctx.actor, kind, letter)
    if scopes is None or any(not scope.constraint for scope in scopes):
        return list(found)
    here = Server("", UTC, ctx.clock.now())
    asked = [parse(search_definitions(), scope.type, scope.constraint, here, strict=True) for scope in scopes]
    return [one for one in found if any(matches(each, one) for each in asked)]
