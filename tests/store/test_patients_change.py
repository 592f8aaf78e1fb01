"""Changing one record, reading several, and searching them as other systems do."""

import asyncio
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import (
    ContactPoint,
    FindPatients,
    InvalidPatient,
    ListPatients,
    Patient,
    PatientChanged,
    RegisterPatient,
    SearchPatients,
    UnknownPatient,
    UpdatePatient,
)
from carewright.kernel.context import Context, Once
from carewright.kernel.errors import BadInput, Forbidden, PreconditionFailed
from carewright.patients.service import records as service
from tests.samples import known_id
from tests.servers import Contexts, facts_of
from tests.store.test_patients import ANNA, MRN

BEN = RegisterPatient(
    family="García", given=("Ben",), birth_on=date(1980, 2, 29), gender="male",
    telecom=(ContactPoint(system="email", value="ben@example.org"),),
)  # fmt: skip


@pytest.fixture
async def desk(context: Contexts) -> Context:
    return await context("patients", role="front-desk")


@pytest.fixture
async def anna(desk: Context) -> Patient:
    return await service.register_patient(desk, ANNA)


def said_of(patient: Patient, **changes: Any) -> UpdatePatient:
    """What the record says already, with changes; contacts and identifiers left out."""
    whole = UpdatePatient(
        patient_id=patient.id, family=patient.family, given=patient.given, birth_on=patient.birth_on, gender=patient.gender,
        language=patient.language, expected_version=patient.version,
    )  # fmt: skip
    return replace(whole, **changes)


async def test_a_change_is_kept_told_and_found(desk: Context, anna: Patient) -> None:
    moved = (ContactPoint(system="email", value="anna@example.org"),)
    changed = await service.update_patient(desk, said_of(anna, family="Björk", telecom=moved))
    assert changed == replace(anna, family="Björk", telecom=moved, version=2)
    assert await service.get_patient(desk, anna.id) == changed
    assert (await facts_of(desk))[1:] == [
        PatientChanged(organization_id=desk.actor.organization_id, patient_id=anna.id, active=True, version=2)
    ]
    assert (await service.find_patients(desk, FindPatients(family="bjork"))).items == (changed,)
    assert (await service.find_patients(desk, FindPatients(family="garcia"))).items == ()


async def test_what_is_left_out_stays_and_what_is_emptied_goes(desk: Context, anna: Patient) -> None:
    kept = await service.update_patient(desk, said_of(anna, active=False))
    assert (kept.telecom, kept.identifiers, kept.active) == (anna.telecom, anna.identifiers, False)
    emptied = await service.update_patient(desk, said_of(kept, telecom=(), identifiers=()))
    assert (emptied.telecom, emptied.identifiers, emptied.active) == ((), (), True)
    assert await service.find_patients_by_identifier(desk, anna.identifiers) == ()


async def test_the_same_again_changes_nothing_and_tells_nothing(desk: Context, anna: Patient) -> None:
    told = len(await facts_of(desk))
    assert await service.update_patient(desk, said_of(anna)) == anna
    assert len(await facts_of(desk)) == told


async def test_nobody_changes_what_they_did_not_see(desk: Context, anna: Patient) -> None:
    """Who may change records and sees neither contacts nor identifiers, as a client with narrower scopes."""
    narrow = desk.acting(replace(desk.actor, permissions=frozenset({"patients.change", "patients.read", "patients.find"})))
    shown = await service.update_patient(narrow, said_of(anna, language="en"))
    assert (shown.telecom, shown.identifiers, shown.withheld) == ((), (), ("telecom", "identifiers"))
    assert await service.get_patient(desk, anna.id) == replace(anna, language="en", version=2)
    for blind in ({"telecom": ()}, {"identifiers": ()}):
        with pytest.raises(Forbidden):
            await service.update_patient(narrow, said_of(anna, expected_version=None, **blind))
    assert (await service.get_patient(desk, anna.id)).version == 2


async def test_of_two_changes_of_one_version_one_is_refused(desk: Context, anna: Patient) -> None:
    tried = await asyncio.gather(
        *(service.update_patient(desk, said_of(anna, family=name)) for name in ("One", "Two")), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in tried) == ["Patient", "PreconditionFailed"]
    with pytest.raises(PreconditionFailed) as refused:
        await service.update_patient(desk, said_of(anna))
    assert refused.value.facts == {"version": 2}


async def test_a_repeated_key_changes_once(desk: Context, anna: Patient) -> None:
    command = said_of(anna, family="Björk")
    keyed = desk.acting(desk.actor, Once.of("key", command))
    assert await service.update_patient(keyed, command) == await service.update_patient(keyed, command)


