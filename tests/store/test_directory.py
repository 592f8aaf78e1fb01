"""The directory in PostgreSQL: storing, finding, and what its events carry."""

import asyncio
from typing import get_args
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from carewright.contracts.directory import (
    DeviceChanged,
    EntriesPage,
    EntryType,
    FindByIdentifier,
    FindEntries,
    FindServices,
    FindStaff,
    Identifier,
    InvalidResource,
    LocationChanged,
    PractitionerChanged,
    PutEntry,
    PutResources,
    PutResult,
    Resource,
    ServicesPage,
    SitesPage,
    UnknownResource,
    VisitTypeChanged,
)
from carewright.directory import service, store
from carewright.kernel.context import Context, Once
from carewright.kernel.errors import BadInput, Forbidden, IdempotencyKeyReused, PreconditionFailed
from carewright.kernel.events import Event
from tests.samples import (
    BUILDING,
    DOCTOR,
    DOCTOR_ROLE,
    ECG,
    HOSPITAL,
    NURSE,
    ROOM,
    SERVICE,
    SITE,
    SMALL_HOSPITAL,
    VISIT,
    known_id,
)
from tests.servers import Contexts, facts_of

PLACES = ("organizations", "locations", "practitioners", "practitioner_roles", "devices", "healthcare_services", "visit_types")


@pytest.fixture
async def ctx(context: Contexts) -> Context:
    """A tenant that has the small hospital."""
    ctx = await context("directory", role="administrator")
    assert await service.put_resources(ctx, SMALL_HOSPITAL) == PutResult(created=11, changed=0, unchanged=0)
    return ctx


async def test_what_was_put_is_read_back_whole(ctx: Context) -> None:
    assert await service.get_visit_type(ctx, VISIT.id) == VISIT
    assert await service.find_sites(ctx) == SitesPage(items=(SITE,), total=1)
    staff = await service.get_staff(ctx, DOCTOR.id)
    assert (staff.practitioner, staff.roles) == (DOCTOR, (DOCTOR_ROLE,))
    summary = await service.get_service(ctx, SERVICE.id)
    assert (summary.service, summary.visit_types) == (SERVICE, (VISIT,))


async def test_every_entry_of_use_to_others_is_told_once(ctx: Context) -> None:
    told = await facts_of(ctx)
    assert {fact.location.id for fact in told if isinstance(fact, LocationChanged)} == {SITE.id, BUILDING.id, ROOM.id}
    assert [fact.device for fact in told if isinstance(fact, DeviceChanged)] == [ECG]
    assert next((fact.practitioner, fact.roles) for fact in told if isinstance(fact, PractitionerChanged)) == (DOCTOR, (DOCTOR_ROLE,))
    assert [(fact.visit_type, fact.service) for fact in told if isinstance(fact, VisitTypeChanged)] == [(VISIT, SERVICE)]
    assert len(told) == 7


async def test_the_same_again_changes_nothing_and_tells_nothing(ctx: Context) -> None:
    before = len(await facts_of(ctx))
    again = await service.put_resources(ctx, replace(SMALL_HOSPITAL, devices=(replace(ECG, version=9),)))
    assert again == PutResult(created=0, changed=0, unchanged=11)
    assert (await facts_of(ctx))[before:] == []


async def test_a_change_raises_the_version_and_is_told(ctx: Context) -> None:
    before = len(await facts_of(ctx))
    renamed = replace(ROOM, name="Room 1 (new)")
    assert await service.put_resources(ctx, PutResources(locations=(renamed, SITE))) == PutResult(created=0, changed=1, unchanged=1)
    assert (await facts_of(ctx))[before:] == [
        LocationChanged(organization_id=ctx.actor.organization_id, location=replace(renamed, version=2))
    ]


async def test_a_changed_role_is_news_of_its_practitioner(ctx: Context) -> None:
    before = len(await facts_of(ctx))
    closed = replace(DOCTOR_ROLE, active=False)
    assert await service.put_resources(ctx, PutResources(practitioner_roles=(closed,))) == PutResult(created=0, changed=1, unchanged=0)
    (told,) = (await facts_of(ctx))[before:]
    assert isinstance(told, PractitionerChanged)
    assert (told.practitioner.version, told.roles) == (2, (replace(closed, version=2),))


async def test_a_changed_service_is_news_of_its_visit_types(ctx: Context) -> None:
    before = len(await facts_of(ctx))
    renamed = replace(SERVICE, name="Cardiac clinic")
    await service.put_resources(ctx, PutResources(healthcare_services=(renamed,)))
    (told,) = (await facts_of(ctx))[before:]
    assert isinstance(told, VisitTypeChanged)
    assert (told.visit_type.version, told.service) == (2, replace(renamed, version=2))
    assert (await service.get_visit_type(ctx, VISIT.id)).version == 2


