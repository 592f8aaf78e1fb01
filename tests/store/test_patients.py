"""Patients in PostgreSQL: storing, finding, and what is told of them."""

import asyncio
from datetime import date
from uuid import UUID

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import (
    ContactPoint,
    FindPatients,
    InvalidPatient,
    NewPatient,
    Patient,
    PatientChanged,
    PutPatients,
    PutPatientsResult,
    RegisterPatient,
    UnknownPatient,
)
from carewright.kernel.context import Context, Once
from carewright.kernel.errors import Forbidden, IdempotencyKeyReused
from carewright.kernel.privacy.cipher import FieldCipher, SealedElsewhere
from carewright.kernel.sql import Query
from carewright.patients.service import records as service
from carewright.patients.store import records as store
from tests.samples import known_id
from tests.servers import Contexts, facts_of

MRN = "urn:test:mrn"
ANNA = RegisterPatient(
    family="García",
    given=("Anna", "Íris"),
    birth_on=date(1980, 2, 29),
    gender="female",
    language="es",
    telecom=(ContactPoint(system="phone", value="+34 91 555 01 00"),),
    identifiers=(Identifier(system=MRN, value="1"), Identifier(system="urn:test:insurance", value="X")),
)
PEOPLE = tuple(
    Patient(id=known_id(number), family=family, given=(given,), birth_on=born, identifiers=(Identifier(system=MRN, value=f"P{number}"),))
    for number, (family, given, born) in enumerate(
        [
            ("Meyer", "Zoë", date(1990, 1, 1)),
            ("MEYER", "Adam", date(1991, 1, 1)),
            ("Mé́yer", "Lou", date(1990, 1, 1)),
            ("Meyerhold", "Eve", date(1990, 1, 1)),
            ("Mey", "Al", None),
            ("Møller", "Ida", date(1990, 1, 1)),
        ],
        start=10,
    )
)


@pytest.fixture
async def ctx(context: Contexts) -> Context:
    """The front desk of a tenant without patients."""
    return await context("patients", role="front-desk")


async def test_a_registered_patient_is_read_back_whole(ctx: Context) -> None:
    anna = await service.register_patient(ctx, ANNA)
    assert await service.get_patient(ctx, anna.id) == anna
    assert anna.version == 1
    assert all(getattr(anna, name) == getattr(ANNA, name) for name in NewPatient.__struct_fields__)


async def test_what_is_told_holds_no_person_data(ctx: Context) -> None:
    anna = await service.register_patient(ctx, ANNA)
    told = PatientChanged(organization_id=ctx.actor.organization_id, patient_id=anna.id, active=True, version=1)
    assert await facts_of(ctx) == [told]
    assert set(msgspec.to_builtins(told)) == {"organization_id", "patient_id", "active", "version"}


async def test_a_repeated_key_registers_one_patient(ctx: Context) -> None:
    keyed = ctx.acting(ctx.actor, Once.of("key", ANNA))
    anna = await service.register_patient(keyed, ANNA)
    assert await service.register_patient(keyed, ANNA) == anna
    with pytest.raises(IdempotencyKeyReused):
        await service.register_patient(ctx.acting(ctx.actor, Once.of("key", replace(ANNA, family="B"))), replace(ANNA, family="B"))
    assert len(await facts_of(ctx)) == 1


async def test_a_refused_registration_leaves_nothing_and_may_be_corrected_under_its_key(ctx: Context) -> None:
    keyed = ctx.acting(ctx.actor, Once.of("key", ANNA))
    with pytest.raises(InvalidPatient):
        await service.register_patient(keyed, replace(ANNA, birth_on=date(1850, 1, 1)))
    assert await facts_of(ctx) == []
    await service.register_patient(keyed, ANNA)


async def test_an_identifier_names_one_patient(ctx: Context) -> None:
    anna = await service.register_patient(ctx, ANNA)
    with pytest.raises(InvalidPatient) as refused:
        await service.register_patient(ctx, replace(ANNA, family="Other"))
    assert refused.value.facts["field"] == "identifiers"
    assert (await service.find_patients(ctx, FindPatients(family="other"))).items == ()
    asked = (*ANNA.identifiers, Identifier(system=MRN, value="unknown"))
    found = await service.find_patients_by_identifier(ctx, asked)
    assert {(match.id, match.identifier) for match in found} == {(anna.id, identifier) for identifier in ANNA.identifiers}


