"""Queues in PostgreSQL: who comes, who is called, what a step makes of a turn and of the visit, and what is taken back."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from carewright.contracts.directory import Coding, HealthcareService, Location, LocationChanged, VisitType, VisitTypeChanged
from carewright.contracts.flow import (
    AlreadyQueued,
    NothingToUndo,
    NotWaiting,
    OtherScale,
    QueueEntryMoved,
    StepNotAllowed,
    UnknownEntry,
    UnknownQueue,
)
from carewright.contracts.patients import PatientMerged
from carewright.contracts.queue import (
    AcuityScale,
    Arrive,
    CallEntry,
    CallNext,
    ListEntries,
    ListQueues,
    PreviewPolicy,
    PutQueue,
    Queue,
    QueueEntry,
    QueuePolicy,
    StepEntry,
    TransferEntry,
    TriageEntry,
    TurnsOfVisits,
    UndoStep,
    WaitEstimate,
)
from carewright.contracts.records import days_kept
from carewright.contracts.scheduling import AppointmentAdvanced, AppointmentBooked, AppointmentCancelled, AppointmentFact
from carewright.flow import handlers, jobs
from carewright.flow.jobs import KEEPS
from carewright.flow.service import encounters, estimates, waits
from carewright.flow.service import queue as service
from carewright.flow.store import coming
from carewright.kernel import keeping, merges
from carewright.kernel.context import Context, Once
from carewright.kernel.errors import Forbidden, PreconditionFailed
from tests.samples import known_id
from tests.servers import MORNING, Contexts, facts_of

ANNA, BERT, CARA, DORA, SITE, SERVICE, OTHER, DOCTOR, ROOM = (known_id(number) for number in range(1, 10))


@pytest.fixture
async def nurse(context: Contexts) -> Context:
    return await context("flow", "nurse")


@pytest.fixture
async def queue(context: Contexts) -> Queue:
    return await put(context)


async def put(context: Contexts, service_id: UUID = SERVICE, **policy: Any) -> Queue:
    command = PutQueue(site_id=SITE, service_id=service_id, name="Cardiology", policy=QueuePolicy(**policy))
    return await service.put_queue(await context("flow", "operations"), command)


async def come(ctx: Context, queue: Queue, patient_id: UUID, **said: Any) -> QueueEntry:
    return await service.arrive(ctx, Arrive(queue_id=queue.id, patient_id=patient_id, **said))


async def step(ctx: Context, entry: QueueEntry, action: Any) -> QueueEntry:
    return await service.step_entry(ctx, StepEntry(entry_id=entry.id, action=action))


async def called(ctx: Context, queue: Queue, **said: Any) -> UUID | None:
    entry = (await service.call_next(ctx, CallNext(queue_id=queue.id, **said))).entry
    return entry.patient_id if entry else None


async def visit(ctx: Context, entry: QueueEntry) -> str:
    return (await encounters.get_encounter(ctx, entry.encounter_id)).status


async def test_a_patient_comes_is_called_served_and_goes(nurse: Context, queue: Queue, clock: Any) -> None:
    entry = await come(nurse, queue, ANNA)
    assert (entry.ticket, entry.status, entry.level, entry.arrived_at) == ("A001", "waiting", 4, nurse.clock.now())
    assert await visit(nurse, entry) == "arrived"
    triaged = await service.triage_entry(nurse, TriageEntry(entry_id=entry.id, scale="esi", level=3))
    assert (triaged.level, await visit(nurse, entry)) == (3, "triaged")
    clock.advance(seconds=600)
    assert await called(nurse, queue, location_id=ROOM) == ANNA
    begun = await step(nurse, entry, "start")
    assert (begun.status, begun.started_at, begun.location_id, await visit(nurse, entry)) == (
        "in-service",
        clock.now(),
        ROOM,
        "in-progress",
    )
    assert (await step(nurse, entry, "hold")).status == "on-hold"
    assert (await step(nurse, entry, "return")).status == "waiting"
    assert await called(nurse, queue) == ANNA
    done = await step(nurse, entry, "complete")
    assert (done.status, done.ended_at, await visit(nurse, entry)) == ("completed", clock.now(), "finished")
    actions = [fact.action for fact in await facts_of(nurse) if isinstance(fact, QueueEntryMoved)]
    assert actions == ["arrive", "triage", "call", "start", "hold", "return", "call", "complete"]
    encounter = await encounters.get_encounter(nurse, entry.encounter_id)
    assert (encounter.start, encounter.end, encounter.location_ids) == (entry.arrived_at, clock.now(), (ROOM,))


async def test_emergencies_come_first_and_others_in_order_of_their_head_start(context: Contexts, nurse: Context, clock: Any) -> None:
    queue = await put(context, head_start_minutes=(120, 30, 0, 0))
    await come(nurse, queue, ANNA)
    clock.advance(seconds=20 * 60)
    await come(nurse, queue, BERT, tier="P1")
    clock.advance(seconds=20 * 60)
    await come(nurse, queue, CARA, tier="P1")
    await come(nurse, queue, DORA, tier="P0")
    found = await service.list_entries(nurse, ListEntries(queue_id=queue.id))
    assert [each.patient_id for each in found.waiting] == [DORA, BERT, ANNA, CARA]
    assert [await called(nurse, queue) for _ in range(5)] == [DORA, BERT, ANNA, CARA, None]


async def test_accumulating_priority_changes_order_with_time(context: Contexts, nurse: Context, clock: Any) -> None:
    queue = await put(context, order="accumulating", rates=(8.0, 4.0, 1.0, 1.0))
    await come(nurse, queue, ANNA)
    clock.advance(seconds=30 * 60)
    await come(nurse, queue, BERT, tier="P1")
    clock.advance(seconds=9 * 60)  # 39 minutes at 1 are more than 9 at 4
    assert [each.patient_id for each in (await service.list_entries(nurse, ListEntries(queue_id=queue.id))).waiting] == [ANNA, BERT]
    clock.advance(seconds=2 * 60)  # 41 at 1 are fewer than 11 at 4
    assert [await called(nurse, queue), await called(nurse, queue)] == [BERT, ANNA]


async def test_who_wants_one_practitioner_is_called_by_nobody_else(nurse: Context, queue: Queue) -> None:
    await come(nurse, queue, ANNA, practitioner_id=DOCTOR)
    await come(nurse, queue, BERT)
    assert await called(nurse, queue) == BERT
    assert await called(nurse, queue) is None
    assert await called(nurse, queue, practitioner_id=known_id(99)) is None
    assert await called(nurse, queue, practitioner_id=DOCTOR) == ANNA


async def test_of_many_who_call_at_once_no_two_get_the_same_patient(nurse: Context, queue: Queue) -> None:
    patients = [known_id(1000 + number) for number in range(24)]
    for each in patients:
        await come(nurse, queue, each)
    got = await asyncio.gather(*(called(nurse, queue) for _ in range(30)))
    while (one := await called(nurse, queue)) is not None:
        got.append(one)
    assert Counter(each for each in got if each) == Counter(patients)


async def test_two_desks_that_want_the_same_patient(nurse: Context, queue: Queue) -> None:
    entry = await come(nurse, queue, ANNA)
    wanted = CallEntry(entry_id=entry.id, expected_version=entry.version)
    first, second = await asyncio.gather(service.call_entry(nurse, wanted), service.call_entry(nurse, wanted), return_exceptions=True)
    assert {type(first), type(second)} == {QueueEntry, PreconditionFailed}
    with pytest.raises(StepNotAllowed) as refused:
        await service.call_entry(nurse, CallEntry(entry_id=entry.id))
    assert refused.value.facts["entry_status"] == "called"


async def test_places_are_kept_for_emergencies(context: Contexts, nurse: Context) -> None:
    queue = await put(context, staff=2, kept_for_emergencies=1)
    for patient, tier in ((ANNA, "P2"), (BERT, "P2"), (CARA, "P0")):
        await come(nurse, queue, patient, tier=tier)
    assert await called(nurse, queue) == CARA
    assert await called(nurse, queue) is None
    await come(nurse, queue, DORA, tier="P0")
    assert await called(nurse, queue) == DORA


async def test_who_comes_twice_has_one_turn(nurse: Context, queue: Queue) -> None:
    entry = await come(nurse, queue, ANNA)
    with pytest.raises(AlreadyQueued) as refused:
        await come(nurse, queue, ANNA)
    assert refused.value.facts["entry_id"] == str(entry.id)
    again = nurse.acting(nurse.actor, Once("desk", b"f" * 32))
    other = Arrive(queue_id=queue.id, patient_id=BERT)
    assert await service.arrive(again, other) == await service.arrive(again, other)


async def test_the_turns_of_visits_are_told_to_whom_the_visits_are(context: Contexts, nurse: Context, queue: Queue) -> None:
    entry, other = await come(nurse, queue, ANNA), await come(nurse, queue, BERT)
    lab = await put(context, OTHER)
    sent = await service.transfer_entry(nurse, TransferEntry(entry_id=entry.id, to_queue_id=lab.id))
    asked = TurnsOfVisits(encounter_ids=(entry.encounter_id, other.encounter_id))
    told = (await service.turns_of_visits(nurse, asked)).items
    assert [(each.id, each.status) for each in told] == [(entry.id, "transferred"), (other.id, "waiting"), (sent.id, "waiting")]
    anna = await context("flow", "patient", patient_id=ANNA)
    assert [each.id for each in (await service.turns_of_visits(anna, asked)).items] == [entry.id, sent.id]
    elsewhere = nurse.acting(replace(nurse.actor, site_ids=frozenset({OTHER})))
    assert (await service.turns_of_visits(elsewhere, asked)).items == ()


async def test_what_is_disposed_of_takes_its_turns_along(context: Contexts, nurse: Context, queue: Queue, clock: Any) -> None:
    over, waits = await come(nurse, queue, ANNA), await come(nurse, queue, BERT)
    await step(nurse, over, "leave")
    clock.advance(days=8 * 366)
    await keeping.dispose_all(await context.system("flow"), KEEPS, days_kept)
    asked = TurnsOfVisits(encounter_ids=(over.encounter_id, waits.encounter_id))
    assert [each.id for each in (await service.turns_of_visits(nurse, asked)).items] == [waits.id]


async def test_who_is_announced_keeps_the_ticket_when_they_come(nurse: Context, queue: Queue, clock: Any) -> None:
    soon = clock.now() + timedelta(minutes=12)
    told = await come(nurse, queue, ANNA, tier="P0", expected_at=soon)
    assert (told.status, told.expected_at, await visit(nurse, told), await called(nurse, queue)) == ("expected", soon, "planned", None)
    assert (await encounters.get_encounter(nurse, told.encounter_id)).encounter_class.code == "EMER"
    clock.advance(seconds=900)
    here = await come(nurse, queue, ANNA, tier="P0")
    assert (here.id, here.ticket, here.status, here.ranked_from) == (told.id, told.ticket, "waiting", clock.now())
    assert await called(nurse, queue) == ANNA


async def test_who_is_not_there_when_called_comes_back_to_their_place(nurse: Context, queue: Queue, clock: Any) -> None:
    entry = await come(nurse, queue, ANNA)
    clock.advance(seconds=60)
    await come(nurse, queue, BERT)
    assert await called(nurse, queue) == ANNA
    assert (await step(nurse, entry, "skip")).skipped == 1
    assert await called(nurse, queue) == BERT
    await step(nurse, entry, "return")
    assert await called(nurse, queue) == ANNA
    await step(nurse, entry, "skip")
    assert ((await step(nurse, entry, "leave")).status, await visit(nurse, entry)) == ("left", "cancelled")
    with pytest.raises(StepNotAllowed):
        await step(nurse, entry, "return")


async def test_a_transfer_keeps_since_when_a_turn_counts(context: Contexts, nurse: Context, queue: Queue, clock: Any) -> None:
    laboratory = await put(context, OTHER)
    entry = await come(nurse, queue, ANNA)
    clock.advance(seconds=600)
    new = await service.transfer_entry(nurse, TransferEntry(entry_id=entry.id, to_queue_id=laboratory.id))
    assert (new.encounter_id, new.ranked_from, new.status) == (entry.encounter_id, entry.ranked_from, "waiting")
    assert (await service.get_entry(nurse, entry.id)).status == "transferred"
    assert await visit(nurse, entry) == "arrived"
    assert await called(nurse, laboratory) == ANNA
    assert (await step(nurse, new, "complete")).status == "completed"
    assert await visit(nurse, entry) == "finished"


async def test_the_last_step_is_taken_back_and_no_other(nurse: Context, queue: Queue, clock: Any) -> None:
    entry = await come(nurse, queue, ANNA)
    with pytest.raises(NothingToUndo):
        await service.undo_step(nurse, UndoStep(entry_id=entry.id, expected_version=1))
    await called(nurse, queue)
    gone = await step(nurse, entry, "leave")
    with pytest.raises(PreconditionFailed):
        await service.undo_step(nurse, UndoStep(entry_id=entry.id, expected_version=2))
    back = await service.undo_step(nurse, UndoStep(entry_id=entry.id, expected_version=gone.version))
    assert (back.status, back.ended_at, back.version, await visit(nurse, entry)) == ("called", None, 4, "arrived")
    with pytest.raises(NothingToUndo):
        await service.undo_step(nurse, UndoStep(entry_id=entry.id, expected_version=back.version))
    done = await step(nurse, entry, "complete")
    clock.advance(seconds=601)
    with pytest.raises(NothingToUndo):
        await service.undo_step(nurse, UndoStep(entry_id=entry.id, expected_version=done.version))


async def test_what_ended_by_mistake_is_not_put_back_beside_a_new_turn(nurse: Context, queue: Queue) -> None:
    entry = await come(nurse, queue, ANNA)
    gone = await step(nurse, entry, "cancel")
    assert await visit(nurse, entry) == "cancelled"
    await come(nurse, queue, ANNA)
    with pytest.raises(AlreadyQueued):
        await service.undo_step(nurse, UndoStep(entry_id=entry.id, expected_version=gone.version))


async def test_queues_say_how_full_they_are_and_nothing_of_who(context: Contexts, nurse: Context, queue: Queue, clock: Any) -> None:
    await come(nurse, queue, ANNA, tier="P0")
    clock.advance(seconds=60)
    await come(nurse, queue, BERT)
    operations = await context("flow", "operations")
    (one,) = (await service.list_queues(operations, ListQueues(site_id=SITE))).items
    assert (one.queue, one.waiting, one.in_service, one.waiting_since) == (queue, (1, 0, 0, 1, 0), 0, clock.now() - timedelta(seconds=60))
    await called(nurse, queue)
    (one,) = (await service.list_queues(operations, ListQueues())).items
    assert (one.waiting, one.in_service) == ((0, 0, 0, 1, 0), 1)
    with pytest.raises(Forbidden):
        await service.list_entries(operations, ListEntries(queue_id=queue.id))


async def test_a_queue_is_put_once_and_changed_by_its_version(context: Contexts, queue: Queue) -> None:
    operations = await context("flow", "operations")
    command = PutQueue(site_id=SITE, service_id=SERVICE, name="Heart", letter="H", expected_version=1)
    changed = await service.put_queue(operations, command)
    assert (changed.id, changed.name, changed.letter, changed.version) == (queue.id, "Heart", "H", 2)
    with pytest.raises(PreconditionFailed):
        await service.put_queue(operations, replace(command, name="Other"))
    same = await service.put_queue(operations, replace(command, expected_version=None))
    assert same == changed


async def test_patients_see_their_own_turn_alone(context: Contexts, nurse: Context, queue: Queue) -> None:
    entry = await come(nurse, queue, ANNA)
    own, other = await context("flow", "patient", patient_id=ANNA), await context("flow", "patient", patient_id=BERT)
    seen = await service.get_entry(own, entry.id)
    assert seen.ticket == entry.ticket
    assert ((await service.own_turns(own)).items, (await service.own_turns(other)).items) == ((seen,), ())
    assert (await service.own_turns(nurse)).items == ()
    with pytest.raises(UnknownEntry):
        await service.get_entry(other, entry.id)
    with pytest.raises(Forbidden):
        await come(own, queue, ANNA)


async def test_other_sites_are_out_of_reach(context: Contexts, nurse: Context, queue: Queue) -> None:
    entry = await come(nurse, queue, ANNA)
    elsewhere = nurse.acting(replace(nurse.actor, site_ids=frozenset({known_id(77)})))
    for ask in (come(elsewhere, queue, BERT), service.call_next(elsewhere, CallNext(queue_id=queue.id))):
        with pytest.raises(UnknownQueue):
            await ask
    with pytest.raises(UnknownEntry):
        await step(elsewhere, entry, "leave")
    with pytest.raises(Forbidden):
        await service.list_queues(elsewhere, ListQueues(site_id=SITE))
    assert (await service.list_queues(elsewhere, ListQueues())).items == ()


# --- how long it takes -------------------------------------------------------------------------------------------------------


async def waits_of(ctx: Context, queue: Queue) -> dict[UUID, WaitEstimate]:
    return {each.entry_id: each for each in (await waits.estimate_waits(ctx, queue.id)).items}


async def test_who_waits_is_told_how_many_are_before_them_and_a_range(context: Contexts, nurse: Context, clock: Any) -> None:
    queue = await put(context, staff=1)
    entries = []
    for number in range(6):
        entries.append(await come(nurse, queue, known_id(2000 + number)))
        clock.advance(seconds=1)
    told = await waits_of(nurse, queue)
    assert [told[each.id].ahead for each in entries] == [0, 1, 2, 3, 4, 5]
    middles = [told[each.id].median_minutes for each in entries]
    assert middles[0] == 0
    assert middles == sorted(middles, key=lambda each: -1 if each is None else each)
    last = told[entries[-1].id]
    low, median, high = (minutes or 0 for minutes in (last.low_minutes, last.median_minutes, last.high_minutes))
    assert 0 < low < median < high
    assert 40 < median < 120, "five before them, who take a quarter of an hour each"


async def test_who_has_just_come_is_told_at_once_and_who_was_called_nothing(context: Contexts, nurse: Context) -> None:
    queue = await put(context, staff=1)
    first = await come(nurse, queue, ANNA)
    assert (await waits_of(nurse, queue)).keys() == {first.id}
    second = await come(nurse, queue, BERT)
    own = await context("flow", "patient", patient_id=BERT)
    assert (await waits.estimate_wait(own, second.id)).ahead == 1
    with pytest.raises(UnknownEntry):
        await waits.estimate_wait(own, first.id)
    await called(nurse, queue)
    with pytest.raises(NotWaiting):
        await waits.estimate_wait(nurse, first.id)


async def test_who_wants_one_practitioner_waits_for_them_alone(context: Contexts, nurse: Context) -> None:
    queue = await put(context, staff=5)
    for number in range(4):
        await come(nurse, queue, known_id(2100 + number), practitioner_id=DOCTOR)
    free = await come(nurse, queue, ANNA)
    told = await waits_of(nurse, queue)
    assert (told[free.id].ahead, told[free.id].median_minutes) == (0, 0)
    assert max(each.ahead for each in told.values()) == 3


async def test_estimates_learn_from_what_became_of_them(context: Contexts, nurse: Context, clock: Any) -> None:
    """Nobody is seen for longer than a minute, yet the next is called three quarters of an hour later: that is what people are told."""
    queue = await put(context, staff=1)
    medians: list[int] = []
    for number in range(120):
        first, waiting = await come(nurse, queue, known_id(3000 + 2 * number)), await come(nurse, queue, known_id(3001 + 2 * number))
        await step(nurse, first, "start")
        clock.advance(seconds=6)
        medians.append((await waits_of(nurse, queue))[waiting.id].median_minutes or 0)
        clock.advance(seconds=54)
        await step(nurse, first, "complete")
        clock.advance(seconds=45 * 60)
        assert await called(nurse, queue) == waiting.patient_id
        await step(nurse, waiting, "leave")
    assert medians[0] < 25
    assert 35 < medians[-1] < 60
    first, urgent = await come(nurse, queue, ANNA, tier="P1"), await come(nurse, queue, BERT, tier="P1")
    await step(nurse, first, "start")
    assert ((await waits_of(nurse, queue))[urgent.id].median_minutes or 0) < 25, "of another level nothing was learned"


# --- what others report -------------------------------------------------------------------------------------------------------

START = MORNING + timedelta(hours=2)
KIND = VisitType(id=known_id(20), healthcare_service_id=SERVICE, name="Follow-up", duration_minutes=20, requirements=())
HEART = HealthcareService(id=SERVICE, name="Cardiology", specialty=Coding(system="urn:test", code="394579002"))


@pytest.fixture
async def knowing(context: Contexts) -> Context:
    return await told_of_the_house(context)


async def told_of_the_house(context: Contexts) -> Context:
    """The system, which was told of the kinds of visits and of a site in Auckland."""
    ctx = await context("flow", "integration")
    site = Location(id=SITE, kind="site", name="City", site_id=SITE, time_zone="Pacific/Auckland")
    async with ctx.db.transaction() as tx:
        organization_id = ctx.actor.organization_id
        await handlers.copy_place(ctx, tx, LocationChanged(organization_id=organization_id, location=site))
        await handlers.copy_visit_type(ctx, tx, VisitTypeChanged(organization_id=organization_id, visit_type=KIND, service=HEART))
    return ctx


def advanced(ctx: Context, status: Any, **other: Any) -> AppointmentAdvanced:
    said = {
        "organization_id": ctx.actor.organization_id, "appointment_id": known_id(30), "version": 2, "status": status,
        "visit_type_id": KIND.id, "site_id": SITE, "patient_id": ANNA, "start": START, "end": START + timedelta(minutes=20),
        "urgency": "P1", "practitioner_ids": (DOCTOR,),
    }  # fmt: skip
    return AppointmentAdvanced(**said | other)


async def hear(ctx: Context, *events: AppointmentAdvanced) -> None:
    for event in events:
        async with ctx.db.transaction() as tx:
            await handlers.queue_who_checks_in(ctx, tx, event)


def booked(ctx: Context, number: int, minutes: int, **other: Any) -> AppointmentBooked:
    """An appointment with the doctor that begins so many minutes from now, and takes 20."""
    start = ctx.clock.now() + timedelta(minutes=minutes)
    return AppointmentBooked(
        organization_id=ctx.actor.organization_id, appointment_id=known_id(number), version=1, status="booked", visit_type_id=KIND.id,
        site_id=SITE, patient_id=known_id(number + 500), start=start, end=start + timedelta(minutes=20), urgency=other.pop("urgency", "P1"),
        practitioner_ids=other.pop("practitioner_ids", (DOCTOR,)),
    )  # fmt: skip


async def copied(ctx: Context, *events: AppointmentFact) -> None:
    for event in events:
        async with ctx.db.transaction() as tx:
            await handlers.copy_appointment(ctx, tx, event)


async def known_coming(ctx: Context, queue: Queue) -> list[UUID]:
    now = ctx.clock.now()
    return [each.appointment_id for each in await coming.coming(ctx.db, ctx.actor.organization_id, queue, now, now + timedelta(hours=9))]


async def test_who_is_booked_is_known_until_they_are_no_more(knowing: Context, queue: Queue, clock: Any) -> None:
    one, other, late = booked(knowing, 71, 60), booked(knowing, 72, 30), booked(knowing, 73, 10)
    await copied(knowing, one, other, late)
    assert await known_coming(knowing, queue) == [known_id(73), known_id(72), known_id(71)]
    gone = AppointmentCancelled(**{name: getattr(one, name) for name in one.__struct_fields__} | {"status": "cancelled", "version": 2})
    async with knowing.db.transaction() as tx:
        await handlers.cancel(knowing, tx, gone)
    await copied(knowing, one)
    assert await known_coming(knowing, queue) == [known_id(73), known_id(72)], "an earlier version that is heard late changes nothing"
    clock.advance(seconds=31 * 3600)
    assert await jobs.forget_past(knowing) == 3


async def test_who_is_still_to_come_makes_those_who_wait_wait_longer(
    context: Contexts, knowing: Context, nurse: Context, clock: Any
) -> None:
    """Two wait for the doctor or anybody; ten more urgent ones are about to come to the doctor."""
    queue = await put(context, staff=1, no_show_share=0.0)
    first, second = await come(nurse, queue, ANNA, practitioner_id=DOCTOR), await come(nurse, queue, BERT)
    await step(nurse, first, "start")
    before = (await waits_of(nurse, queue))[second.id]
    await copied(knowing, *(booked(knowing, 700 + number, 5) for number in range(10)))
    clock.advance(seconds=6)
    after = (await waits_of(nurse, queue))[second.id]
    assert (before.high_minutes or 0) < 60 < (after.low_minutes or 0)


async def only_queue(ctx: Context) -> Queue:
    (one,) = (await service.list_queues(ctx, ListQueues())).items
    return one.queue


async def test_who_checks_in_waits_in_the_queue_of_the_service(knowing: Context, nurse: Context, clock: Any) -> None:
    clock.advance(seconds=3600)
    await hear(knowing, *[advanced(knowing, "arrived")] * 2, advanced(knowing, "checked-in", version=3))
    queue = await only_queue(nurse)
    assert (queue.name, queue.service_id) == ("Cardiology", SERVICE)
    (entry,) = (await service.list_entries(nurse, ListEntries(queue_id=queue.id))).waiting
    assert (entry.appointment_id, entry.practitioner_id, entry.level, entry.ticket) == (known_id(30), DOCTOR, 3, "A001")
    assert entry.ranked_from == START - timedelta(minutes=15), "early, and counted from the start of the appointment"
    assert (await encounters.get_encounter(nurse, entry.encounter_id)).appointment_id == known_id(30)
    await hear(knowing, advanced(knowing, "noshow", version=4))
    assert (await service.get_entry(nurse, entry.id)).status == "cancelled"


async def test_who_has_two_appointments_in_a_row_has_a_turn_for_each(knowing: Context, nurse: Context, clock: Any) -> None:
    later = {"appointment_id": known_id(31), "start": START + timedelta(minutes=20), "end": START + timedelta(minutes=40)}
    await hear(knowing, advanced(knowing, "checked-in"), advanced(knowing, "checked-in", **later), advanced(knowing, "checked-in", **later))
    queue = await only_queue(nurse)
    first, second = (await service.list_entries(nurse, ListEntries(queue_id=queue.id))).waiting
    assert (first.appointment_id, second.appointment_id) == (known_id(30), known_id(31))
    with pytest.raises(AlreadyQueued):
        await come(nurse, queue, ANNA)
    assert await called(nurse, queue, practitioner_id=DOCTOR) == ANNA
    assert await called(nurse, queue, practitioner_id=DOCTOR) is None, "they are being seen"
    done = await step(nurse, first, "complete")
    assert await called(nurse, queue, practitioner_id=DOCTOR) == ANNA
    back = await service.undo_step(nurse, UndoStep(entry_id=first.id, expected_version=done.version))
    assert (back.status, (await service.get_entry(nurse, second.id)).status) == ("called", "called")


async def test_who_is_being_served_goes_on_whatever_becomes_of_the_appointment(knowing: Context, nurse: Context) -> None:
    await hear(knowing, advanced(knowing, "arrived"))
    queue = await only_queue(nurse)
    (entry,) = (await service.list_entries(nurse, ListEntries(queue_id=queue.id))).waiting
    await step(nurse, entry, "start")
    await hear(knowing, advanced(knowing, "fulfilled", version=3))
    assert (await service.get_entry(nurse, entry.id)).status == "in-service"


async def test_tickets_begin_anew_on_the_days_of_the_site(knowing: Context, nurse: Context, queue: Queue, clock: Any) -> None:
    assert (await come(nurse, queue, ANNA)).ticket == "A001"
    clock.advance(seconds=3 * 3600)  # 10:00 in UTC, 23:00 there
    assert (await come(nurse, queue, BERT)).ticket == "A002"
    clock.advance(seconds=2 * 3600)
    assert (await come(nurse, queue, CARA)).ticket == "A001"


async def test_of_two_records_that_are_one_person_the_earlier_turn_stays(
    context: Contexts, nurse: Context, queue: Queue, clock: Any
) -> None:
    first = await come(nurse, queue, ANNA)
    clock.advance(seconds=60)
    second = await come(nurse, queue, BERT)
    patients = await context("patients", "front-desk")
    async with patients.db.transaction() as tx:
        await merges.note_merged(tx, nurse.actor.organization_id, ANNA, BERT, clock.now())
    event = PatientMerged(organization_id=nurse.actor.organization_id, patient_id=BERT, prior_id=ANNA)
    for _ in range(2):
        async with nurse.db.transaction() as tx:
            await handlers.take_over(nurse, tx, event)
    one, other = [await service.get_entry(nurse, each.id) for each in (first, second)]
    assert (one.status, one.patient_id, other.status, other.patient_id) == ("waiting", BERT, "cancelled", BERT)


@pytest.mark.parametrize("policy", [{"order": "head-start"}, {"order": "accumulating"}], ids=lambda each: str(each["order"]))
async def test_how_many_are_before_somebody_is_counted_as_they_are_called(
    context: Contexts, nurse: Context, clock: Any, monkeypatch: pytest.MonkeyPatch, policy: dict[str, Any]
) -> None:
    monkeypatch.setattr(estimates, "WAITING_MAX", 1)
    queue = await put(context, **policy)
    for number in range(40):
        clock.advance(seconds=nurse.rng.choice((0, 0, 60, 900)))
        entry = await come(nurse, queue, known_id(2000 + number), tier=nurse.rng.choice(("P0", "P1", "P2")))
        if number % 3 == 0:
            await service.triage_entry(nurse, TriageEntry(entry_id=entry.id, scale="esi", level=nurse.rng.randint(1, 5)))
    clock.advance(seconds=1200)
    waiting = (await service.list_entries(nurse, ListEntries(queue_id=queue.id))).waiting
    assert [(await waits.estimate_wait(nurse, each.id)).ahead for each in waiting] == list(range(40))


async def test_another_policy_is_tried_on_who_waits_and_changes_nothing(context: Contexts, nurse: Context, queue: Queue) -> None:
    office = await context("flow", "operations")
    await service.arrive(nurse, Arrive(queue_id=queue.id, patient_id=ANNA, tier="P2"))
    await service.arrive(nurse, Arrive(queue_id=queue.id, patient_id=BERT, tier="P1"))
    wanted = QueuePolicy(head_start_minutes=(0, 0, 0, 0), kept_for_emergencies=1)
    found = await service.preview_policy(office, PreviewPolicy(queue_id=queue.id, policy=wanted))
    assert [(each.was, each.place) for each in found.items] == [(2, 1), (1, 2)]
    assert len(found.remarks) == 1
    (now,) = (await service.list_queues(office, ListQueues(queue_id=queue.id))).items
    assert now.queue == queue
    with pytest.raises(Forbidden):
        await service.preview_policy(nurse, PreviewPolicy(queue_id=queue.id, policy=wanted))


async def test_a_queue_takes_what_is_found_on_its_own_scale_and_one_of_tiers_on_any(context: Contexts, nurse: Context) -> None:
    tiers, of_scale = await put(context), await put(context, OTHER, scale="esi")
    turns = [await service.arrive(nurse, Arrive(queue_id=each.id, patient_id=ANNA)) for each in (tiers, of_scale)]
    known: tuple[tuple[AcuityScale, int], ...] = (("ctas", 2), ("esi", 5), ("tier", 3))
    for scale, level in known:
        assert (await service.triage_entry(nurse, TriageEntry(entry_id=turns[0].id, scale=scale, level=level))).level == level
    assert (await service.triage_entry(nurse, TriageEntry(entry_id=turns[1].id, scale="esi", level=2))).level == 2
    others: tuple[AcuityScale, ...] = ("ctas", "tier")
    for other in others:
        with pytest.raises(OtherScale) as refusal:
            await service.triage_entry(nurse, TriageEntry(entry_id=turns[1].id, scale=other, level=3))
        assert refusal.value.facts == {"scale": "esi"}
    with pytest.raises(ValueError, match="P0, P1 and P2"):
        TriageEntry(entry_id=turns[0].id, scale="tier", level=2)
