"""Rooms and beds in PostgreSQL: which is chosen, who is in it, and what becomes of it when they leave."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from carewright.contracts.directory import Coding, Device, DeviceChanged, Location, LocationChanged
from carewright.contracts.encounters import Encounter, RecordEncounter
from carewright.contracts.flow import (
    NoPlaceFree,
    PlaceChanged,
    PlaceNotFree,
    PlaceNotSuited,
    PlaceStepNotAllowed,
    StatusNotAllowed,
    UnknownEncounter,
    UnknownPlace,
)
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.contracts.queue import Arrive, CallEntry, CallNext, PutQueue, Queue, QueuePolicy, StepEntry, UndoStep
from carewright.contracts.rooms import (
    AssignPlace,
    CountPlaces,
    ListPlaces,
    PatientPrecautions,
    Place,
    PlaceKind,
    Precaution,
    ProposedPlaces,
    ProposePlaces,
    RecordPrecautions,
    RoomRule,
    SetPrecautions,
    StepPlace,
)
from carewright.flow import handlers
from carewright.flow.service import encounters, queue, rooms
from carewright.flow.service import precautions as kept
from carewright.flow.store import precautions as stored_precautions
from carewright.kernel.context import Context
from carewright.kernel.errors import Forbidden, PreconditionFailed
from carewright.kernel.merges import note_merged
from tests.samples import known_id
from tests.servers import MORNING, Contexts, facts_of

ANNA, BERT, CARA, SITE, SERVICE, TOWER, ANNEX, ONE, TWO, THREE, BED, BED_2, PUMP, OTHER = (known_id(number) for number in range(1, 15))
EXAM = Coding(system="urn:test:room", code="exam")
ECG = Coding(system="urn:test:device", code="ecg")


@pytest.fixture
async def nurse(context: Contexts) -> Context:
    """Of a site with two examination rooms in the tower, one in the annex, and two beds."""
    ctx = await context("flow", "nurse")
    places: list[tuple[UUID, PlaceKind, UUID]] = [
        (ONE, "room", TOWER),
        (TWO, "room", TOWER),
        (THREE, "room", ANNEX),
        (BED, "bed", TOWER),
        (BED_2, "bed", TOWER),
    ]
    async with ctx.db.transaction() as tx:
        for id_, kind, part in places:
            place = Location(id=id_, kind=kind, name=f"Place {id_}", site_id=SITE, part_of_id=part, room_type=EXAM)
            await handlers.copy_place(ctx, tx, LocationChanged(organization_id=ctx.actor.organization_id, location=place))
        device = Device(id=PUMP, name="ECG", device_type=ECG, site_id=SITE, location_id=THREE)
        await handlers.copy_device(ctx, tx, DeviceChanged(organization_id=ctx.actor.organization_id, device=device))
    return ctx


async def here(ctx: Context, patient_id: UUID) -> Encounter:
    ambulatory = Coding(system="http://terminology.hl7.org/CodeSystem/v3-ActCode", code="AMB")
    said = RecordEncounter(patient_id=patient_id, status="arrived", encounter_class=ambulatory, site_id=SITE, start=MORNING)
    return await encounters.record_encounter(ctx, said)


async def put(ctx: Context, visit: Encounter, **said: Any) -> Place:
    return await rooms.assign_place(ctx, AssignPlace(encounter_id=visit.id, site_id=SITE, **said))


async def step(ctx: Context, place_id: UUID, action: Any, **said: Any) -> Place:
    return await rooms.step_place(ctx, StepPlace(place_id=place_id, action=action, **said))


async def board(ctx: Context) -> dict[UUID, tuple[str, UUID | None]]:
    return {each.id: (each.status, each.patient_id) for each in (await rooms.list_places(ctx, ListPlaces(site_id=SITE))).items}


async def test_a_patient_is_admitted_transferred_and_discharged(nurse: Context, clock: Any) -> None:
    visit = await here(nurse, ANNA)
    bed = await put(nurse, visit, kind="bed", place_id=BED)
    assert (bed.status, bed.patient_id, bed.since) == ("occupied", ANNA, clock.now())
    admitted = await encounters.get_encounter(nurse, visit.id)
    assert (admitted.status, admitted.encounter_class.code, admitted.location_ids) == ("in-progress", "IMP", (BED,))
    assert await put(nurse, visit, kind="bed", place_id=BED) == bed
    clock.advance(seconds=3600)
    await put(nurse, visit, kind="bed", place_id=BED_2)
    assert (await encounters.get_encounter(nurse, visit.id)).location_ids == (BED_2,)
    shown = await board(nurse)
    assert (shown[BED], shown[BED_2]) == (("turnover", None), ("occupied", ANNA))
    with pytest.raises(PreconditionFailed):
        await step(nurse, BED_2, "discharge", expected_version=1)
    left = await step(nurse, BED_2, "discharge")
    assert (left.status, left.last_used_at, left.encounter_id) == ("turnover", clock.now(), None)
    gone = await encounters.get_encounter(nurse, visit.id)
    assert (gone.status, gone.end) == ("finished", clock.now())
    with pytest.raises(StatusNotAllowed):
        await put(nurse, visit, kind="bed", place_id=BED_2)
    assert (await step(nurse, BED_2, "ready")).status == "free"
    told = [(fact.place_id, fact.status) for fact in await facts_of(nurse) if isinstance(fact, PlaceChanged)]
    assert told == [(BED, "occupied"), (BED, "turnover"), (BED_2, "occupied"), (BED_2, "turnover"), (BED_2, "free")]


async def test_two_patients_are_never_put_into_one_bed(nurse: Context) -> None:
    visits = [await here(nurse, each) for each in (ANNA, BERT, CARA)]
    named = await asyncio.gather(*(put(nurse, each, kind="bed", place_id=BED) for each in visits), return_exceptions=True)
    assert sorted(type(each).__name__ for each in named) == ["Place", "PlaceNotFree", "PlaceNotFree"]
    loose = [visit for visit, outcome in zip(visits, named, strict=True) if not isinstance(outcome, Place)]
    chosen = await asyncio.gather(*(put(nurse, each, kind="bed") for each in loose), return_exceptions=True)
    assert {type(each) for each in chosen} == {Place, NoPlaceFree}


async def test_the_best_room_is_of_the_type_equipped_fit_near_and_longest_unused(context: Contexts, nurse: Context, clock: Any) -> None:
    operations = await context("flow", "operations")
    await rooms.set_precautions(operations, SetPrecautions(place_id=TWO, precautions=("airborne",)))
    anna, bert, cara = [await here(nurse, each) for each in (ANNA, BERT, CARA)]
    assert (await put(nurse, anna, devices=("urn:test:device|ecg",))).id == THREE
    await step(nurse, THREE, "vacate")
    await step(nurse, THREE, "ready")
    assert (await put(nurse, bert, precautions=("airborne",))).id == TWO
    with pytest.raises(NoPlaceFree):
        await put(nurse, cara, precautions=("airborne",))
    with pytest.raises(PlaceNotSuited):
        await put(nurse, cara, place_id=ONE, devices=("urn:test:device|ecg",))
    with pytest.raises(NoPlaceFree):
        await put(nurse, cara, room_type="urn:test:room|theatre")
    assert (await put(nurse, cara, near_id=ANNEX)).id == THREE
    clock.advance(seconds=60)
    await step(nurse, THREE, "vacate")
    await step(nurse, THREE, "ready")
    await step(nurse, TWO, "vacate")
    await step(nurse, TWO, "ready")
    assert (await put(nurse, cara)).id == ONE


async def test_a_called_turn_takes_its_room_and_leaves_it_to_be_cleaned(context: Contexts, nurse: Context) -> None:
    made = await _queue(context)
    anna = await queue.arrive(nurse, Arrive(queue_id=made.id, patient_id=ANNA))
    await queue.arrive(nurse, Arrive(queue_id=made.id, patient_id=BERT))
    await queue.call_next(nurse, CallNext(queue_id=made.id, location_id=ONE))
    assert (await board(nurse))[ONE] == ("occupied", ANNA)
    with pytest.raises(PlaceNotFree):
        await queue.call_next(nurse, CallNext(queue_id=made.id, location_id=ONE))
    await queue.step_entry(nurse, StepEntry(entry_id=anna.id, action="skip"))
    assert (await board(nurse))[ONE] == ("free", None)
    for action in ("return", "start"):
        await queue.step_entry(nurse, StepEntry(entry_id=anna.id, action=action))
    assert (await board(nurse))[ONE] == ("occupied", ANNA)
    done = await queue.step_entry(nurse, StepEntry(entry_id=anna.id, action="complete"))
    assert (await board(nurse))[ONE] == ("turnover", None)
    called = (await queue.call_next(nurse, CallNext(queue_id=made.id, location_id=ONE))).entry
    assert called is not None
    assert (await board(nurse))[ONE] == ("occupied", BERT)
    with pytest.raises(PlaceNotFree):
        await queue.undo_step(nurse, UndoStep(entry_id=anna.id, expected_version=done.version))
    await queue.step_entry(nurse, StepEntry(entry_id=called.id, action="leave"))
    assert (await board(nurse))[ONE] == ("free", None)


async def test_whoever_is_admitted_stays_when_the_turn_is_over(context: Contexts, nurse: Context) -> None:
    made = await _queue(context)
    turn = await queue.arrive(nurse, Arrive(queue_id=made.id, patient_id=ANNA))
    await queue.call_next(nurse, CallNext(queue_id=made.id, location_id=ONE))
    await queue.step_entry(nurse, StepEntry(entry_id=turn.id, action="start"))
    await rooms.assign_place(nurse, AssignPlace(encounter_id=turn.encounter_id, site_id=SITE, kind="bed"))
    await queue.step_entry(nurse, StepEntry(entry_id=turn.id, action="complete"))
    shown = await board(nurse)
    assert (shown[ONE], shown[BED]) == (("turnover", None), ("occupied", ANNA))
    assert (await encounters.get_encounter(nurse, turn.encounter_id)).status == "in-progress"


async def test_bad_steps_and_strangers_are_refused(context: Contexts, nurse: Context) -> None:
    closed = await step(nurse, ONE, "close", reason="maintenance")
    assert (closed.status, closed.reason) == ("closed", "maintenance")
    visit = await here(nurse, ANNA)
    with pytest.raises(PlaceNotFree):
        await put(nurse, visit, place_id=ONE)
    with pytest.raises(PlaceStepNotAllowed):
        await step(nurse, ONE, "vacate")
    opened = await step(nurse, ONE, "open")
    assert (opened.status, opened.reason) == ("free", None)
    with pytest.raises(UnknownPlace):
        await step(nurse, OTHER, "close")
    with pytest.raises(UnknownEncounter):
        await rooms.assign_place(nurse, AssignPlace(encounter_id=OTHER, site_id=SITE))
    elsewhere = nurse.acting(replace(nurse.actor, site_ids=frozenset({OTHER})))
    with pytest.raises(Forbidden):
        await board(elsewhere)
    with pytest.raises(UnknownPlace):
        await step(elsewhere, ONE, "close")
    await put(nurse, visit, place_id=ONE)
    assert (await board(await context("flow", "operations")))[ONE] == ("occupied", None)
    with pytest.raises(Forbidden):
        await board(await context("flow", "patient", patient_id=ANNA))


async def _queue(context: Contexts, room: RoomRule | None = None) -> Queue:
    said = PutQueue(site_id=SITE, service_id=SERVICE, name="Cardiology", policy=QueuePolicy(room=room))
    return await queue.put_queue(await context("flow", "operations"), said)


async def test_proposals_say_why_a_place_comes_where_it_does_and_what_others_lack(context: Contexts, nurse: Context, clock: Any) -> None:
    operations = await context("flow", "operations")
    await rooms.set_precautions(operations, SetPrecautions(place_id=TWO, precautions=("airborne",)))
    anna = await here(nurse, ANNA)
    await put(nurse, anna, place_id=THREE)

    async def asked(**said: Any) -> ProposedPlaces:
        return await rooms.propose_places(nurse, ProposePlaces(encounter_id=anna.id, site_id=SITE, kind="room", **said))

    found = await asked(near_id=TOWER)
    assert [(each.place.id, each.why) for each in found.items] == [
        (ONE, ("near", "never-used")),
        (TWO, ("more-than-needed", "near", "never-used")),
    ]
    assert (found.free, found.unsuited) == (2, ())
    found = await asked(precautions=("airborne",), devices=("urn:test:device|ecg",), room_type="urn:test:room|exam")
    assert found.items == ()
    assert [(each.lack, each.count) for each in found.unsuited] == [("equipment", 2), ("precautions", 1)]
    found = await asked(precautions=("airborne",))
    assert [(each.place.id, each.why) for each in found.items] == [(TWO, ("precautions", "not-more-than-needed", "never-used"))]
    assert (await board(nurse))[TWO] == ("free", None), "nothing is taken"
    await step(nurse, THREE, "discharge")
    with pytest.raises(StatusNotAllowed):
        await asked()
    with pytest.raises(Forbidden):
        await rooms.propose_places(operations, ProposePlaces(encounter_id=anna.id, site_id=SITE))


async def test_a_board_asks_how_places_stand_without_asking_whose_they_are(context: Contexts, nurse: Context) -> None:
    anna = await here(nurse, ANNA)
    taken = await put(nurse, anna, kind="bed", place_id=BED)
    quiet = await rooms.list_places(nurse, ListPlaces(site_id=SITE, kind="bed", room_type="urn:test:room|exam", whose=False))
    assert {(each.id, each.status, each.patient_id, each.encounter_id) for each in quiet.items} == {
        (BED, "occupied", None, None),
        (BED_2, "free", None, None),
    }
    assert [each.patient_id for each in (await rooms.list_places(nurse, ListPlaces(site_id=SITE, ids=(BED, ONE)))).items] == [None, ANNA]
    assert (await rooms.get_place(nurse, BED)).encounter_id == taken.encounter_id
    operations = await context("flow", "operations")
    assert (await rooms.get_place(operations, BED)).encounter_id is None
    counts = {(each.kind, each.status): each.count for each in (await rooms.count_places(operations, CountPlaces(site_id=SITE))).items}
    assert counts == {("bed", "occupied"): 1, ("bed", "free"): 1, ("room", "free"): 3}
    elsewhere = nurse.acting(replace(nurse.actor, site_ids=frozenset({OTHER})))
    with pytest.raises(UnknownPlace):
        await rooms.get_place(elsewhere, BED)
    for refused in (rooms.count_places(elsewhere, CountPlaces(site_id=SITE)), rooms.get_place(await context("flow", "patient"), BED)):
        with pytest.raises(Forbidden):
            await refused


async def keeping(context: Contexts, *precautions: Precaution, patient_id: UUID = ANNA, **said: Any) -> PatientPrecautions:
    nurse = await context("flow", "nurse")
    return await kept.record_precautions(nurse, RecordPrecautions(patient_id=patient_id, precautions=precautions, **said))


async def test_what_a_patient_needs_is_said_once_and_known_to_every_room_after(context: Contexts, nurse: Context) -> None:
    await rooms.set_precautions(await context("flow", "operations"), SetPrecautions(place_id=TWO, precautions=("airborne",)))
    assert (await kept.get_precautions(nurse, ANNA)).version == 0
    said = await keeping(context, "airborne", expected_version=0)
    assert (said.version, said.precautions) == (1, ("airborne",))
    assert await keeping(context, "airborne") == said, "the same again changes nothing"
    with pytest.raises(PreconditionFailed):
        await keeping(context, "contact", expected_version=0)
    anna, bert = await here(nurse, ANNA), await here(nurse, BERT)
    with pytest.raises(PlaceNotSuited):
        await put(nurse, anna, place_id=ONE)
    proposed = await rooms.propose_places(nurse, ProposePlaces(encounter_id=anna.id, site_id=SITE, kind="room"))
    assert [each.place.id for each in proposed.items] == [TWO]
    assert (await put(nurse, anna)).id == TWO
    bert_in = (await put(nurse, bert)).id
    assert bert_in != TWO, "it is kept for those who need it"
    await keeping(context)
    assert (await put(nurse, anna, place_id=THREE if bert_in == ONE else ONE)).status == "occupied"
    async with nurse.db.transaction() as tx:
        stored = await tx.fetch(stored_precautions.Q.precautions_of, nurse.actor.organization_id, ANNA)
    assert b"airborne" not in stored[0]["needed"]
    for role in ("front-desk", "operations", "patient"):
        with pytest.raises(Forbidden):
            await kept.get_precautions(await context("flow", role), ANNA)
    with pytest.raises(Forbidden):
        await kept.record_precautions(await context("flow", "technician"), RecordPrecautions(patient_id=ANNA, precautions=()))


async def test_precautions_follow_a_merge_and_go_with_an_erased_patient(context: Contexts, nurse: Context) -> None:
    await keeping(context, "airborne")
    await keeping(context, "contact", patient_id=BERT)
    organization_id = nurse.actor.organization_id
    async with nurse.db.transaction() as tx:
        await note_merged(tx, organization_id, ANNA, BERT, MORNING)
        await handlers.take_over(nurse, tx, PatientMerged(organization_id=organization_id, patient_id=BERT, prior_id=ANNA))
    assert (await kept.get_precautions(nurse, BERT)).precautions == ("airborne", "contact")
    assert (await kept.get_precautions(nurse, ANNA)).patient_id == BERT, "the record that stands is asked"
    assert (await keeping(context, "droplet")).patient_id == BERT, "and written"
    async with nurse.db.transaction() as tx:
        await handlers.erase_patient(nurse, tx, PatientErased(organization_id=organization_id, patient_id=BERT, version=2))
    assert (await kept.get_precautions(nurse, BERT)).version == 0


async def test_whoever_checks_in_gets_the_room_that_the_queue_chooses(context: Contexts, nurse: Context) -> None:
    made = await _queue(context, RoomRule(at="check-in", room_type="urn:test:room|exam", near_id=TOWER))
    await keeping(context, "droplet", patient_id=CARA)
    anna, bert, cara = [await queue.arrive(nurse, Arrive(queue_id=made.id, patient_id=each)) for each in (ANNA, BERT, CARA)]
    assert (anna.status, anna.in_room, anna.location_id) == ("waiting", True, ONE)
    assert (bert.location_id, cara.location_id, cara.in_room) == (TWO, None, False)
    shown = await board(nurse)
    assert (shown[ONE], shown[TWO], shown[THREE]) == (("occupied", ANNA), ("occupied", BERT), ("free", None))
    assert (await encounters.get_encounter(nurse, anna.encounter_id)).location_ids == (ONE,)
    own = await queue.own_turns(await context("flow", "patient", patient_id=ANNA))
    assert [(each.id, each.name) for each in own.rooms] == [(ONE, f"Place {ONE}")]
    called = (await queue.call_next(nurse, CallNext(queue_id=made.id))).entry
    assert called is not None
    assert (called.id, called.location_id) == (anna.id, ONE)
    returned = await queue.step_entry(nurse, StepEntry(entry_id=anna.id, action="return"))
    assert (returned.in_room, (await board(nurse))[ONE]) == (True, ("occupied", ANNA))
    await queue.call_entry(nurse, CallEntry(entry_id=anna.id))
    await queue.step_entry(nurse, StepEntry(entry_id=anna.id, action="skip"))
    assert (await board(nurse))[ONE] == ("turnover", None), "who sat there leaves it to be cleaned"
    await queue.step_entry(nurse, StepEntry(entry_id=bert.id, action="leave"))
    assert (await board(nurse))[TWO] == ("turnover", None)
    with pytest.raises(PlaceNotSuited):
        await queue.call_entry(nurse, CallEntry(entry_id=cara.id, location_id=THREE))
    await rooms.set_precautions(await context("flow", "operations"), SetPrecautions(place_id=THREE, precautions=("droplet",)))
    assert (await queue.call_entry(nurse, CallEntry(entry_id=cara.id))).location_id == THREE


async def test_a_queue_may_choose_a_room_when_somebody_is_called(context: Contexts, nurse: Context) -> None:
    made = await _queue(context, RoomRule(at="call"))
    announced = Arrive(queue_id=made.id, patient_id=BERT, expected_at=MORNING)
    await queue.arrive(nurse, announced)
    anna = await queue.arrive(nurse, Arrive(queue_id=made.id, patient_id=ANNA))
    assert anna.location_id is None
    called = (await queue.call_next(nurse, CallNext(queue_id=made.id))).entry
    assert called is not None
    assert called.location_id is not None
    assert (await board(nurse))[called.location_id] == ("occupied", ANNA)
    back = await queue.undo_step(nurse, UndoStep(entry_id=called.id, expected_version=called.version))
    assert (back.location_id, (await board(nurse))[called.location_id]) == (None, ("free", None))
    for each in (ONE, TWO, THREE):
        await step(nurse, each, "close")
    unplaced = (await queue.call_next(nurse, CallNext(queue_id=made.id))).entry
    assert unplaced is not None
    assert unplaced.location_id is None, "nobody is kept waiting for a room that there is not"
