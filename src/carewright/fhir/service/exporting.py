"""Bulk Data's export: asked for, looked at, cancelled, and read page by page. Nothing is copied: a file is made while it is read.

Who may export, and which types their scopes show, is asked at each step; what scopes show, of each resource.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal
from uuid import UUID

import msgspec

from carewright.contracts import smart
from carewright.contracts.directory import FindEntries
from carewright.contracts.encounters import SearchEncounters
from carewright.contracts.fhir import directory, flow, people, scheduling
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import ExportsEnough, UnknownExport
from carewright.contracts.patients import ListPatients
from carewright.contracts.schedules import ListSchedules
from carewright.contracts.scheduling import SearchAppointments
from carewright.contracts.smart import READ, ScopeMissing
from carewright.fhir import store
from carewright.fhir.context import FhirContext
from carewright.fhir.model import exports as model
from carewright.fhir.model.exports import Export, Level, Piece, Wish
from carewright.fhir.model.listed import EntryKind
from carewright.fhir.model.ndjson import ndjson
from carewright.fhir.model.summarizing import elements_of
from carewright.fhir.service.candidates import all_services
from carewright.fhir.service.filtering import filters_for, fitting
from carewright.fhir.service.listing import ENTRIES
from carewright.fhir.service.scoping import shown
from carewright.kernel import audit
from carewright.kernel.errors import BadInput

EXPORT = smart.EXPORT
manifest = model.manifest
PAGE = 1_000
PATIENTS_AT_A_TIME = 200
Pages = AsyncIterator[list[Resource]]


async def start_export(ctx: FhirContext, level: Level, wish: Wish, request: str, *, lenient: bool, group_id: UUID | None = None) -> Export:
    """Ask for an export of what the actor may read; of a group's patients, `group_id` says which.

    Raises `Forbidden`, `ScopeMissing`, `BadInput`, `ExportsEnough`, `UnknownGroup`.
    """
    ctx.actor.require(EXPORT)
    await _members(ctx, group_id)
    kinds = model.kinds_of(level, wish, lenient=lenient)
    readable = tuple(kind for kind in kinds if smart.may(ctx.actor, kind, READ))
    if not readable or (wish.kinds and readable != kinds):
        raise ScopeMissing
    if len(request) > model.REQUEST_LENGTH_MAX:
        raise BadInput("This address is longer than we keep. Post what is asked for.")
    now, filters = ctx.clock.now(), filters_for(ctx, wish.filters, readable, lenient=lenient)
    made = Export(
        id=ctx.ids.new(), kinds=readable, since=wish.since, elements=wish.elements, filters=filters, group_id=group_id, request=request,
        asked_at=now, until=now + model.KEPT,
    )  # fmt: skip
    async with ctx.db.transaction() as tx:
        if not await store.insert_export(tx, ctx.actor.organization_id, ctx.actor.subject, made, model.OPEN_MAX):
            raise ExportsEnough
        await audit.record(tx, audit.entry(ctx, "fhir.export.start", "E", entities=(_entity(made.id),)))
    return made


async def get_export(ctx: FhirContext, id_: UUID) -> Export:
    """An export of the actor's own. Raises `UnknownExport` for one that is over, cancelled, or somebody else's."""
    ctx.actor.require(EXPORT)
    found = await store.export_by_id(ctx.db, ctx.actor.organization_id, id_, ctx.actor.subject, ctx.clock.now())
    if found is None:
        raise UnknownExport
    return found


async def cancel_export(ctx: FhirContext, id_: UUID) -> None:
    """End an export; its files are there no more. Raises `UnknownExport`."""
    ctx.actor.require(EXPORT)
    async with ctx.db.transaction() as tx:
        if not await store.delete_export(tx, ctx.actor.organization_id, id_, ctx.actor.subject, ctx.clock.now()):
            raise UnknownExport
        await audit.record(tx, audit.entry(ctx, "fhir.export.cancel", "D", entities=(_entity(id_),)))


async def pieces_of(ctx: FhirContext, export: Export) -> list[Piece]:
    """The files of an export as they are now: appointments come by the month in which they start."""
    if "Appointment" not in export.kinds:
        return list(model.pieces_of(export, None, None))
    return list(model.pieces_of(export, await _edge(ctx, "start"), await _edge(ctx, "-start")))


async def lines_of(ctx: FhirContext, export: Export, piece: Piece) -> AsyncIterator[bytes]:
    """A file as NDJSON, a page at a time, for whoever may read it when each page is made. The reading is recorded by each module.

    Raises `UnknownExport` for what is no file of this export, and `UnknownGroup` where its group is there no more.
    """
    if piece.kind not in export.kinds:
        raise UnknownExport
    fits, names = fitting(ctx, export.filters, piece.kind), model.elements_for(piece.kind, export.elements)
    members = await _members(ctx, export.group_id)
    async for page in _pages(ctx, piece) if members is None else _pages_about(ctx, piece, members):
        found = (one for one in shown(ctx, piece.kind, page, READ) if model.is_changed(one, export.since) and fits(one))
        yield ndjson(elements_of(store.r4_definitions(), one, names) if names else one for one in found)


def _pages(ctx: FhirContext, piece: Piece) -> Pages:
    if piece.month is not None:
        return _appointments(ctx, piece.month)
    by_kind: Mapping[str, Callable[[FhirContext], Pages]] = {
        "Encounter": _encounters, "Patient": _patients, "Schedule": _schedules, "HealthcareService": _services,
    } | {kind: partial(_entries, kind) for kind in ENTRIES}  # fmt: skip
    return by_kind[piece.kind](ctx)


async def _members(ctx: FhirContext, group_id: UUID | None) -> tuple[UUID, ...] | None:
    """Who is in the group at this moment; None where an export is of no group. Raises `ScopeMissing`, `UnknownGroup`."""
    if group_id is None:
        return None
    if not smart.may(ctx.actor, "Group", READ):
        raise ScopeMissing
    return await ctx.patients.list_members(ctx.actor, group_id)


async def _pages_about(ctx: FhirContext, piece: Piece, patient_ids: Sequence[UUID]) -> Pages:
    """What a file has about some patients, asked for a few of them at a time. There is a page even about nobody."""
    yield []
    for first in range(0, len(patient_ids), PATIENTS_AT_A_TIME):
        some = tuple(patient_ids[first : first + PATIENTS_AT_A_TIME])
        if piece.month is not None:
            pages = _appointments(ctx, piece.month, some)
        else:
            pages = _encounters(ctx, some) if piece.kind == "Encounter" else _patients_named(ctx, some)
        async for page in pages:
            yield page


def _appointments(ctx: FhirContext, month: datetime, patient_ids: tuple[UUID, ...] = ()) -> Pages:
    query = SearchAppointments(patient_ids=patient_ids, start_from=month, start_until=model.after_month(month), limit=PAGE)
    return _walked(partial(ctx.scheduling.search_appointments, ctx.actor), query, "items", scheduling.appointment)


def _encounters(ctx: FhirContext, patient_ids: tuple[UUID, ...] = ()) -> Pages:
    query = SearchEncounters(patient_ids=patient_ids, limit=PAGE)
    return _walked(partial(ctx.flow.search_encounters, ctx.actor), query, "items", flow.encounter)


def _schedules(ctx: FhirContext) -> Pages:
    return _walked(partial(ctx.scheduling.list_schedules, ctx.actor), ListSchedules(limit=PAGE), "items", scheduling.schedule)


def _entries(kind: EntryKind, ctx: FhirContext) -> Pages:
    plural, render = ENTRIES[kind]
    return _walked(partial(ctx.directory.find_entries, ctx.actor), FindEntries(resource_type=kind, limit=PAGE), plural, render)


async def _walked(
    ask: Callable[[Any], Awaitable[Any]], query: Any, plural: str, render: Callable[[Any], Resource],
    following: Callable[[Any], Any] = lambda page: page.next,
) -> Pages:  # fmt: skip
    """Page after page of a module's list, rendered while the next is fetched.

    `plural` is where a page has its values, `following` says after what the next page begins, if there is one.
    """
    asked = asyncio.ensure_future(ask(query))
    try:
        while True:
            page = await asked
            after = following(page)
            if after is not None:
                asked = asyncio.ensure_future(ask(msgspec.structs.replace(query, after=after)))
                await asyncio.sleep(0)  # the question is on its way before this thread is busy
            yield [render(one) for one in getattr(page, plural)]
            if after is None:
                return
    finally:
        asked.cancel()


def _patients(ctx: FhirContext) -> Pages:
    ask = partial(ctx.patients.list_patients, ctx.actor)
    return _walked(ask, ListPatients(limit=PAGE), "items", people.patient, lambda page: page.items[-1].id if page.more else None)


async def _patients_named(ctx: FhirContext, patient_ids: tuple[UUID, ...]) -> Pages:
    yield [people.patient(one) for one in await ctx.patients.get_patients(ctx.actor, patient_ids)]


async def _services(ctx: FhirContext) -> Pages:
    yield [directory.healthcare_service(one.service, one.visit_types) for one in await all_services(ctx)]


async def _edge(ctx: FhirContext, order: Literal["start", "-start"]) -> datetime | None:
    """When the first appointment starts, or the last; None where there are none."""
    page = await ctx.scheduling.search_appointments(ctx.actor, SearchAppointments(order=order, limit=1))
    return page.items[0].start if page.items else None


def _entity(export_id: UUID) -> audit.Entity:
    return audit.Entity(type="Export", id=export_id)
