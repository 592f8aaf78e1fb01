"""Observations in PostgreSQL: brought, changed, searched, sealed, erased, disposed of."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from carewright.contracts.directory import Coding, Identifier
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.contracts.records import days_kept
from carewright.contracts.vitals import (
    Concept,
    Finding,
    InvalidObservation,
    Observation,
    ObservationChanged,
    ObservationRecorded,
    PatientNotKept,
    PutObservations,
    PutObservationsResult,
    Quantity,
    SearchObservations,
    UnknownObservation,
)
from carewright.kernel import keeping, merges
from carewright.kernel.context import Context
from carewright.kernel.errors import BadInput, Forbidden
from carewright.kernel.privacy.cipher import SealedElsewhere
from carewright.vitals import handlers, model, service
from carewright.vitals.jobs import KEEPS
from tests.access_world import recorded
from tests.samples import known_id
from tests.servers import MORNING, Contexts, facts_of

ANNA, BERT = known_id(1), known_id(2)
SOURCE = Identifier(system="urn:test:observation", value="quokka-17")


def about(display: str) -> Concept:
    return Concept(codings=(Coding(system="http://loinc.org", code="29463-7", display=display),), text=display)


WEIGHT = Observation(
    id=known_id(10), patient_id=ANNA, status="final", about=about("Numbatweight"), quantity=Quantity(value=72.5, unit="kg"),
    effective_from=MORNING, effective_until=MORNING, identifiers=(SOURCE,),
)  # fmt: skip
PRESSURE = Observation(
    id=known_id(11), patient_id=ANNA, status="preliminary", about=about("Blood pressure"), encounter_id=known_id(30),
    components=(Finding(about=about("Systolic"), quantity=Quantity(value=120)), Finding(about=about("Diastolic"), words="not heard")),
    effective_from=MORNING + timedelta(days=2), effective_until=MORNING + timedelta(days=3),
)  # fmt: skip
OTHERS = replace(WEIGHT, id=known_id(12), patient_id=BERT, identifiers=(), effective_from=None, effective_until=None)
STORED = """
SELECT o::text FROM vitals.observation o WHERE organization_id = $1
UNION ALL SELECT i::text FROM vitals.identifier i WHERE organization_id = $1
"""


@pytest.fixture
async def importer(context: Contexts) -> Context:
    return await context("vitals", "integration")


@pytest.fixture
async def database(database_url: str) -> Any:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def put(ctx: Context, *observations: Observation) -> PutObservationsResult:
    return await service.put_observations(ctx, PutObservations(observations=observations))


async def found(ctx: Context, **asked: Any) -> list[Any]:
    return [each.id for each in (await service.search_observations(ctx, SearchObservations(**asked))).items]


async def test_what_is_brought_again_changes_nothing_and_what_is_new_is_a_version(context: Contexts, importer: Context) -> None:
    assert await put(importer, WEIGHT, PRESSURE, OTHERS) == PutObservationsResult(created=3, changed=0, unchanged=0)
    heavier = replace(WEIGHT, quantity=Quantity(value=73, unit="kg"), status="amended")
    assert await put(importer, heavier, PRESSURE) == PutObservationsResult(created=0, changed=1, unchanged=1)
    stored = await service.get_observation(importer, WEIGHT.id)
    assert stored == replace(heavier, version=2, updated_at=context.clock.now())
    assert replace(await service.get_observation(importer, PRESSURE.id), updated_at=None) == PRESSURE
    facts = [fact for fact in await facts_of(importer) if isinstance(fact, ObservationRecorded | ObservationChanged)]
    assert [(type(each), each.observation_id, each.version) for each in facts] == [
        (ObservationRecorded, WEIGHT.id, 1), (ObservationRecorded, PRESSURE.id, 1), (ObservationRecorded, OTHERS.id, 1),
        (ObservationChanged, WEIGHT.id, 2),
    ]  # fmt: skip


async def test_observations_are_found_by_whatever_they_have(importer: Context) -> None:
    await put(importer, WEIGHT, PRESSURE, OTHERS)
    for asked, ids in (
        ({"ids": (OTHERS.id,)}, [OTHERS.id]), ({"patient_ids": (ANNA,)}, [WEIGHT.id, PRESSURE.id]),
        ({"encounter_ids": (known_id(30),)}, [PRESSURE.id]), ({"identifiers": (SOURCE,)}, [WEIGHT.id]),
        ({"statuses": ("preliminary",)}, [PRESSURE.id]), ({"from_at": MORNING + timedelta(days=1)}, [PRESSURE.id]),
        ({"until_at": MORNING + timedelta(days=1)}, [WEIGHT.id]), ({"from_at": MORNING + timedelta(days=4)}, []),
    ):  # fmt: skip
        assert await found(importer, **asked) == ids, asked
    page = await service.search_observations(importer, SearchObservations(limit=2))
    rest = await service.search_observations(importer, SearchObservations(limit=2, after=page.next))
    assert ([each.id for each in (*page.items, *rest.items)], rest.next) == ([WEIGHT.id, PRESSURE.id, OTHERS.id], None)
    with pytest.raises(BadInput):
        await service.search_observations(importer, SearchObservations(after="nowhere"))


async def test_a_patient_sees_their_own_alone_and_the_desk_none(context: Contexts, importer: Context) -> None:
    await put(importer, WEIGHT, OTHERS)
    anna = await context("vitals", "patient", patient_id=ANNA)
    assert await found(anna) == [WEIGHT.id]
    assert await found(anna, patient_ids=(BERT,)) == []
    assert (await service.get_observation(anna, WEIGHT.id)).patient_id == ANNA
    with pytest.raises(UnknownObservation):
        await service.get_observation(anna, OTHERS.id)
    with pytest.raises(Forbidden):
        await found(await context("vitals", "front-desk"))
    with pytest.raises(Forbidden):
        await put(await context("vitals", "physician"), WEIGHT)


@pytest.mark.parametrize(
    ("odd", "field"),
    [
        (replace(WEIGHT, about=Concept()), "about"), (replace(WEIGHT, words="heavy"), "about"),
        (replace(WEIGHT, effective_from=None), "effective_until"), (replace(WEIGHT, quantity=Quantity(value=float("inf"))), "about"),
        (replace(WEIGHT, components=(Finding(about=Concept()),)), "components"),
        (replace(WEIGHT, about=Concept(text="x" * 201)), "about"),
    ],
)  # fmt: skip
async def test_what_breaks_a_rule_is_refused_with_its_field(importer: Context, odd: Observation, field: str) -> None:
    with pytest.raises(InvalidObservation) as refusal:
        await put(importer, PRESSURE, odd)
    assert refusal.value.facts == {"observation_id": str(odd.id), "field": field}
    assert await found(importer) == []


async def test_an_observation_keeps_its_patient_and_a_number_names_one(importer: Context) -> None:
    await put(importer, WEIGHT)
    for odd in (replace(WEIGHT, patient_id=BERT), replace(OTHERS, identifiers=(SOURCE,))):
        with pytest.raises(InvalidObservation):
            await put(importer, odd)
    for twice in ((PRESSURE, PRESSURE), (WEIGHT, replace(PRESSURE, identifiers=(SOURCE,)))):
        with pytest.raises(InvalidObservation):
            await put(importer, *twice)
    with pytest.raises(BadInput):
        await put(importer, *[WEIGHT] * (model.OBSERVATIONS_MAX + 1))


async def test_what_was_observed_lies_sealed_and_goes_with_the_patient(context: Contexts, importer: Context, database: Any) -> None:
    await put(importer, WEIGHT, PRESSURE, OTHERS)
    stored = " ".join(row[0] for row in await database.fetch(STORED, importer.actor.organization_id))
    assert not [word for word in ("Numbat", "quokka", "29463", "72.5", "not heard") if word in stored]
    erased = PatientErased(organization_id=importer.actor.organization_id, patient_id=ANNA, version=2)
    for _ in range(2):  # delivered at least once
        async with importer.db.transaction() as tx:
            await handlers.erase_patient(importer, tx, erased)
    assert await found(importer) == [OTHERS.id]
    with pytest.raises(PatientNotKept):
        await put(importer, PRESSURE)
    assert "vitals.observation.erase" in [event for event, *_ in await recorded(context)]


async def test_of_two_records_that_are_one_the_survivor_has_all(context: Contexts, importer: Context) -> None:
    await put(importer, WEIGHT, OTHERS)
    organization_id = importer.actor.organization_id
    merged = PatientMerged(organization_id=organization_id, patient_id=BERT, prior_id=ANNA)
    async with importer.db.transaction() as tx:
        await merges.note_merged(tx, organization_id, ANNA, BERT, context.clock.now())
    for _ in range(2):  # delivered at least once
        async with importer.db.transaction() as tx:
            await handlers.take_over(importer, tx, merged)
    assert await found(importer, patient_ids=(BERT,)) == [WEIGHT.id, OTHERS.id]
    assert (await service.get_observation(importer, WEIGHT.id)).version == 2
    with pytest.raises(PatientNotKept):
        await put(importer, PRESSURE)
    assert "vitals.observation.merge" in [event for event, *_ in await recorded(context)]


async def test_observations_are_disposed_of_when_their_time_is_over(context: Contexts, importer: Context) -> None:
    await put(importer, WEIGHT)
    system = await context.system("vitals")
    await keeping.dispose_all(system, KEEPS, days_kept)
    assert await found(importer) == [WEIGHT.id]
    context.clock.advance(days=8 * 366)
    await keeping.dispose_all(system, KEEPS, days_kept)
    assert await found(importer) == []
    assert "vitals.observation.dispose" in [event for event, *_ in await recorded(context)]


async def test_a_rotation_seals_them_anew(importer: Context, database: Any) -> None:
    await put(importer, WEIGHT)
    assert await service.reseal_observations(importer, known_id(0), 10) == [], "nothing here is due for rotation"
    await database.execute("UPDATE vitals.observation SET detail = '\\x010000'::bytea || substring(detail FROM 4) WHERE id = $1", WEIGHT.id)
    with pytest.raises(SealedElsewhere):
        await service.reseal_observations(importer, known_id(0), 10)
