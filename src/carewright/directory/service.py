"""The directory's use cases. One function, one transaction, one permission."""

from collections.abc import Sequence
from uuid import UUID

from carewright.contracts.directory import (
    Device,
    DeviceChanged,
    EntriesPage,
    FindByIdentifier,
    FindEntries,
    FindServices,
    FindStaff,
    HealthcareService,
    IdentifierMatch,
    Location,
    LocationChanged,
    Practitioner,
    PractitionerChanged,
    PractitionerRole,
    PutEntry,
    PutResources,
    PutResult,
    Resource,
    ServicesPage,
    ServiceSummary,
    SitesPage,
    Staff,
    StaffPage,
    UnknownResource,
    VisitType,
    VisitTypeChanged,
)
from carewright.directory import model, store
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session, Transaction
from carewright.kernel.errors import BadInput, PreconditionFailed
from carewright.kernel.events import Event
from carewright.kernel.idempotency import once, remember
from carewright.kernel.invariants import invariant
from carewright.kernel.outbox import publish

SITES_MAX = 500
READ = "directory.read"
CHANGE = "directory.change"


async def find_services(ctx: Context, query: FindServices) -> ServicesPage:
    """Active services with their active visit types, by name. `text` is looked for in names and specialty, without case and accents."""
    ctx.actor.require(READ)
    return await store.find_services(ctx.db, ctx.actor.organization_id, query)


async def get_service(ctx: Context, service_id: UUID) -> ServiceSummary:
    """One service, active or not, with its active visit types. Raises `UnknownResource`."""
    ctx.actor.require(READ)
    found = await store.service_by_id(ctx.db, ctx.actor.organization_id, service_id)
    if found is None:
        raise UnknownResource(resource_type="HealthcareService", id=str(service_id))
    return found


async def get_visit_type(ctx: Context, visit_type_id: UUID) -> VisitType:
    """One visit type, active or not. Raises `UnknownResource`."""
    ctx.actor.require(READ)
    found = await store.visit_types_with_service(ctx.db, ctx.actor.organization_id, [visit_type_id])
    if not found:
        raise UnknownResource(resource_type="VisitType", id=str(visit_type_id))
    return found[0][0]


async def find_sites(ctx: Context) -> SitesPage:
    """The active sites by name, `SITES_MAX` at most."""
    ctx.actor.require(READ)
    sites = await store.find_sites(ctx.db, ctx.actor.organization_id, SITES_MAX)
    return SitesPage(items=sites, total=len(sites))


async def find_staff(ctx: Context, query: FindStaff) -> StaffPage:
    """Active staff by name. `specialty` is a code, `system|code`, or part of the specialty's name; it and the site meet in one role."""
    ctx.actor.require(READ)
    return await store.find_staff(ctx.db, ctx.actor.organization_id, query)


async def get_staff(ctx: Context, practitioner_id: UUID) -> Staff:
    """One practitioner, active or not, with every role. Raises `UnknownResource`."""
    ctx.actor.require(READ)
    found = await store.staff_by_id(ctx.db, ctx.actor.organization_id, [practitioner_id])
    if not found:
        raise UnknownResource(resource_type="Practitioner", id=str(practitioner_id))
    return found[0]


async def find_entries(ctx: Context, query: FindEntries) -> EntriesPage:
    """A page of whole entries of one type. Whoever may read the directory may read all of it, whatever their sites."""
    ctx.actor.require(READ)
    return await store.find_entries(ctx.db, ctx.actor.organization_id, query)


async def find_by_identifier(ctx: Context, query: FindByIdentifier) -> tuple[IdentifierMatch, ...]:
    """Our ids of those entries that are known here."""
    ctx.actor.require(READ)
    if len(query.identifiers) > model.IDENTIFIERS_ASKED_MAX:
        raise BadInput(f"Ask for {model.IDENTIFIERS_ASKED_MAX} identifiers at most.", limit=model.IDENTIFIERS_ASKED_MAX)
    return await store.ids_by_identifier(ctx.db, ctx.actor.organization_id, query)


async def put_resources(ctx: Context, command: PutResources) -> PutResult:
    """Store every entry of the change, or none: the refusal names the first that breaks a rule. The same again changes nothing.

    Raises `InvalidResource` with `resource_type`, `id` and `field`. Changes of one tenant wait for each other.
    """
    ctx.actor.require(CHANGE)
    model.ensure_within_limit(command)

    async def work() -> PutResult:
        async with ctx.db.transaction() as tx:
            await _begin_change(ctx, tx, command)
            written = await _put(ctx, tx, command)
            await audit.record(tx, *(_put_entry(ctx, each) for each in written))
            result = _result_of(command, written)
            await remember(ctx, tx, result)
        ctx.wake()
        return result

    return await once(ctx, PutResult, work)


async def put_entry(ctx: Context, command: PutEntry) -> EntriesPage:
    """Store one entry, by the rules of `put_resources`, and answer it as it is then, in the place of its type.

    Raises `UnknownResource` for one that is not new and not there, `PreconditionFailed` where it is at another version than was expected.
    """
    ctx.actor.require(CHANGE)
    given = model.the_one(command.resources)

    async def work() -> EntriesPage:
        async with ctx.db.transaction() as tx:
            await store.lock_directory(tx, ctx.actor.organization_id)
            stored = None if command.is_new else await _stored(ctx, tx, given, command.expected_version)
            entry = given if stored else model.under(ctx.ids.new(), given)
            put = store.in_place(PutResources, entry)
            await _ensure_sound(ctx, tx, put)
            written = await _put(ctx, tx, put)
            await audit.record(tx, *(_put_entry(ctx, each) for each in written))
            result = store.in_place(EntriesPage, written[0] if written else stored or entry)
            await remember(ctx, tx, result)
        ctx.wake()
        return result

    return await once(ctx, EntriesPage, work)