async def test_of_two_registrations_of_one_person_at_once_one_is_refused(ctx: Context) -> None:
    tried = await asyncio.gather(*(service.register_patient(ctx, ANNA) for _ in range(6)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in tried) == ["InvalidPatient"] * 5 + ["Patient"]


async def test_a_patient_reads_their_own_record_alone(ctx: Context, context: Contexts) -> None:
    anna = await service.register_patient(ctx, ANNA)
    herself = ctx.acting(context.actor("patient", patient_id=anna.id))
    assert await service.get_patient(herself, anna.id) == anna
    for stranger in (context.actor("patient", patient_id=known_id(1)), context.actor("patient")):
        with pytest.raises(Forbidden):
            await service.get_patient(ctx.acting(stranger), anna.id)
    with pytest.raises(Forbidden):
        await service.find_patients(herself, FindPatients(family="Ga"))
    with pytest.raises(Forbidden):
        await service.get_patient(ctx.acting(context.actor("administrator")), anna.id)


async def test_an_unknown_id_and_another_tenants_are_the_same(ctx: Context, context: Contexts) -> None:
    anna = await service.register_patient(ctx, ANNA)
    other = await context("patients", role="front-desk", organization_id=known_id(200))
    for asking, patient_id in ((ctx, known_id(1)), (other, anna.id)):
        with pytest.raises(UnknownPatient):
            await service.get_patient(asking, patient_id)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (FindPatients(family="meyer"), ["MEYER Adam", "Mé́yer Lou", "Meyer Zoë", "Meyerhold Eve"]),
        (FindPatients(family="  MÉYER "), ["MEYER Adam", "Mé́yer Lou", "Meyer Zoë", "Meyerhold Eve"]),
        (FindPatients(family="meyer, z"), ["Meyer Zoë"]),
        (FindPatients(family="meyer", birth_on=date(1990, 1, 1)), ["Mé́yer Lou", "Meyer Zoë", "Meyerhold Eve"]),
        (FindPatients(family="me", limit=2), ["Mey Al", "MEYER Adam"]),
        (FindPatients(family="mol"), ["Møller Ida"]),
        (FindPatients(family="eyer"), []),
    ],
)
async def test_people_are_found_by_the_beginning_of_their_name(ctx: Context, query: FindPatients, found: list[str]) -> None:
    await service.put_patients(ctx, PutPatients(patients=PEOPLE))
    page = await service.find_patients(ctx, query)
    assert [f"{patient.family} {patient.given[0]}" for patient in page.items] == found


async def test_the_same_again_changes_nothing_and_a_change_is_told(ctx: Context) -> None:
    put = PutPatients(patients=PEOPLE)
    assert await service.put_patients(ctx, put) == PutPatientsResult(created=6, changed=0, unchanged=0)
    assert await service.put_patients(ctx, put) == PutPatientsResult(created=0, changed=0, unchanged=6)
    gone = replace(PEOPLE[0], active=False)
    assert await service.put_patients(ctx, PutPatients(patients=(gone, PEOPLE[1]))) == PutPatientsResult(created=0, changed=1, unchanged=1)
    told = await facts_of(ctx)
    assert len(told) == 7
    assert told[-1] == PatientChanged(organization_id=ctx.actor.organization_id, patient_id=gone.id, active=False, version=2)
    assert len((await service.find_patients(ctx, FindPatients(family="meyer"))).items) == 3


async def test_two_patients_may_exchange_identifiers(ctx: Context) -> None:
    first, second = PEOPLE[:2]
    await service.put_patients(ctx, PutPatients(patients=PEOPLE))
    exchanged = (replace(first, identifiers=second.identifiers), replace(second, identifiers=first.identifiers))
    assert (await service.put_patients(ctx, PutPatients(patients=exchanged))).changed == 2
    (match,) = await service.find_patients_by_identifier(ctx, first.identifiers)
    assert match.id == second.id


