"""Use cases of rooms and beds: how they stand, who is put where, what becomes of a place. One function, one transaction, one permission.

A place is taken by whoever locks its row first; the encounter's place, class and status follow in the same transaction.
"""

from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.directory import Coding
from carewright.contracts.encounters import Encounter
from carewright.contracts.flow import NoPlaceFree, PlaceNotSuited, UnknownPlace
from carewright.contracts.rooms import (
    AssignPlace,
    CountPlaces,
    ListPlaces,
    Place,
    PlaceCounts,
    PlacesPage,
    Precautions,
    ProposedPlace,
    ProposedPlaces,
    ProposePlaces,
    SetPrecautions,
    StepPlace,
)
from carewright.flow.model import encounters as encounter_rules
from carewright.flow.model import rooms as rules
from carewright.flow.model import sensing
from carewright.flow.service import bed_requests, places
from carewright.flow.service.encounters import write as write_encounters
from carewright.flow.service.turns import ACT_CODE
from carewright.flow.store import rooms as store
from carewright.flow.store import sensors
from carewright.flow.store.precautions import precautions_of
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import PreconditionFailed
from carewright.kernel.idempotency import once_committed
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.reach import id_after

READ, WORK = places.READ, places.WORK
CHANGE = "flow.place.change"
INPATIENT = Coding(system=ACT_CODE, code="IMP", display="inpatient encounter")
STAYING = frozenset({"IMP", "ACUTE", "NONAC"})
"""v3-ActCode: classes of whoever is admitted."""


async def list_places(ctx: Context, query: ListPlaces) -> PlacesPage:
    """The places of a site, and how each stands. Who is in them is told to those who work with places, where they ask."""
    ctx.actor.require(READ)
    places.ensure_at(ctx, query.site_id)
    async with ctx.db.transaction() as tx:
        found = await store.places_at(tx, ctx.actor.organization_id, query, id_after(query.after), query.limit + 1)
        items = await _with_seen(ctx, tx, [_shown(ctx, each) if query.whose else _empty(each) for each in found[: query.limit]])
        about = [(each.patient_id, _entity(each)) for each in items if each.patient_id is not None]
        await audit.record(tx, *audit.entries_about(ctx, "flow.place.search", about))
    return PlacesPage(items=items, next=str(items[-1].id) if len(found) > len(items) else None)


async def get_place(ctx: Context, place_id: UUID) -> Place:
    """How a place stands, and who is in it as far as the actor may know. Raises `UnknownPlace`."""
    ctx.actor.require(READ)
    async with ctx.db.transaction() as tx:
        place = await store.place_by_id(tx, ctx.actor.organization_id, place_id)
        if place is None or not ctx.actor.works_at(place.site_id):
            raise UnknownPlace(place_id=str(place_id))
        (shown,) = await _with_seen(ctx, tx, [_shown(ctx, place)])
        await audit.record(tx, audit.entry(ctx, "flow.place.read", "R", patient_id=shown.patient_id, entities=(_entity(place),)))
        return shown


async def count_places(ctx: Context, query: CountPlaces) -> PlaceCounts:
    """How full a site's rooms and beds are, by kind and type. Nobody is named."""
    ctx.actor.require(READ)
    places.ensure_at(ctx, query.site_id)
    return PlaceCounts(items=await store.count_places(ctx.db, ctx.actor.organization_id, query.site_id))


