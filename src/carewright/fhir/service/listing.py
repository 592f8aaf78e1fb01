"""Entries of the directory through FHIR: found, read and written by the directory's use cases."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from carewright.contracts.directory import EntriesPage, FindByIdentifier, FindEntries, Identifier, InvalidResource, PutEntry, PutResources
from carewright.contracts.fhir import directory
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import InvalidElement, UnknownId
from carewright.fhir.context import FhirContext
from carewright.fhir.model.left_out import left_out
from carewright.fhir.model.listed import Entry, EntryKind, Listed, Sites, entry_of, expression_of, read_listed
from carewright.fhir.model.pointing import known_uuid
from carewright.fhir.model.searching.narrowing import Narrowing
from carewright.fhir.model.writes import Sent, Written
from carewright.fhir.service.gathering import every_page, uuids
from carewright.fhir.service.telling import told
from carewright.kernel.errors import PreconditionFailed

PAGE = 1_000
IDENTIFIERS_MAX = 500
ATTEMPTS_MAX = 3
ENTRIES: Mapping[EntryKind, tuple[str, Callable[[Any], Resource]]] = {
    "Device": ("devices", directory.device),
    "Location": ("locations", directory.location),
    "Organization": ("organizations", directory.organization),
    "Practitioner": ("practitioners", directory.practitioner),
    "PractitionerRole": ("practitioner_roles", directory.practitioner_role),
}
"""Types of the directory that need nothing besides: where a page has them, and how each is shown."""
PLURALS: Mapping[EntryKind, str] = {kind: plural for kind, (plural, _) in ENTRIES.items()} | {"HealthcareService": "healthcare_services"}
"""All types that are written: a HealthcareService is shown with its kinds of visits."""


async def candidates(kind: EntryKind, ctx: FhirContext, _: Any, bounds: Narrowing) -> list[Resource]:
    """By id or identifier; or all."""
    ids = uuids(bounds.ids) if bounds.ids is not None else await _identified(kind, ctx, bounds)
    if ids == ():
        return []
    plural, render = ENTRIES[kind]
    query = FindEntries(resource_type=kind, ids=ids or (), limit=PAGE)
    return [render(one) for one in await every_page(partial(ctx.directory.find_entries, ctx.actor), query, plural)]


async def _identified(kind: EntryKind, ctx: FhirContext, bounds: Narrowing) -> Any:
    """Ids of the entries with these identifiers; None where none were asked for, or one without its system."""
    asked = bounds.identifiers or frozenset()
    whole = tuple(Identifier(system=each.system, value=each.code) for each in asked if each.system and each.code)
    if not whole or len(whole) < len(asked) or len(whole) > IDENTIFIERS_MAX:
        return None
    found = await ctx.directory.find_by_identifier(ctx.actor, FindByIdentifier(resource_type=kind, identifiers=whole))
    return tuple(each.id for each in found)


async def read(kind: EntryKind, ctx: FhirContext, id_: str) -> Resource:
    return await _shown(kind, ctx, await _stored(kind, ctx, id_))


async def post(kind: EntryKind, ctx: FhirContext, sent: Sent) -> Written:
    """A new entry. Raises `InvalidElement`, `MissingElement`, and what `put_entry` refuses."""
    listed = read_listed(kind, sent.resource, sent.base)
    made = entry_of(listed, None, await _sites(ctx, listed))
    return await _written(kind, ctx, sent, PutEntry(resources=_alone(kind, made), is_new=True))


async def put(kind: EntryKind, ctx: FhirContext, id_: str, sent: Sent) -> Written:
    """The entry says what was sent, and what FHIR cannot say of it stays. Raises what `put_entry` refuses.

    So it is decided on what is there; where that changes meanwhile and no version was asked for, it is decided anew. Whoever sends a key
    sends the same again, and the same command must come of it.
    """
    listed = read_listed(kind, sent.resource, sent.base)
    sites = await _sites(ctx, listed)
    for _ in range(ATTEMPTS_MAX):
        before = await _stored(kind, ctx, id_)
        version = sent.version or (None if sent.key else before.version)
        command = PutEntry(resources=_alone(kind, entry_of(listed, before, sites)), expected_version=version)
        try:
            return await _written(kind, ctx, sent, command)
        except PreconditionFailed:
            if sent.version:
                raise
    raise PreconditionFailed


async def _written(kind: EntryKind, ctx: FhirContext, sent: Sent, command: PutEntry) -> Written:
    work = ctx.directory.put_entry(ctx.actor, command, sent.key)
    shown = await _shown(kind, ctx, _the_one(kind, await told(work, InvalidResource, partial(expression_of, kind))))
    return Written(resource=shown, is_new=command.is_new, left_out=left_out(sent.resource, shown))


async def _shown(kind: EntryKind, ctx: FhirContext, one: Entry) -> Resource:
    if kind in ENTRIES:
        return ENTRIES[kind][1](one)
    summary = await ctx.directory.get_service(ctx.actor, one.id)
    return directory.healthcare_service(summary.service, summary.visit_types)


async def _stored(kind: EntryKind, ctx: FhirContext, id_: str) -> Entry:
    page = await ctx.directory.find_entries(ctx.actor, FindEntries(resource_type=kind, ids=(known_uuid(id_),)))
    return _the_one(kind, page)


def _the_one(kind: EntryKind, page: EntriesPage) -> Entry:
    for one in getattr(page, PLURALS[kind]):
        return cast("Entry", one)
    raise UnknownId


def _alone(kind: EntryKind, entry: Entry) -> PutResources:
    return PutResources(**{PLURALS[kind]: (entry,)})  # type: ignore[arg-type]  # one type, one place


async def _sites(ctx: FhirContext, listed: Listed) -> Sites:
    """The site of each place that is named. Raises `InvalidElement` for a place that is not here."""
    if not listed.places:
        return {}
    query = FindEntries(resource_type="Location", ids=tuple(sorted({each.uuid for each in listed.places})))
    sites = {place.id: place.site_id for place in (await ctx.directory.find_entries(ctx.actor, query)).locations}
    for each in listed.places:
        if each.uuid not in sites:
            raise InvalidElement("We do not know this place here.", expression=each.expression)
    return sites