async def test_batches_at_once_wait_for_each_other_in_one_order(ctx: Context) -> None:
    await service.put_patients(ctx, PutPatients(patients=PEOPLE))
    batches = [[replace(patient, family=f"Name{number}") for patient in PEOPLE] for number in range(8)]
    changed = await asyncio.gather(
        *(service.put_patients(ctx, PutPatients(patients=tuple(batch[:: (-1) ** at]))) for at, batch in enumerate(batches))
    )
    assert [result.changed for result in changed] == [6] * 8
    assert (await service.get_patient(ctx, PEOPLE[0].id)).version == 9


async def test_a_bulk_load_equals_a_put(ctx: Context, context: Contexts) -> None:
    async with ctx.db.transaction() as tx:
        assert await service.bulk_load(ctx, tx, PEOPLE) == PutPatientsResult(created=6, changed=0, unchanged=0)
    assert await service.put_patients(ctx, PutPatients(patients=PEOPLE)) == PutPatientsResult(created=0, changed=0, unchanged=6)
    assert await service.get_patient(ctx, PEOPLE[0].id) == PEOPLE[0]
    assert len(await service.find_patients_by_identifier(ctx, PEOPLE[0].identifiers)) == 1
    other = await context("patients", role="front-desk", organization_id=known_id(201))
    await service.put_patients(other, PutPatients(patients=PEOPLE))
    nobody = UUID(int=0)
    assert [replace(fact, organization_id=nobody) for fact in await facts_of(ctx)] == [
        replace(fact, organization_id=nobody) for fact in await facts_of(other)
    ]


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(replace(PEOPLE[0], gender="robot"), id="gender"),
        pytest.param(replace(PEOPLE[0], active=None), id="neither active nor not"),
    ],
)
async def test_the_schema_keeps_the_rules_that_it_can_see_too(ctx: Context, broken: Patient) -> None:
    cipher = await ctx.cipher()
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        async with ctx.db.transaction() as tx:
            await store.put_patients(tx, cipher, [broken])


EVERYTHING = Query("test.everything", "SELECT p::text AS row FROM patients.patient p UNION ALL SELECT i::text FROM patients.identifier i")
MOVE = Query(
    "test.move",
    "UPDATE patients.patient t SET person = o.person FROM patients.patient o WHERE t.organization_id = $1 AND t.id = $2 AND o.id = $3",
)
MOVE_COLUMN = Query("test.move_column", "UPDATE patients.patient SET person = reach WHERE organization_id = $1 AND id = $2")


async def test_nothing_of_a_person_lies_open(ctx: Context) -> None:
    await service.register_patient(ctx, ANNA)
    stored = "".join(row["row"] for row in await ctx.db.fetch(EVERYTHING)).encode()
    for secret in ("García", "Anna", "Íris", "1980-02-29", "555 01 00", "91555", MRN, "insurance"):
        assert secret.encode() not in stored
        assert secret.encode().hex().encode() not in stored, "bytes are shown in hexadecimal digits"


async def test_a_record_that_was_moved_is_refused_and_not_shown(ctx: Context, context: Contexts) -> None:
    await service.put_patients(ctx, PutPatients(patients=PEOPLE))
    other = await context("patients", role="front-desk", organization_id=known_id(202))
    await service.put_patients(other, PutPatients(patients=PEOPLE[:1]))
    system = await context.pools.of("patients")
    here = ctx.actor.organization_id
    await system.execute(MOVE, here, PEOPLE[0].id, PEOPLE[1].id)
    await system.execute(MOVE_COLUMN, here, PEOPLE[2].id)
    for patient in (PEOPLE[0], PEOPLE[2]):
        with pytest.raises(SealedElsewhere):
            await service.get_patient(ctx, patient.id)
        with pytest.raises(SealedElsewhere):
            await service.find_patients(ctx, FindPatients(family="mey", birth_on=patient.birth_on))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (FindPatients(family="maier", sounds_like=True), ["MEYER Adam", "Mé́yer Lou", "Meyer Zoë"]),
        (FindPatients(family="maier", given="lu", sounds_like=True), ["Mé́yer Lou"]),
        (FindPatients(family="maier", given="z", sounds_like=True), ["Meyer Zoë"]),
        (FindPatients(family="maier", birth_on=date(1991, 1, 1), sounds_like=True), ["MEYER Adam"]),
        (FindPatients(family="me", given="ze"), []),
        (FindPatients(family="me", given="zo"), ["Meyer Zoë"]),
        (FindPatients(given="ida", birth_on=date(1990, 1, 1)), ["Møller Ida"]),
    ],
)
async def test_people_are_found_by_given_names_and_by_sound(ctx: Context, query: FindPatients, found: list[str]) -> None:
    await service.put_patients(ctx, PutPatients(patients=PEOPLE))
    page = await service.find_patients(ctx, query)
    assert [f"{patient.family} {patient.given[0]}" for patient in page.items] == found
    assert not page.more