async def propose_places(ctx: Context, query: ProposePlaces) -> ProposedPlaces:
    """The free places that suit a visit best, and why; what those lack that do not. Nothing is taken.

    Raises `UnknownEncounter`, `StatusNotAllowed` where the visit is over.
    """
    ctx.actor.require(WORK)
    places.ensure_at(ctx, query.site_id)
    cipher, organization_id = await ctx.cipher(), ctx.actor.organization_id
    async with ctx.db.transaction() as tx:
        encounter = await places.visit_for_change(ctx, tx, cipher, query.encounter_id)
        held = await store.places_of(tx, organization_id, [encounter.id])
        query = replace(query, precautions=await _needed(tx, cipher, encounter, query))
        near = await places.near(ctx, tx, query, held)
        free = await store.free_places(tx, organization_id, query.site_id, query.kind)
        best = rules.in_order(free, query, near)[: query.limit]
        about = tuple(_entity(each) for each in best)
        await audit.record(tx, audit.entry(ctx, "flow.place.propose", "E", patient_id=encounter.patient_id, entities=about))
    items = tuple(ProposedPlace(place=each, why=rules.why(each, query, near)) for each in best)
    return ProposedPlaces(items=items, free=len(free), unsuited=rules.unsuited(free, query))


async def assign_place(ctx: Context, command: AssignPlace) -> Place:
    """Put somebody into a place: the one that is named, or the one that suits best. A bed admits them; the one before is left.

    Raises `UnknownEncounter`, `StatusNotAllowed` where the visit is over, `UnknownPlace`, `PlaceNotFree`, `PlaceNotSuited`, `NoPlaceFree`.
    """
    ctx.actor.require(WORK)
    places.ensure_at(ctx, command.site_id)
    cipher = await ctx.cipher()

    async def work(tx: Session) -> Place:
        encounter = await places.visit_for_change(ctx, tx, cipher, command.encounter_id)
        held = await store.places_of(tx, ctx.actor.organization_id, [encounter.id])
        before = [each for each in held if (each.kind == "bed") == (command.kind == "bed")]
        if any(each.id == command.place_id for each in before):
            return next(each for each in before if each.id == command.place_id)
        wanted = replace(command, precautions=await _needed(tx, cipher, encounter, command))
        chosen = await (_named(ctx, tx, wanted, command.place_id) if command.place_id else _best(ctx, tx, wanted, held))
        now = ctx.clock.now()
        taken = rules.occupied(chosen, encounter.id, now)
        for each in before:
            await places.write(ctx, tx, rules.left(each, now))
        await places.write(ctx, tx, taken)
        kept = [each for each in encounter.location_ids if each not in {one.id for one in before}]
        moved = replace(encounter, location_ids=tuple(dict.fromkeys([taken.id, *kept])), site_id=taken.site_id)
        if taken.kind == "bed":
            admitted = moved.encounter_class if moved.encounter_class.code in STAYING else INPATIENT
            moved = replace(moved, status="in-progress", encounter_class=admitted, start=moved.start or now)
            await bed_requests.end(ctx, tx, cipher, [encounter.id], "admitted")
        await write_encounters(ctx, tx, cipher, [moved])
        placed = replace(taken, patient_id=encounter.patient_id)
        await audit.record(tx, _entry(ctx, "flow.place.assign", placed))
        return placed

    return await once_committed(ctx, Place, work)


async def step_place(ctx: Context, command: StepPlace) -> Place:
    """Vacate, discharge, ready, close or open. Raises `UnknownPlace`, `PlaceStepNotAllowed`, `StatusNotAllowed`, `PreconditionFailed`."""
    ctx.actor.require(WORK)
    cipher = await ctx.cipher()

    async def work(tx: Session) -> Place:
        seen = await store.place_by_id(tx, ctx.actor.organization_id, command.place_id)
        encounter_id = seen.encounter_id if seen is not None and command.action in ("vacate", "discharge") else None
        encounter = await places.visit_for_change(ctx, tx, cipher, encounter_id) if encounter_id is not None else None
        place = await _for_change(ctx, tx, command.place_id, command.expected_version)
        if encounter is not None and place.encounter_id != encounter.id:
            raise PreconditionFailed(version=place.version)
        now = ctx.clock.now()
        after = await places.write(ctx, tx, rules.stepped(place, command.action, command.reason, now))
        if encounter is not None:
            gone = replace(encounter, location_ids=tuple(each for each in encounter.location_ids if each != place.id))
            if command.action == "discharge":
                gone = replace(encounter, status="finished", start=encounter.start or place.since, end=now)
                encounter_rules.ensure_follows(encounter, gone)
            await write_encounters(ctx, tx, cipher, [gone])
        await audit.record(tx, _entry(ctx, "flow.place.step", after, encounter))
        return after

    return await once_committed(ctx, Place, work)