async def test_a_broken_entry_keeps_the_whole_change_out(ctx: Context) -> None:
    new = replace(NURSE, id=known_id(50))
    with pytest.raises(InvalidResource) as refused:
        await service.put_resources(ctx, PutResources(practitioners=(new,), devices=(replace(ECG, location_id=known_id(51)),)))
    assert refused.value.facts == {"resource_type": "Device", "id": str(ECG.id), "field": "location_id"}
    with pytest.raises(UnknownResource):
        await service.get_staff(ctx, new.id)


AGAINST_THE_SCHEMA: dict[str, Resource] = {
    "part of itself": replace(HOSPITAL, part_of_id=HOSPITAL.id),
    "part of an unknown organization": replace(HOSPITAL, part_of_id=known_id(51)),
    "site without zone": replace(SITE, time_zone=None),
    "site within a building": replace(SITE, part_of_id=BUILDING.id),
    "room with a zone": replace(ROOM, time_zone="Europe/Paris"),
    "room that is its own site": replace(ROOM, site_id=ROOM.id),
    "room of an unknown site": replace(ROOM, site_id=known_id(51)),
    "role of an unknown practitioner": replace(DOCTOR_ROLE, practitioner_id=known_id(51)),
    "device at an unknown place": replace(ECG, location_id=known_id(51)),
    "visit of an unknown service": replace(VISIT, healthcare_service_id=known_id(51)),
    "visit off the ticks": replace(VISIT, duration_minutes=7),
    "visit without needs": replace(VISIT, requirements=()),
    "visit without grid": replace(VISIT, rules=replace(VISIT.rules, grid_minutes=0)),
}


@pytest.mark.parametrize("broken", AGAINST_THE_SCHEMA.values(), ids=AGAINST_THE_SCHEMA.keys())
async def test_the_schema_keeps_the_rules_too(ctx: Context, broken: Resource) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        async with ctx.db.transaction() as tx:
            await store.put_entries(tx, ctx.actor.organization_id, [broken])


async def test_a_circle_over_two_changes_is_refused(ctx: Context) -> None:
    department = replace(HOSPITAL, id=known_id(60), part_of_id=HOSPITAL.id, identifiers=())
    await service.put_resources(ctx, PutResources(organizations=(department,)))
    with pytest.raises(InvalidResource):
        await service.put_resources(ctx, PutResources(organizations=(replace(HOSPITAL, part_of_id=department.id),)))


async def test_an_identifier_names_one_entry(ctx: Context) -> None:
    thief = replace(NURSE, identifiers=DOCTOR.identifiers)
    with pytest.raises(InvalidResource) as refused:
        await service.put_resources(ctx, PutResources(practitioners=(thief,)))
    assert refused.value.facts["field"] == "identifiers"
    handed_over = PutResources(practitioners=(thief, replace(DOCTOR, identifiers=())))
    assert (await service.put_resources(ctx, handed_over)).changed == 2
    asked = FindByIdentifier(resource_type="Practitioner", identifiers=(*DOCTOR.identifiers, Identifier(system="x", value="y")))
    assert [(match.id, match.identifier) for match in await service.find_by_identifier(ctx, asked)] == [(NURSE.id, DOCTOR.identifiers[0])]
    assert await service.find_by_identifier(ctx, replace(asked, resource_type="Location")) == ()


async def test_one_question_asks_for_a_limited_number_of_identifiers(ctx: Context) -> None:
    with pytest.raises(BadInput):
        await service.find_by_identifier(ctx, FindByIdentifier(resource_type="Practitioner", identifiers=DOCTOR.identifiers * 1_001))


@pytest.mark.parametrize("text", [None, "", "HEART", "cardio", "first visit", "Fïrst"])
async def test_a_service_is_found_by_its_name_its_specialty_or_its_visits(ctx: Context, text: str | None) -> None:
    page = await service.find_services(ctx, FindServices(text=text, site_id=SITE.id))
    assert [(item.service, item.visit_types) for item in page.items] == [(SERVICE, (VISIT,))]
    assert page.total == 1


async def test_services_elsewhere_or_inactive_are_not_found(ctx: Context) -> None:
    assert (await service.find_services(ctx, FindServices(site_id=known_id(70)))).total == 0
    assert (await service.find_services(ctx, FindServices(text="100%_"))).total == 0
    await service.put_resources(ctx, PutResources(visit_types=(replace(VISIT, active=False),)))
    assert (await service.find_services(ctx, FindServices())).items[0].visit_types == ()
    await service.put_resources(ctx, PutResources(healthcare_services=(replace(SERVICE, active=False),)))
    assert await service.find_services(ctx, FindServices()) == ServicesPage(items=(), total=0)


