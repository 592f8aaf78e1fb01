"""Who waits for a bed, in PostgreSQL: asked for, admitted, cancelled, over with the visit; and who is told what."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from carewright.contracts.encounters import ChangeEncounter, Encounter
from carewright.contracts.flow import (
    BedRequestChanged,
    BedRequestEnded,
    PlaceNotSuited,
    StatusNotAllowed,
    UnknownBedRequest,
    UnknownEncounter,
)
from carewright.contracts.patients import PatientErased
from carewright.contracts.rooms import AskForBed, BedRequest, BedRequests, CancelBedRequest, ListBedRequests, ProposePlaces, SetPrecautions
from carewright.flow import handlers
from carewright.flow.jobs import BED_REQUESTS_KEPT, forget_past
from carewright.flow.service import bed_requests, encounters, rooms
from carewright.kernel.clock import ManualClock
from carewright.kernel.context import Context
from carewright.kernel.errors import Forbidden, PreconditionFailed
from tests.samples import known_id
from tests.servers import Contexts, facts_of
from tests.store.test_rooms import ANNA, BED, BED_2, BERT, CARA, SITE, here, nurse, put

__all__ = ["nurse"]
STRANGE = known_id(99)


async def ask(ctx: Context, visit: Encounter, **said: Any) -> BedRequest:
    return await bed_requests.ask_for_bed(ctx, AskForBed(encounter_id=visit.id, site_id=SITE, **said))


async def waiting(ctx: Context, **said: Any) -> BedRequests:
    return await bed_requests.list_bed_requests(ctx, ListBedRequests(site_id=SITE, **said))


async def whose(ctx: Context) -> list[UUID | None]:
    return [each.patient_id for each in (await waiting(ctx)).items]


async def told(ctx: Context) -> list[tuple[UUID, str | None, int]]:
    return [(each.request_id, each.ended, each.version) for each in await facts_of(ctx) if isinstance(each, BedRequestChanged)]


async def test_who_waits_is_listed_by_urgency_then_since_when(nurse: Context, clock: ManualClock) -> None:
    for patient, urgency in ((ANNA, "planned"), (BERT, "urgent"), (CARA, "planned")):
        await ask(nurse, await here(nurse, patient), urgency=urgency, room_type="urn:test:room|exam")
        clock.advance(minutes=1)
    emergency = await ask(nurse, await here(nurse, known_id(50)), urgency="emergency", precautions=("airborne",))
    assert await whose(nurse) == [known_id(50), BERT, ANNA, CARA]
    first = await waiting(nurse, limit=1)
    assert (first.items, first.waiting) == ((emergency,), 4)
    assert [each.patient_id for each in (await waiting(nurse, encounter_id=emergency.encounter_id)).items] == [known_id(50)]


async def test_whoever_is_put_into_a_bed_waits_no_more_and_what_they_wait_with_holds_for_it(nurse: Context, context: Contexts) -> None:
    visit = await here(nurse, ANNA)
    asked = await ask(nurse, visit, precautions=("airborne",))
    operations = await context("flow", "operations")
    desk = await context("flow", "front-desk")
    proposed = await rooms.propose_places(desk, ProposePlaces(encounter_id=visit.id, site_id=SITE))
    assert (proposed.items, [(each.lack, each.count) for each in proposed.unsuited]) == ((), [("precautions", 2)])
    with pytest.raises(PlaceNotSuited):
        await put(desk, visit, kind="bed", place_id=BED)
    await rooms.set_precautions(operations, SetPrecautions(place_id=BED_2, precautions=("airborne",)))
    await put(desk, visit, kind="room")
    assert await whose(nurse) == [ANNA]
    assert (await put(desk, visit, kind="bed")).id == BED_2
    assert (await waiting(nurse)).items == ()
    assert await told(nurse) == [(asked.id, None, 1), (asked.id, "admitted", 2)]


async def test_asked_again_it_is_for_what_is_said_now_and_keeps_its_place(nurse: Context, context: Contexts, clock: ManualClock) -> None:
    visit = await here(nurse, ANNA)
    first = await ask(nurse, visit, precautions=("contact",))
    clock.advance(minutes=5)
    desk = await context("flow", "front-desk")
    again = await ask(desk, visit, urgency="urgent", precautions=("droplet",))
    assert (again.id, again.asked_at, again.version, again.precautions) == (first.id, first.asked_at, 2, ())
    (kept,) = (await waiting(nurse)).items
    assert (kept.urgency, kept.precautions) == ("urgent", ("contact", "droplet")), "who does not see precautions takes none away"
    assert (await ask(nurse, visit, urgency="urgent", precautions=("droplet",))).precautions == ("droplet",)
    assert (await ask(nurse, visit, urgency="urgent", precautions=("droplet",))).version == 3, "the same again changes nothing"


async def test_it_is_cancelled_once_and_over_with_the_visit(nurse: Context) -> None:
    visit, other = await here(nurse, ANNA), await here(nurse, BERT)
    asked, second = await ask(nurse, visit), await ask(nurse, other)
    with pytest.raises(PreconditionFailed):
        await bed_requests.cancel_bed_request(nurse, CancelBedRequest(request_id=asked.id, reason="mistake", expected_version=9))
    over = await bed_requests.cancel_bed_request(nurse, CancelBedRequest(request_id=asked.id, reason="elsewhere", expected_version=1))
    assert (over.ended, over.version) == ("elsewhere", 2)
    with pytest.raises(BedRequestEnded) as refused:
        await bed_requests.cancel_bed_request(nurse, CancelBedRequest(request_id=asked.id, reason="mistake"))
    assert refused.value.facts["ended"] == "elsewhere"
    await encounters.change_encounter(nurse, ChangeEncounter(encounter_id=other.id, status="cancelled"))
    assert (await waiting(nurse)).waiting == 0
    assert (await told(nurse))[-1] == (second.id, "visit-over", 2)
    with pytest.raises(StatusNotAllowed):
        await ask(nurse, other)
    assert (await ask(nurse, visit)).id != asked.id, "who needs one after all waits anew"


async def test_who_is_told_of_whom_and_of_what(nurse: Context, context: Contexts) -> None:
    await ask(nurse, await here(nurse, ANNA), precautions=("airborne",))
    desk, operations = await context("flow", "front-desk"), await context("flow", "operations")
    assert [(each.patient_id, each.precautions) for each in (await waiting(desk)).items] == [(ANNA, ())]
    for ctx, said in ((operations, True), (nurse, False)):
        page = await waiting(ctx, whose=said)
        assert [(each.patient_id, each.encounter_id) for each in page.items] == [(None, None)]
        assert page.waiting == 1
    with pytest.raises(Forbidden):
        await waiting(await context("flow", "patient", patient_id=ANNA))
    with pytest.raises(Forbidden):
        await ask(operations, await here(nurse, BERT))


async def test_strangers_are_refused(nurse: Context, context: Contexts) -> None:
    visit = await here(nurse, ANNA)
    asked = await ask(nurse, visit)
    elsewhere = nurse.acting(replace(nurse.actor, site_ids=frozenset({STRANGE})))
    with pytest.raises(UnknownEncounter):
        await bed_requests.ask_for_bed(nurse, AskForBed(encounter_id=STRANGE, site_id=SITE))
    with pytest.raises(UnknownEncounter):
        await bed_requests.ask_for_bed(elsewhere, AskForBed(encounter_id=visit.id, site_id=STRANGE))
    for ctx, request_id in ((nurse, STRANGE), (elsewhere, asked.id)):
        with pytest.raises(UnknownBedRequest):
            await bed_requests.cancel_bed_request(ctx, CancelBedRequest(request_id=request_id, reason="mistake"))
    with pytest.raises(Forbidden):
        await waiting(elsewhere)
    assert (await waiting(nurse)).items == (asked,)


async def test_it_goes_with_an_erased_patient_and_is_forgotten_when_long_over(
    nurse: Context, context: Contexts, clock: ManualClock
) -> None:
    visit = await here(nurse, BERT)
    await ask(nurse, await here(nurse, ANNA))
    over = await ask(nurse, visit)
    async with nurse.db.transaction() as tx:
        event = PatientErased(organization_id=nurse.actor.organization_id, patient_id=ANNA, version=1)
        await handlers.erase_patient(nurse, tx, event)
    assert await whose(nurse) == [BERT]
    await bed_requests.cancel_bed_request(nurse, CancelBedRequest(request_id=over.id, reason="not-needed"))
    clock.advance(seconds=BED_REQUESTS_KEPT.total_seconds() + 1)
    await forget_past(await context.system("flow"))
    with pytest.raises(UnknownBedRequest):
        await bed_requests.cancel_bed_request(nurse, CancelBedRequest(request_id=over.id, reason="mistake"))