async def test_a_change_is_refused_for_what_is_not_sound_or_not_known(desk: Context, anna: Patient) -> None:
    ben = await service.register_patient(desk, BEN)
    with pytest.raises(InvalidPatient) as refused:
        await service.update_patient(desk, said_of(ben, identifiers=anna.identifiers))
    assert refused.value.facts["field"] == "identifiers"
    with pytest.raises(InvalidPatient):
        await service.update_patient(desk, said_of(anna, birth_on=date(1850, 1, 1)))
    with pytest.raises(UnknownPatient):
        await service.update_patient(desk, said_of(anna, patient_id=known_id(99)))
    assert await service.get_patient(desk, ben.id) == ben


@pytest.mark.parametrize("role", ["patient", "nurse", "scheduler", "administrator"])
async def test_who_keeps_no_records_changes_none(context: Contexts, anna: Patient, role: str) -> None:
    other = await context("patients", role=role, patient_id=anna.id if role == "patient" else None)
    with pytest.raises(Forbidden):
        await service.update_patient(other, said_of(anna))


async def test_several_records_are_read_at_once(context: Contexts, desk: Context, anna: Patient) -> None:
    ben = await service.register_patient(desk, BEN)
    assert await service.get_patients(desk, (ben.id, known_id(99), anna.id, ben.id)) == tuple(sorted((anna, ben), key=lambda one: one.id))
    technician = await context("patients", role="technician")
    assert all(each.withheld == ("telecom", "identifiers") for each in await service.get_patients(technician, (anna.id, ben.id)))
    own = await context("patients", role="patient", patient_id=ben.id)
    assert await service.get_patients(own, (ben.id,)) == (ben,)
    with pytest.raises(Forbidden):
        await service.get_patients(own, (ben.id, anna.id))
    with pytest.raises(BadInput):
        await service.get_patients(desk, tuple(known_id(number) for number in range(201)))


async def test_another_system_takes_all_records_along_page_by_page(context: Contexts, desk: Context, anna: Patient) -> None:
    ben = await service.register_patient(desk, BEN)
    everybody = sorted((anna, ben), key=lambda one: one.id)
    system = await context("patients", role="integration")
    first = await service.list_patients(system, ListPatients(limit=1))
    second = await service.list_patients(system, ListPatients(after=first.items[0].id, limit=1))
    assert [(page.items, page.more) for page in (first, second)] == [((everybody[0],), True), ((everybody[1],), False)]
    for role in ("front-desk", "physician", "privacy-officer", "administrator", "patient"):
        with pytest.raises(Forbidden):
            await service.list_patients(await context("patients", role=role), ListPatients())


async def test_a_search_meets_every_condition(desk: Context, anna: Patient) -> None:
    ben = await service.register_patient(desk, BEN)
    assert anna.birth_on is not None
    born = SearchPatients(birth_on=anna.birth_on)
    phone = ContactPoint(system="phone", value="0034-915550100")
    for query, found in (
        (born, (anna, ben)),
        (replace(born, gender="male"), (ben,)),
        (replace(born, given="an"), (anna,)),
        (replace(born, family="gar", contact=phone), (anna,)),
        (replace(born, contact=replace(phone, value="0034-915550199")), ()),
        (SearchPatients(identifiers=(Identifier(system=MRN, value="1"), Identifier(system=MRN, value="none"))), (anna,)),
        (SearchPatients(identifiers=anna.identifiers, gender="male"), ()),
        (SearchPatients(identifiers=anna.identifiers, family="gar", birth_on=date(1980, 2, 28)), ()),
        (SearchPatients(family="garcia", contact=BEN.telecom[0]), (ben,)),
    ):
        assert (await service.search_patients(desk, query)).items == found, query
    first = await service.search_patients(desk, replace(born, limit=1))
    assert (len(first.items), first.more) == (1, True)


async def test_a_search_needs_what_is_indexed(context: Contexts, desk: Context, anna: Patient) -> None:
    for query in (SearchPatients(gender="female"), SearchPatients(contact=anna.telecom[0]), SearchPatients(given="anna")):
        with pytest.raises(BadInput):
            await service.search_patients(desk, query)
    technician = await context("patients", role="technician")
    with pytest.raises(Forbidden):
        await service.search_patients(technician, SearchPatients(family="garcia", contact=anna.telecom[0]))
    with pytest.raises(Forbidden):
        await service.search_patients(await context("patients", role="patient", patient_id=anna.id), SearchPatients(family="garcia"))


async def test_an_identifier_leads_to_a_closed_record_and_a_name_does_not(desk: Context, anna: Patient) -> None:
    closed = await service.update_patient(desk, said_of(anna, active=False))
    assert (await service.search_patients(desk, SearchPatients(identifiers=anna.identifiers))).items == (closed,)
    assert (await service.search_patients(desk, SearchPatients(family="garcia"))).items == ()