async def test_a_service_of_every_site_is_found_at_each(ctx: Context) -> None:
    everywhere = replace(VISIT, rules=replace(VISIT.rules, site_ids=()))
    await service.put_resources(ctx, PutResources(healthcare_services=(replace(SERVICE, site_ids=()),), visit_types=(everywhere,)))
    page = await service.find_services(ctx, FindServices(site_id=known_id(70)))
    assert [len(item.visit_types) for item in page.items] == [1]


async def test_pages_join_to_the_whole_list(ctx: Context) -> None:
    more = tuple(replace(SERVICE, id=known_id(100 + number), name=f"Clinic {number}") for number in range(5))
    await service.put_resources(ctx, PutResources(healthcare_services=more))
    pages = [await service.find_services(ctx, FindServices(limit=4, offset=offset)) for offset in (0, 4, 8)]
    assert [page.total for page in pages] == [6, 6, 6]
    names = [item.service.name for page in pages for item in page.items]
    assert names == [*(f"Clinic {number}" for number in range(5)), "Heart clinic"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (FindStaff(), ["Abel", "Nuñez"]),
        (FindStaff(kind="nurse"), ["Abel"]),
        (FindStaff(language="en"), ["Nuñez"]),
        (FindStaff(language="FR"), ["Abel", "Nuñez"]),
        (FindStaff(language="e"), []),
        (FindStaff(specialty="CARDIO"), ["Nuñez"]),
        (FindStaff(specialty="394579002"), ["Nuñez"]),
        (FindStaff(specialty="http://snomed.info/sct|394579002", site_id=SITE.id), ["Nuñez"]),
        (FindStaff(specialty="http://snomed.info/sct|39457"), []),
        (FindStaff(site_id=SITE.id), ["Abel", "Nuñez"]),
        (FindStaff(site_id=known_id(70)), []),
        (FindStaff(limit=1, offset=1), ["Nuñez"]),
    ],
)
async def test_staff_are_found_by_what_they_do_and_where(ctx: Context, query: FindStaff, found: list[str]) -> None:
    page = await service.find_staff(ctx, query)
    assert [staff.practitioner.family for staff in page.items] == found
    assert page.total >= len(found)


async def test_unknown_ids_are_told_apart(ctx: Context) -> None:
    for ask in (service.get_service, service.get_visit_type, service.get_staff):
        with pytest.raises(UnknownResource):
            await ask(ctx, known_id(99))


async def test_a_tenant_sees_its_own_directory_only(ctx: Context, context: Contexts) -> None:
    other = await context("directory", role="administrator", organization_id=known_id(200))
    assert (await service.find_staff(other, FindStaff())).total == 0
    assert (await service.put_resources(other, SMALL_HOSPITAL)).created == 11


async def test_reading_and_changing_take_their_permissions(ctx: Context, context: Contexts) -> None:
    patient = ctx.acting(context.actor("patient"))
    assert (await service.find_sites(patient)).total == 1
    with pytest.raises(Forbidden):
        await service.put_resources(patient, SMALL_HOSPITAL)


async def test_a_repeated_key_gets_the_first_answer(ctx: Context) -> None:
    change = PutResources(locations=(replace(ROOM, name="Room 2"),))
    keyed = ctx.acting(ctx.actor, Once("key-1", b"1" * 32))
    first = await service.put_resources(keyed, change)
    assert await service.put_resources(keyed, change) == first == PutResult(created=0, changed=1, unchanged=0)
    with pytest.raises(IdempotencyKeyReused):
        await service.put_resources(ctx.acting(ctx.actor, Once("key-1", b"2" * 32)), change)


async def test_one_entry_is_put_by_its_version(ctx: Context) -> None:
    """Whoever decided on an older state is refused, the same again changes nothing, and what is not there is not made."""
    renamed = PutResources(locations=(replace(ROOM, name="Room 2"),))
    (put,) = (await service.put_entry(ctx, PutEntry(resources=renamed, expected_version=1))).locations
    assert put == replace(ROOM, name="Room 2", version=2)
    assert (await service.put_entry(ctx, PutEntry(resources=renamed))).locations == (put,)
    with pytest.raises(PreconditionFailed) as caught:
        await service.put_entry(ctx, PutEntry(resources=PutResources(locations=(ROOM,)), expected_version=1))
    assert caught.value.facts == {"version": 2}
    with pytest.raises(UnknownResource):
        await service.put_entry(ctx, PutEntry(resources=PutResources(locations=(replace(ROOM, id=known_id(90)),))))
    with pytest.raises(InvalidResource):
        await service.put_entry(ctx, PutEntry(resources=PutResources(locations=(replace(ROOM, name=" "),))))
    for wrong in (PutResources(), SMALL_HOSPITAL):
        with pytest.raises(BadInput):
            await service.put_entry(ctx, PutEntry(resources=wrong))