async def set_precautions(ctx: Context, command: SetPrecautions) -> Place:
    """What a place is fit for. Raises `UnknownPlace`, `PreconditionFailed`."""
    ctx.actor.require(CHANGE)

    async def work(tx: Session) -> Place:
        place = await _for_change(ctx, tx, command.place_id, command.expected_version)
        fit = tuple(sorted(set(command.precautions)))
        if fit != place.precautions:
            place = await places.write(ctx, tx, replace(place, precautions=fit, version=place.version + 1))
        await audit.record(tx, audit.entry(ctx, "flow.place.change", "U", entities=(_entity(place),)))
        return _shown(ctx, place)

    return await once_committed(ctx, Place, work)


async def _named(ctx: Context, tx: Session, command: AssignPlace, place_id: UUID) -> Place:
    place = await _for_change(ctx, tx, place_id, None)
    if place.site_id != command.site_id:
        raise UnknownPlace(place_id=str(place_id))
    if place.kind != command.kind or rules.lacks(place, command):
        raise PlaceNotSuited(place_id=str(place_id))
    return place


async def _best(ctx: Context, tx: Session, command: AssignPlace, held: list[Place]) -> Place:
    if place := await places.lock_best(ctx, tx, command, held):
        return place
    raise NoPlaceFree(site_id=str(command.site_id))


async def _needed(tx: Session, cipher: FieldCipher, encounter: Encounter, wanted: AssignPlace | ProposePlaces) -> Precautions:
    """The precautions that are asked for, those that are kept of the patient, and of a bed those with which they wait for one."""
    kept = await precautions_of(tx, cipher, encounter.patient_id)
    asked = await bed_requests.needed_for(tx, cipher, encounter.id) if wanted.kind == "bed" else ()
    return tuple(sorted({*wanted.precautions, *kept.precautions, *asked}))


async def _for_change(ctx: Context, tx: Session, place_id: UUID, expected_version: int | None) -> Place:
    place = await store.place_for_change(tx, ctx.actor.organization_id, place_id)
    if place is None or not ctx.actor.works_at(place.site_id):
        raise UnknownPlace(place_id=str(place_id))
    if expected_version not in (None, place.version):
        raise PreconditionFailed(version=place.version)
    return place


def _shown(ctx: Context, place: Place) -> Place:
    return place if ctx.actor.may(WORK) else _empty(place)


def _empty(place: Place) -> Place:
    """The place, and nothing of who is in it."""
    return replace(place, encounter_id=None, patient_id=None)


async def _with_seen(ctx: Context, tx: Session, shown: list[Place]) -> tuple[Place, ...]:
    """The places with what their sensors see."""
    watching = await sensors.sensors_of_places(tx, ctx.actor.organization_id, [each.id for each in shown])
    return tuple(_seen(ctx, each, watching.get(each.id)) for each in shown)


def _seen(ctx: Context, place: Place, watching: sensors.Kept | None) -> Place:
    """The place with what its sensor sees, if it has one."""
    if watching is None:
        return place
    now = ctx.clock.now()
    seen = sensing.seen_of(watching.sensing, now, watching.sensor.tuning)
    return replace(place, seen=sensing.seen_here(place, watching.sensor.id, seen, now))


def _entity(place: Place) -> audit.Entity:
    return audit.Entity(type="Place", id=place.id)


def _entry(ctx: Context, event: str, place: Place, encounter: Encounter | None = None) -> audit.Entry:
    patient_id = encounter.patient_id if encounter is not None else place.patient_id
    return audit.entry(ctx, event, "U", patient_id=patient_id, entities=(_entity(place),))
