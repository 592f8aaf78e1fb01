"""Encounters in PostgreSQL: recorded, changed, searched, put, erased and disposed of."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from carewright.contracts.directory import Coding, Identifier
from carewright.contracts.encounters import (
    ChangeEncounter,
    Encounter,
    EncounterParticipant,
    PutEncounters,
    RecordEncounter,
    SearchEncounters,
)
from carewright.contracts.flow import EncounterChanged, EncounterRecorded, InvalidEncounter, StatusNotAllowed, UnknownEncounter
from carewright.contracts.patients import PatientErased
from carewright.contracts.records import SetHold, days_kept
from carewright.flow import handlers
from carewright.flow.jobs import KEEPS
from carewright.flow.model.encounters import MASKED
from carewright.flow.service import encounters as service
from carewright.kernel import keeping
from carewright.kernel.context import Context, Once
from carewright.kernel.errors import Forbidden, PreconditionFailed
from carewright.records.service import rules
from tests.access_world import recorded
from tests.samples import known_id
from tests.servers import MORNING, Contexts, facts_of

ANNA, BERT, WARD, DOCTOR, VISIT, SITE = (known_id(number) for number in range(1, 7))
INPATIENT = Coding(system="http://terminology.hl7.org/CodeSystem/v3-ActCode", code="IMP", display="inpatient encounter")
NUMBER = Identifier(system="urn:test:visit", value="V-77120845")
ADMIT = RecordEncounter(
    patient_id=ANNA, status="in-progress", encounter_class=INPATIENT, types=(Coding(system="urn:test", code="quokka"),), start=MORNING,
    site_id=SITE, location_ids=(WARD,), participants=(EncounterParticipant(practitioner_id=DOCTOR),), appointment_id=VISIT,
    identifiers=(NUMBER,),
)  # fmt: skip
STORED = """
SELECT e::text FROM flow.encounter e WHERE organization_id = $1
UNION ALL SELECT i::text FROM flow.identifier i WHERE organization_id = $1
"""


@pytest.fixture
async def nurse(context: Contexts) -> Context:
    return await context("flow", "nurse")


@pytest.fixture
async def other(context: Contexts) -> Context:
    """Another system, which may put."""
    return await context("flow", "integration")


@pytest.fixture
async def database(database_url: str) -> Any:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def found(ctx: Context, **query: Any) -> list[UUID]:
    return [each.id for each in (await service.search_encounters(ctx, SearchEncounters(**query))).items]


async def test_an_encounter_is_recorded_once_read_and_reported(context: Contexts, nurse: Context) -> None:
    acting = nurse.acting(nurse.actor, Once("admit", b"f" * 32))
    made = await service.record_encounter(acting, ADMIT)
    assert await service.record_encounter(acting, ADMIT) == made
    assert await service.get_encounter(nurse, made.id) == made
    assert (made.version, made.encounter_class, made.identifiers) == (1, INPATIENT, (NUMBER,))
    (fact,) = [each for each in await facts_of(nurse) if isinstance(each, EncounterRecorded)]
    assert (fact.encounter_id, fact.patient_id, fact.status, fact.appointment_id) == (made.id, ANNA, "in-progress", VISIT)
    assert [event for event, *_ in await recorded(context)] == ["flow.encounter.record", "flow.encounter.read"]


async def test_a_change_keeps_what_it_does_not_say_and_the_same_changes_nothing(nurse: Context) -> None:
    made = await service.record_encounter(nurse, ADMIT)
    left = ChangeEncounter(encounter_id=made.id, status="finished", end=MORNING + timedelta(days=2), expected_version=1)
    after = await service.change_encounter(nurse, left)
    assert after == msgspec.structs.replace(made, status="finished", end=left.end, version=2, updated_at=after.updated_at)
    with pytest.raises(PreconditionFailed):
        await service.change_encounter(nurse, left)
    assert await service.change_encounter(nurse, msgspec.structs.replace(left, expected_version=None)) == after
    back = await service.change_encounter(nurse, ChangeEncounter(encounter_id=made.id, status="in-progress", is_open_again=True))
    assert (back.status, back.end, back.version) == ("in-progress", None, 3)
    assert [each.version for each in await facts_of(nurse) if isinstance(each, EncounterChanged)] == [2, 3]


@pytest.mark.parametrize(
    ("path", "refused"),
    [(("cancelled",), "in-progress"), (("finished",), "cancelled"), (("finished",), "planned"), (("entered-in-error",), "finished"),
     (("onleave", "in-progress", "finished", "in-progress"), "arrived")],
)  # fmt: skip
async def test_a_status_goes_only_where_it_may(nurse: Context, path: tuple[Any, ...], refused: Any) -> None:
    made = await service.record_encounter(nurse, ADMIT)
    for status in path:
        await service.change_encounter(nurse, ChangeEncounter(encounter_id=made.id, status=status))
    with pytest.raises(StatusNotAllowed):
        await service.change_encounter(nurse, ChangeEncounter(encounter_id=made.id, status=refused))


async def test_encounters_are_found_by_whatever_they_have(nurse: Context) -> None:
    stay = (await service.record_encounter(nurse, ADMIT)).id
    tomorrow = MORNING + timedelta(days=1)
    planned = msgspec.structs.replace(
        ADMIT, patient_id=BERT, status="planned", start=tomorrow, end=tomorrow + timedelta(hours=1), location_ids=(), participants=(),
        appointment_id=None, identifiers=(), site_id=None,
    )  # fmt: skip
    visit = (await service.record_encounter(nurse, planned)).id
    for query in (
        {"ids": (stay,)}, {"patient_ids": (ANNA,)}, {"appointment_ids": (VISIT,)}, {"actor_ids": (WARD,)}, {"actor_ids": (DOCTOR,)},
        {"identifiers": (NUMBER,)}, {"statuses": ("in-progress",)}, {"until_at": tomorrow},
        {"from_at": tomorrow + timedelta(days=1)},
    ):  # fmt: skip
        assert await found(nurse, **query) == [stay], query
    assert await found(nurse, from_at=tomorrow, until_at=tomorrow + timedelta(days=1)) == [stay, visit], "the stay has no end yet"
    page = await service.search_encounters(nurse, SearchEncounters(limit=1))
    assert ([each.id for each in page.items], await found(nurse, after=page.next)) == ([stay], [visit])


async def test_who_acts_for_one_patient_or_at_one_site_sees_no_more(context: Contexts, nurse: Context) -> None:
    stay = (await service.record_encounter(nurse, ADMIT)).id
    anna, bert = [await context("flow", "patient", subject=f"patient/{each}", patient_id=each) for each in (ANNA, BERT)]
    assert (await found(anna), await found(bert), await found(bert, patient_ids=(ANNA,))) == ([stay], [], [])
    there = nurse.acting(msgspec.structs.replace(nurse.actor, site_ids=frozenset({known_id(99)})))
    here = nurse.acting(msgspec.structs.replace(nurse.actor, site_ids=frozenset({SITE})))
    assert (await found(here), await found(there)) == ([stay], [])
    stranger = await context("flow", "nurse", organization_id=known_id(98))
    for ctx in (bert, there, stranger):
        with pytest.raises(UnknownEncounter):
            await service.get_encounter(ctx, stay)
    for ctx in (there, stranger):
        with pytest.raises(UnknownEncounter):
            await service.change_encounter(ctx, ChangeEncounter(encounter_id=stay, status="finished"))
    with pytest.raises(Forbidden):
        await service.record_encounter(there, msgspec.structs.replace(ADMIT, identifiers=()))
    assert (await service.get_encounter(nurse, stay)).status == "in-progress"


@pytest.mark.parametrize("role", ["patient", "proxy", "scheduler", "operations", "analyst", "privacy-officer", "administrator"])
async def test_only_who_works_with_patients_records(context: Contexts, role: str) -> None:
    with pytest.raises(Forbidden):
        await service.record_encounter(await context("flow", role, patient_id=ANNA), ADMIT)


async def test_the_same_put_again_changes_nothing_and_a_bad_one_spoils_all(other: Context) -> None:
    first = Encounter(id=known_id(20), patient_id=ANNA, status="finished", encounter_class=INPATIENT, identifiers=(NUMBER,))
    second = msgspec.structs.replace(first, id=known_id(21), identifiers=())
    assert (await service.put_encounters(other, PutEncounters(encounters=(first, second)))).created == 2
    again = await service.put_encounters(other, PutEncounters(encounters=(first, msgspec.structs.replace(second, types=(INPATIENT,)))))
    assert (again.created, again.changed, again.unchanged) == (0, 1, 1)
    for bad in (
        {"patient_id": BERT}, {"identifiers": (NUMBER,)}, {"start": MORNING, "end": MORNING - timedelta(hours=1)}, {"end": MORNING},
        {"identifiers": (Identifier(system="s", value="v" * 201),)}, {"types": (Coding(system="s", code="c" * 201),)},
    ):  # fmt: skip
        wrong = msgspec.structs.replace(second, **bad)
        third = msgspec.structs.replace(second, id=known_id(22))
        with pytest.raises(InvalidEncounter):
            await service.put_encounters(other, PutEncounters(encounters=(third, wrong)))
    assert await found(other) == [known_id(20), known_id(21)]


async def test_what_an_encounter_says_lies_sealed(context: Contexts, nurse: Context, database: Any) -> None:
    await service.record_encounter(nurse, ADMIT)
    stored = "".join(row[0] for row in await database.fetch(STORED, context.organization_id))
    for word in ("77120845", "quokka", "IMP", "inpatient"):
        assert word not in stored
        assert word.encode().hex() not in stored
    assert await service.reseal_encounters(nurse, UUID(int=0), 10) == [], "nothing here is due for rotation"


async def test_an_erased_patients_encounters_keep_their_times_alone(context: Contexts, nurse: Context) -> None:
    stay = (await service.record_encounter(nurse, ADMIT)).id
    for _ in range(2):  # delivered at least once
        async with nurse.db.transaction() as tx:
            event = PatientErased(organization_id=context.organization_id, patient_id=ANNA, version=2)
            await handlers.erase_patient(nurse, tx, event)
    left = await service.get_encounter(nurse, stay)
    assert (left.start, left.status, left.encounter_class, left.types, left.identifiers) == (MORNING, "in-progress", MASKED, (), ())
    assert await found(nurse, identifiers=(NUMBER,)) == []
    assert "flow.encounter.erase" in [event for event, *_ in await recorded(context)]


async def test_what_is_past_its_time_goes_unless_it_is_held_or_came_lately(context: Contexts, nurse: Context, other: Context) -> None:
    def over(number: int, patient_id: UUID, **more: Any) -> Encounter:
        return Encounter(id=known_id(number), patient_id=patient_id, status="finished", encounter_class=INPATIENT, **more)

    ended, held, lives = (
        over(30, ANNA, identifiers=(NUMBER,)),
        over(31, BERT),
        msgspec.structs.replace(over(32, ANNA), status="in-progress"),
    )
    await service.put_encounters(other, PutEncounters(encounters=(ended, held, lives)))
    await rules.set_hold(await context("kernel", "privacy-officer"), SetHold(patient_id=BERT, reason="Ames v. Lakeside Hospital"))
    context.clock.advance(days=8 * 366)
    history = over(33, ANNA, start=MORNING - timedelta(days=9_000), end=MORNING - timedelta(days=8_999))
    await service.put_encounters(other, PutEncounters(encounters=(history,)))
    await keeping.dispose_all(await context.system("flow"), KEEPS, days_kept)
    assert await found(nurse) == [held.id, lives.id, history.id]
    assert await found(nurse, identifiers=(NUMBER,)) == []
    assert "flow.encounter.dispose" in [event for event, *_ in await recorded(context)]
