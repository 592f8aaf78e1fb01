"""Orders in PostgreSQL: recorded, changed, searched, erased, disposed of."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from carewright.contracts.directory import Coding, Identifier
from carewright.contracts.orders import (
    InvalidRequest,
    Party,
    PatientForgotten,
    RecordRequest,
    RequestChanged,
    RequestDetails,
    RequestRecorded,
    RequestStatusNotAllowed,
    SearchRequests,
    UnknownRequest,
    UpdateRequest,
)
from carewright.contracts.patients import PatientErased
from carewright.contracts.records import days_kept
from carewright.kernel import keeping
from carewright.kernel.context import Context, Once
from carewright.kernel.errors import Forbidden, PreconditionFailed
from carewright.orders import handlers, service
from carewright.orders.jobs import KEEPS
from tests.access_world import recorded
from tests.samples import known_id
from tests.servers import MORNING, Contexts, facts_of

ANNA, BERT, DOCTOR = (known_id(number) for number in range(1, 4))
PLACER = Identifier(system="urn:test:placer", value="quokka-17")
DETAILS = RequestDetails(
    status="active", intent="order", priority="urgent", code=Coding(system="http://snomed.info/sct", code="183519002", display="quoll"),
    placer=PLACER, requester=Party(kind="Practitioner", id=DOCTOR, display="Dr. Dunnart"), authored_at=MORNING,
    reasons=("palpitations at night",),
)  # fmt: skip
REFER = RecordRequest(patient_id=ANNA, details=DETAILS)
STORED = """
SELECT r::text FROM orders.request r WHERE organization_id = $1
UNION ALL SELECT i::text FROM orders.identifier i WHERE organization_id = $1
"""


@pytest.fixture
async def doctor(context: Contexts) -> Context:
    return await context("orders", "physician")


@pytest.fixture
async def database(database_url: str) -> Any:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def found(ctx: Context, **query: Any) -> list[UUID]:
    return [each.id for each in (await service.search_requests(ctx, SearchRequests(**query))).items]


async def test_an_order_is_recorded_once_read_and_reported(context: Contexts, doctor: Context) -> None:
    acting = doctor.acting(doctor.actor, Once("refer", b"f" * 32))
    made = await service.record_request(acting, REFER)
    assert await service.record_request(acting, REFER) == made
    assert await service.get_request(doctor, made.id) == made
    (fact,) = [each for each in await facts_of(doctor) if isinstance(each, RequestRecorded)]
    assert (fact.request_id, fact.patient_id, fact.status, fact.version) == (made.id, ANNA, "active", 1)
    assert [event for event, *_ in await recorded(context)] == ["orders.request.record", "orders.request.read"]


async def test_an_order_goes_only_where_it_may_and_the_same_changes_nothing(doctor: Context) -> None:
    made = await service.record_request(doctor, REFER)
    assert await service.update_request(doctor, UpdateRequest(request_id=made.id, details=DETAILS)) == made
    done = UpdateRequest(request_id=made.id, details=replace(DETAILS, status="completed"), expected_version=1)
    after = await service.update_request(doctor, done)
    assert (after.status, after.version, await service.get_request(doctor, made.id)) == ("completed", 2, after)
    with pytest.raises(PreconditionFailed):
        await service.update_request(doctor, done)
    with pytest.raises(RequestStatusNotAllowed):
        await service.update_request(doctor, UpdateRequest(request_id=made.id, details=DETAILS))
    assert [each.version for each in await facts_of(doctor) if isinstance(each, RequestChanged)] == [2]


async def test_a_number_names_one_order_and_is_free_again(doctor: Context) -> None:
    made = await service.record_request(doctor, REFER)
    with pytest.raises(InvalidRequest):
        await service.record_request(doctor, replace(REFER, patient_id=BERT))
    assert await found(doctor, patient_ids=(BERT,)) == []
    await service.update_request(doctor, UpdateRequest(request_id=made.id, details=replace(DETAILS, placer=None)))
    other = await service.record_request(doctor, replace(REFER, patient_id=BERT))
    assert await found(doctor, identifiers=(PLACER,)) == [other.id]


async def test_orders_are_found_by_whatever_they_have(doctor: Context) -> None:
    one = (await service.record_request(doctor, REFER)).id
    later = replace(DETAILS, placer=None, requester=None, status="draft", authored_at=MORNING + timedelta(days=1))
    two = (await service.record_request(doctor, RecordRequest(patient_id=BERT, details=later))).id
    for query in (
        {"ids": (one,)}, {"patient_ids": (ANNA,)}, {"party_ids": (DOCTOR,)}, {"statuses": ("active",)}, {"identifiers": (PLACER,)},
        {"numbers": ("quokka-17",)}, {"authored_until": MORNING + timedelta(hours=1)},
    ):  # fmt: skip
        assert await found(doctor, **query) == [one], query
    assert await found(doctor, authored_from=MORNING + timedelta(hours=1)) == [two]
    assert await found(doctor, identifiers=(Identifier(system="urn:test:other", value="quokka-17"),)) == []
    page = await service.search_requests(doctor, SearchRequests(limit=1))
    assert ([each.id for each in page.items], page.next) == ([one], str(one))
    assert await found(doctor, after=page.next) == [two]


async def test_a_patient_sees_their_own_orders_alone(context: Contexts, doctor: Context) -> None:
    made = await service.record_request(doctor, REFER)
    anna, bert = [await context("orders", "patient", subject=f"patient/{each}", patient_id=each) for each in (ANNA, BERT)]
    assert (await found(anna), await found(bert), await found(bert, patient_ids=(ANNA,))) == ([made.id], [], [])
    for ctx in (bert, await context("orders", "physician", organization_id=known_id(98))):
        with pytest.raises(UnknownRequest):
            await service.get_request(ctx, made.id)
    with pytest.raises(Forbidden):
        await service.record_request(anna, REFER)


async def test_what_is_asked_lies_sealed_and_goes_with_the_patient(doctor: Context, database: Any) -> None:
    made = await service.record_request(doctor, REFER)
    organization_id = doctor.actor.organization_id
    stored = " ".join(row[0] for row in await database.fetch(STORED, organization_id))
    assert str(made.id) in stored
    for word in ("quokka", "quoll", "Dunnart", "183519002", "palpitations"):
        assert word not in stored
        assert word.encode().hex() not in stored
    assert await service.reseal_requests(doctor, UUID(int=0), 10) == [], "nothing here is due for rotation"
    event = PatientErased(organization_id=organization_id, patient_id=ANNA, version=2)
    for _ in range(2):
        async with doctor.db.transaction() as tx:
            await handlers.erase_patient(doctor, tx, event)
    assert await database.fetch(STORED, organization_id) == []
    with pytest.raises(UnknownRequest):
        await service.get_request(doctor, made.id)
    with pytest.raises(PatientForgotten):
        await service.record_request(doctor, REFER)


async def test_orders_are_disposed_of_when_nobody_wants_them_any_more(context: Contexts, doctor: Context) -> None:
    await service.record_request(doctor, REFER)
    then = doctor.clock.now() + timedelta(days=9 * 366)
    wanted = replace(DETAILS, placer=None, occurs_from=then, occurs_until=then)
    coming = await service.record_request(doctor, RecordRequest(patient_id=BERT, details=wanted))
    context.clock.advance(days=8 * 366)
    await keeping.dispose_all(await context.system("orders"), KEEPS, days_kept)
    assert await found(doctor) == [coming.id]
    assert "orders.request.dispose" in [event for event, *_ in await recorded(context)]