async def bulk_load(ctx: Context, tx: Transaction, put: PutResources) -> PutResult:
    """Fill an empty directory by COPY, with the checks and events of `put_resources`. The caller opened `tx`, and wakes the readers.

    The load is one deed, and has one entry in the journal.
    """
    ctx.actor.require(CHANGE)
    entries = model.entries_of(put)
    await _begin_change(ctx, tx, put)
    invariant(await store.is_empty(tx, ctx.actor.organization_id), "bulk_load fills an empty directory")
    await store.copy_entries(tx, ctx.actor.organization_id, entries)
    await store.copy_identifiers(tx, ctx.actor.organization_id, entries)
    await _publish(ctx, tx, entries)
    await audit.record(tx, audit.entry(ctx, "directory.entry.load", "C"))
    return PutResult(created=len(entries), changed=0, unchanged=0)


async def _begin_change(ctx: Context, tx: Session, put: PutResources) -> None:
    """Lock the tenant's directory, then check the change against it."""
    await store.lock_directory(tx, ctx.actor.organization_id)
    await _ensure_sound(ctx, tx, put)


async def _stored(ctx: Context, tx: Session, entry: Resource, expected_version: int | None) -> Resource:
    """The entry as it is there."""
    about = model.type_of(entry)
    stored = await store.entry_by_id(tx, ctx.actor.organization_id, type(entry), entry.id)
    if stored is None:
        raise UnknownResource(resource_type=about, id=str(entry.id))
    if expected_version not in (None, stored.version):
        raise PreconditionFailed(version=stored.version)
    return stored


async def _ensure_sound(ctx: Context, tx: Session, put: PutResources) -> None:
    """Raise `InvalidResource` for an entry that breaks a rule, by itself or by what it refers to."""
    organization_id = ctx.actor.organization_id
    model.ensure_sound(put, await store.find_targets(tx, organization_id, model.mentioned_ids(put)))
    wholes = {part.part_of_id for part in model.parts_of(put) if part.part_of_id}
    model.ensure_no_circle(put, await store.find_parts_above(tx, organization_id, wholes) if wholes else {})


async def _put(ctx: Context, tx: Session, put: PutResources) -> Sequence[Resource]:
    """Store the entries; those that are new or say something new come back."""
    written = await store.put_entries(tx, ctx.actor.organization_id, model.entries_of(put))
    if written:
        await _claim_identifiers(ctx, tx, written)
        await _publish(ctx, tx, written)
    return written


def _result_of(put: PutResources, written: Sequence[Resource]) -> PutResult:
    created = sum(entry.version == 1 for entry in written)
    return PutResult(created=created, changed=len(written) - created, unchanged=len(model.entries_of(put)) - len(written))


def _put_entry(ctx: Context, written: Resource) -> audit.Entry:
    about = audit.Entity(type=model.type_of(written), id=written.id)
    return audit.entry(ctx, "directory.entry.put", "C" if written.version == 1 else "U", entities=(about,))


async def _claim_identifiers(ctx: Context, tx: Session, written: Sequence[Resource]) -> None:
    """Give up all identifiers of the written entries first, so that two entries of one change may exchange theirs."""
    await store.drop_identifiers(tx, ctx.actor.organization_id, [entry.id for entry in written])
    granted = await store.claim_identifiers(tx, ctx.actor.organization_id, written)
    for entry in written:
        if any((entry.id, identifier) not in granted for identifier in model.identifiers_of(entry)):
            raise model.taken_identifier(entry)


async def _publish(ctx: Context, tx: Session, written: Sequence[Resource]) -> None:
    """Tell what the written entries changed: places and devices themselves, practitioners with roles, visit types with their service."""
    organization_id = ctx.actor.organization_id
    events: list[Event] = [LocationChanged(organization_id=organization_id, location=one) for one in written if isinstance(one, Location)]
    events += [DeviceChanged(organization_id=organization_id, device=one) for one in written if isinstance(one, Device)]
    for staff in await store.staff_by_id(tx, organization_id, await _practitioners_changed(ctx, tx, written)):
        events.append(PractitionerChanged(organization_id=organization_id, practitioner=staff.practitioner, roles=staff.roles))
    for visit_type, service in await store.visit_types_with_service(tx, organization_id, await _visit_types_changed(ctx, tx, written)):
        events.append(VisitTypeChanged(organization_id=organization_id, visit_type=visit_type, service=service))
    await publish(ctx, tx, *events)


async def _practitioners_changed(ctx: Context, tx: Session, written: Sequence[Resource]) -> set[UUID]:
    """Ids of those written, and of those whose roles were: the latter get their next version here."""
    own = {entry.id for entry in written if isinstance(entry, Practitioner)}
    by_role = {entry.practitioner_id for entry in written if isinstance(entry, PractitionerRole)} - own
    if by_role:
        await store.touch_practitioners(tx, ctx.actor.organization_id, by_role)
    return own | by_role


async def _visit_types_changed(ctx: Context, tx: Session, written: Sequence[Resource]) -> set[UUID]:
    """Ids of those written, and of those whose service was: the latter get their next version here."""
    own = {entry.id for entry in written if isinstance(entry, VisitType)}
    services = {entry.id for entry in written if isinstance(entry, HealthcareService)}
    by_service = await store.touch_visit_types(tx, ctx.actor.organization_id, services, own) if services else set()
    return own | by_service
