"""Codes of others, looked up: tables first, then what speaks for itself. What nobody knows does not fit."""

from collections.abc import Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.contracts.directory import FindByIdentifier, Identifier
from carewright.hl7 import store
from carewright.hl7.context import Codes, Hl7Context
from carewright.hl7.model.codes import NPI, Coded, DoesNotFit, Table

UNMAPPED = "hl7.unmapped"
OTHER = "other"
"""A cancellation's reason (FHIR appointment-cancellation-reason), where the sender's is none that we know."""


async def codes_of(ctx: Hl7Context) -> Codes:
    """The organization's tables, and where its sites are."""

    async def ask() -> Codes:
        sites = (await ctx.directory.find_sites(ctx.actor)).items
        zones = {site.id: ZoneInfo(site.time_zone) for site in sites if site.time_zone}
        return Codes(await store.mappings(ctx.db, ctx.actor.organization_id), zones)

    return await ctx.known.of(ctx.actor.organization_id, ctx.clock.monotonic_seconds(), ask)


def ours(codes: Codes, table: Table, given: Sequence[str]) -> UUID:
    """Our id for the first code that has one. Raises `DoesNotFit`, which names the table and the first code."""
    for code in given:
        if (found := _id(codes.mappings.get((table, code), code))) is not None:
            return found
    raise DoesNotFit(UNMAPPED if given else "hl7.missing", f"{table} {given[0]}" if given else table)


def site_of(codes: Codes, places: Sequence[str]) -> UUID:
    """The site of the first place that is mapped to one; the only site, where there is but one."""
    if len(codes.zones) == 1 and not any(("site", place) in codes.mappings for place in places):
        return next(iter(codes.zones))
    found = ours(codes, "site", places)
    if found not in codes.zones:
        raise DoesNotFit(UNMAPPED, f"site {places[0]}")
    return found


async def practitioner_of(ctx: Hl7Context, codes: Codes, given: Sequence[Coded]) -> UUID | None:
    """The practitioner who is asked for: by the table, or by an identifier of the directory. None where nobody is."""
    if not given:
        return None
    for one in given:
        if (found := _id(codes.mappings.get(("practitioner", one.value), one.value))) is not None:
            return found
    identifiers = tuple(Identifier(system=NPI, value=one.value) for one in given) + tuple(
        one.identifier(codes.authorities) for one in given
    )
    query = FindByIdentifier(resource_type="Practitioner", identifiers=identifiers)
    matches = {match.identifier: match.id for match in await ctx.directory.find_by_identifier(ctx.actor, query)}
    found = next((matches[one] for one in identifiers if one in matches), None)
    if found is None:
        raise DoesNotFit(UNMAPPED, f"practitioner {given[0].value}")
    return found


def reason_of(codes: Codes, given: str) -> str:
    """Why something was cancelled, in our words. A code that nobody mapped must not keep a cancellation from happening."""
    return codes.mappings.get(("cancellation-reason", given), OTHER)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == len(str(UUID(int=0))) else None
    except ValueError:
        return None
