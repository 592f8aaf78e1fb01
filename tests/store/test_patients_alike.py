"""Who may be the same person as somebody new, in PostgreSQL; and registering them all the same."""

from datetime import date
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import (
    ContactPoint,
    FindAlike,
    InvalidPatient,
    Likeness,
    RegisterPatient,
    UnknownPatient,
    Unlike,
    UpdatePatient,
)
from carewright.kernel.context import Context
from carewright.kernel.errors import Forbidden
from carewright.patients.service import records as service
from tests.servers import Contexts

BORN = date(1980, 2, 9)
PHONE = ContactPoint(system="phone", value="+1 555 010 0220")
ANNA = FindAlike(family="Meyer", given=("Anna",), birth_on=BORN)


@pytest.fixture
async def ctx(context: Contexts) -> Context:
    """The front desk of a tenant without patients."""
    return await context("patients", role="front-desk")


async def known(
    ctx: Context, family: str, given: str, birth_on: date | None = BORN, *, telecom: tuple[ContactPoint, ...] = (),
    identifiers: tuple[Identifier, ...] = (),
) -> UUID:  # fmt: skip
    person = RegisterPatient(family=family, given=(given,), birth_on=birth_on, telecom=telecom, identifiers=identifiers)
    return (await service.register_patient(ctx, person)).id


async def found(ctx: Context, query: FindAlike = ANNA) -> dict[UUID, tuple[Likeness, ...]]:
    return {each.patient.id: each.why for each in (await service.find_alike(ctx, query)).items}


async def test_who_may_be_the_same_is_found_by_birth_date_or_name_the_likeliest_first(ctx: Context) -> None:
    slip = await known(ctx, "Maier", "Anna", date(1980, 9, 2))
    married = await known(ctx, "Øre", "Anna")
    same = await known(ctx, "MEYER", "Anna", telecom=(PHONE,))
    swapped = await known(ctx, "Anna", "Meyer")
    await known(ctx, "Meyer", "Anna", date(1955, 11, 30))
    await known(ctx, "Schulz", "Bertha")
    assert list((await found(ctx, replace(ANNA, telecom=(replace(PHONE, value="555 010-0220"),)))).items()) == [
        (same, ("birth-date", "family", "given", "contact")),
        (swapped, ("birth-date", "names-swapped")),
        (married, ("birth-date", "given")),
        (slip, ("birth-date-nearly", "family-sound", "given")),
    ]


async def test_more_are_said_to_be_there_and_an_inactive_record_is_nobody(ctx: Context) -> None:
    first, second = await known(ctx, "Meyer", "Anna", None), await known(ctx, "Meyer", "Anna", None)
    page = await service.find_alike(ctx, replace(ANNA, limit=1))
    assert (len(page.items), page.more) == (1, True)
    await service.update_patient(ctx, UpdatePatient(patient_id=first, family="Meyer", given=("Anna",), active=False))
    assert set(await found(ctx)) == {second}


async def test_whose_an_identifier_is_is_told_before_it_is_refused(ctx: Context) -> None:
    number = Identifier(system="urn:test:mrn", value="1")
    carrier = await known(ctx, "Schulz", "Bertha", None, identifiers=(number,))
    await service.update_patient(ctx, UpdatePatient(patient_id=carrier, family="Schulz", given=("Bertha",), active=False))
    assert await found(ctx, replace(ANNA, identifiers=(number,))) == {carrier: ("identifier",)}


async def test_who_could_not_be_registered_is_refused_as_then(ctx: Context) -> None:
    with pytest.raises(InvalidPatient) as refused:
        await service.find_alike(ctx, replace(ANNA, telecom=(PHONE, ContactPoint(system="email", value="nowhere"))))
    assert (refused.value.facts["field"], refused.value.facts["system"]) == ("telecom", "email")


async def test_who_sees_no_contacts_is_told_of_none_and_who_may_not_search_of_nobody(context: Contexts, ctx: Context) -> None:
    same = await known(ctx, "Meyer", "Anna", telecom=(PHONE,))
    technician = await context("patients", role="technician")
    assert await found(technician, replace(ANNA, telecom=(PHONE,))) == {same: ("birth-date", "family", "given")}
    (shown,) = (await service.find_alike(technician, ANNA)).items
    assert (shown.patient.telecom, shown.patient.withheld) == ((), ("telecom", "identifiers"))
    with pytest.raises(Forbidden):
        await service.find_alike(await context("patients", role="operations"), ANNA)


async def test_who_is_told_apart_must_be_known(ctx: Context) -> None:
    with pytest.raises(UnknownPatient):
        await service.register_patient(ctx, RegisterPatient(family="Meyer", unlike=Unlike(patient_ids=(uuid4(),), because="relative")))
    assert await found(ctx, FindAlike(family="Meyer")) == {}