async def test_a_new_entry_gets_its_id_once_under_one_key(ctx: Context) -> None:
    command = PutEntry(resources=PutResources(locations=(replace(SITE, identifiers=()),)), is_new=True)
    keyed = ctx.acting(ctx.actor, Once.of("key-2", command))
    (made,) = (await service.put_entry(keyed, command)).locations
    assert (made.site_id, made.version) == (made.id, 1), "a site of its own"
    assert made.id != SITE.id
    assert (await service.put_entry(keyed, command)).locations == (made,)
    assert (await service.find_sites(ctx)).total == 2


async def test_of_two_who_decided_on_the_same_version_one_is_refused(ctx: Context) -> None:
    commands = [PutEntry(resources=PutResources(devices=(replace(ECG, name=name),)), expected_version=1) for name in ("One", "Two")]
    done = await asyncio.gather(*(service.put_entry(ctx, each) for each in commands), return_exceptions=True)
    assert [type(each) for each in done if isinstance(each, BaseException)] == [PreconditionFailed]
    told = [fact.device for fact in await facts_of(ctx) if isinstance(fact, DeviceChanged)]
    assert [each.version for each in told] == [1, 2]


async def test_changes_at_once_leave_one_row_each_and_the_last_news_last(ctx: Context) -> None:
    """The order of the log is the order of commits: the newest event of a practitioner carries what is stored."""
    roles = [replace(DOCTOR_ROLE, id=known_id(300 + number)) for number in range(8)]
    await asyncio.gather(*(service.put_resources(ctx, PutResources(practitioner_roles=(role,))) for role in roles))
    stored = await service.get_staff(ctx, DOCTOR.id)
    told = [fact for fact in await facts_of(ctx) if isinstance(fact, PractitionerChanged) and fact.practitioner.id == DOCTOR.id]
    assert [fact.practitioner.version for fact in told] == list(range(1, 10))
    assert (told[-1].practitioner, told[-1].roles) == (stored.practitioner, stored.roles)
    assert len(stored.roles) == 9


async def test_a_bulk_load_equals_a_put(context: Contexts) -> None:
    ctx = await context("directory", role="administrator")
    async with ctx.db.transaction() as tx:
        assert await service.bulk_load(ctx, tx, SMALL_HOSPITAL) == PutResult(created=11, changed=0, unchanged=0)
    assert await service.put_resources(ctx, SMALL_HOSPITAL) == PutResult(created=0, changed=0, unchanged=11)
    other = await context("directory", role="administrator", organization_id=known_id(201))
    await service.put_resources(other, SMALL_HOSPITAL)
    assert [_nobodys(fact) for fact in await facts_of(ctx)] == [_nobodys(fact) for fact in await facts_of(other)]


def _nobodys(fact: Event) -> Event:
    return replace(fact, organization_id=UUID(int=0))


async def test_entries_of_each_type_are_read_whole_and_in_order(ctx: Context) -> None:
    for resource_type, place in zip(get_args(EntryType), PLACES, strict=True):
        page = await service.find_entries(ctx, FindEntries(resource_type=resource_type))
        given = {each.id: each for each in getattr(SMALL_HOSPITAL, place)}
        assert page == replace(EntriesPage(), **{place: tuple(given[one] for one in sorted(given))})


async def test_pages_of_entries_follow_each_other_without_gap_or_repeat(ctx: Context) -> None:
    wanted = sorted(each.id for each in SMALL_HOSPITAL.locations)
    seen: list[UUID] = []
    after: UUID | None = None
    while True:
        page = await service.find_entries(ctx, FindEntries(resource_type="Location", after=after, limit=1))
        seen += [each.id for each in page.locations]
        if (after := page.next) is None:
            break
    assert seen == wanted


async def test_entries_asked_for_by_id_are_those_known_and_closed_ones_too(ctx: Context) -> None:
    closed = replace(ECG, active=False)
    await service.put_resources(ctx, PutResources(devices=(closed,)))
    page = await service.find_entries(ctx, FindEntries(resource_type="Device", ids=(known_id(51), ECG.id, ROOM.id)))
    assert page == EntriesPage(devices=(replace(closed, version=2),))
    page = await service.find_entries(ctx, FindEntries(resource_type="Location", ids=(SITE.id, ROOM.id, BUILDING.id), limit=2))
    assert len(page.locations) == 2
    assert page.next == page.locations[-1].id


async def test_entries_are_for_who_may_read_the_directory(ctx: Context) -> None:
    nobody = ctx.acting(replace(ctx.actor, permissions=frozenset()))
    with pytest.raises(Forbidden):
        await service.find_entries(nobody, FindEntries(resource_type="Device"))
