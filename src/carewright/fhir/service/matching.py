"""Which resource the criteria of a conditional write mean (https://hl7.org/fhir/R4/http.html#ccreate)."""

from collections.abc import Sequence

from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import NotSelective
from carewright.fhir.context import FhirContext
from carewright.fhir.model.searching.results import kind_of
from carewright.fhir.service.searching import search

ENOUGH = (("_count", "2"),)
"""Whether there is a second match is all that has to be known."""


async def the_one(ctx: FhirContext, kind: str, criteria: Sequence[tuple[str, str]], base: str) -> Resource | None:
    """The one resource that meets the criteria, None where there is none.

    Raises `NotSelective` for several, and for no criteria at all; and what a strict search refuses: what is not known must not be left
    out here.
    """
    asked = [pair for pair in criteria if kind_of(pair[0]) is None]
    if not asked:
        raise NotSelective("Say by which criteria it is found.")
    bundle = await search(ctx, kind, (*asked, *ENOUGH), base, strict=True)
    matches = [each["resource"] for each in bundle.get("entry", ()) if each["search"]["mode"] == "match"]
    if len(matches) > 1:
        raise NotSelective
    return matches[0] if matches else None