async def test_whom_an_index_brings_up_beside_those_asked_for_is_not_shown(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no bit left every number is the same: the search opens everybody, and shows who fits."""
    monkeypatch.setattr(FieldCipher, "blind", lambda *_: 0)
    await service.put_patients(ctx, PutPatients(patients=PEOPLE))
    page = await service.find_patients(ctx, FindPatients(family="mol", birth_on=date(1990, 1, 1)))
    assert [patient.family for patient in page.items] == ["Møller"]


async def test_a_search_that_may_have_missed_somebody_says_so(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    await service.put_patients(ctx, PutPatients(patients=PEOPLE))
    assert (await service.find_patients(ctx, FindPatients(family="me", limit=2))).more
    monkeypatch.setattr(store, "CANDIDATES_MAX", 2)
    assert (await service.find_patients(ctx, FindPatients(family="mey"))).more


def system(ctx: Context) -> Context:
    """The system at work in this tenant: it alone looks people up who are not signed in yet."""
    return ctx.acting(msgspec.structs.replace(ctx.actor, role="system", permissions=frozenset({service.FIND_BY_CONTACT})))


@pytest.mark.parametrize(
    "contact",
    [
        ContactPoint(system="phone", value="+34 91 555 01 00"),
        ContactPoint(system="phone", value="034-91-555-01.00"),
        ContactPoint(system="phone", value="(34) 915550100 ext. 7"),
        ContactPoint(system="email", value="ANNA@Example.org"),
    ],
    ids=lambda contact: contact.value,
)
async def test_a_person_is_found_by_a_contact_however_it_is_written(ctx: Context, contact: ContactPoint) -> None:
    telecom = (*ANNA.telecom, ContactPoint(system="email", value="anna@example.org"))
    anna = await service.register_patient(ctx, replace(ANNA, telecom=telecom))
    assert ANNA.birth_on
    assert await service.find_patients_by_contact(system(ctx), contact, ANNA.birth_on) == (anna.id,)


async def test_a_contact_alone_or_a_birth_date_alone_finds_nobody(ctx: Context, context: Contexts) -> None:
    anna = await service.register_patient(ctx, ANNA)
    (phone,), born = ANNA.telecom, date(1980, 2, 29)
    assert await service.find_patients_by_contact(system(ctx), phone, date(1980, 2, 28)) == ()
    assert await service.find_patients_by_contact(system(ctx), replace(phone, value="+34 91 555 01 01"), born) == ()
    assert await service.find_patients_by_contact(system(ctx), ContactPoint(system="email", value=phone.value), born) == ()
    elsewhere = await context("patients", role="front-desk", organization_id=context.ids.new())
    assert await service.find_patients_by_contact(system(elsewhere), phone, born) == ()
    await service.put_patients(await context("patients", role="integration"), PutPatients(patients=(replace(anna, active=False),)))
    assert await service.find_patients_by_contact(system(ctx), phone, born) == ()


async def test_two_who_share_a_telephone_and_a_birth_date_are_both_found(ctx: Context) -> None:
    twins = [await service.register_patient(ctx, replace(ANNA, given=(name,), identifiers=())) for name in ("Ana", "Eva")]
    found = await service.find_patients_by_contact(system(ctx), ANNA.telecom[0], date(1980, 2, 29))
    assert sorted(found) == sorted(twin.id for twin in twins)


async def test_nobody_but_the_system_looks_people_up_by_contact(ctx: Context) -> None:
    with pytest.raises(Forbidden):
        await service.find_patients_by_contact(ctx, ANNA.telecom[0], date(1980, 2, 29))
