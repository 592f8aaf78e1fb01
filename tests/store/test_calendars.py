"""Feeds of a running hospital, as a calendar program reads them: by their address alone, with a reader that we did not write."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from carewright.access.service.accounts import disable_account
from carewright.calendars import handlers
from carewright.calendars.service.keeping import reseal_feeds
from carewright.calendars.service.showing import show_feed
from carewright.contracts.calendars import UnknownFeed
from carewright.contracts.patients import PatientErased
from carewright.kernel.clock import ManualClock, SystemClock
from carewright.kernel.privacy.cipher import SealedElsewhere
from tests.clinic import Clinic, Json, ok, open_clinic, refused, register
from tests.ical_reading import events_of
from tests.whole_system import Inside

T = TypeVar("T")
FEEDS = "/api/v1/calendar-feeds"
FOLLOW_SECONDS_MAX = 15
ENTRIES = "SELECT count(*) FROM kernel.audit_entry WHERE organization_id = $1 AND body LIKE '%' || $2 || '%' AND body LIKE '%' || $3 || '%'"


@pytest.fixture(scope="module")
async def clinic(whole: Inside) -> Clinic:
    return await open_clinic(whole)


@pytest.fixture
async def patient(whole: Inside) -> UUID:
    return await register(whole, "Quokkaline")


@dataclass(frozen=True)
class Program:
    """A calendar program that was given an address."""

    whole: Inside
    id: str
    path: str

    async def read(self, **headers: str) -> httpx.Response:
        return await self.whole.client.get(self.path, headers=headers)

    async def events(self) -> list[Any]:
        answer = await self.read()
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
        return events_of(answer.content)

    async def until(self, status: str) -> list[Any]:
        """The events as soon as one of them has this status."""

        async def stands() -> list[Any]:
            events = await self.events()
            return events if status in [str(each["STATUS"]) for each in events] else []

        return await becomes(stands)


async def becomes(holds: Callable[[], Awaitable[T]]) -> T:
    """The first answer that is something: changes are followed a moment later."""
    async with asyncio.timeout(FOLLOW_SECONDS_MAX):
        while True:
            if found := await holds():
                return found
            await asyncio.sleep(0.05)


async def made(whole: Inside, role: str, body: Json | None = None, patient: UUID | None = None) -> Program:
    answer = ok(await whole.request(role, "POST", FEEDS, json=body or {}, patient_id=patient))
    return Program(whole, answer["feed"]["id"], answer["path"])


async def booked(clinic: Clinic, patient: UUID) -> Json:
    one: Json = ok(await clinic.book(patient, (await clinic.free())[3]), 201)
    return one


async def count(database: Any, whole: Inside, event: str, about: str) -> int:
    found: int = await database.fetchval(ENTRIES, whole.known.organization_id, f'"{event}"', about)
    return found


async def test_a_patients_feed_follows_what_becomes_of_their_appointments(whole: Inside, clinic: Clinic, patient: UUID) -> None:
    one = await booked(clinic, patient)
    await booked(clinic, await register(whole, "Somebody"))
    program = await made(whole, "patient", patient=patient)
    [event] = await program.until("CONFIRMED")
    assert (event.decoded("DTSTART"), str(event["UID"])) == (datetime.fromisoformat(one["start"]), f"{one['id']}@carewright")
    assert str(event["SUMMARY"]) == "Appointment at Test Clinic"
    assert "Foot check" not in (await program.read()).text, "the kind of visit"
    start = (await clinic.free())[9]
    ok(await clinic.step(one["id"], "reschedule", {"time": clinic.picked(start)}))

    async def at_start() -> list[Any]:
        return [each for each in await program.events() if each.decoded("DTSTART") == datetime.fromisoformat(start)]

    [moved] = await becomes(at_start)
    assert (moved["UID"], int(moved["SEQUENCE"])) == (event["UID"], int(event["SEQUENCE"]) + 1)
    ok(await clinic.step(one["id"], "cancel", {}))
    [cancelled] = await program.until("CANCELLED")
    assert (cancelled["UID"], int(cancelled["SEQUENCE"])) == (event["UID"], int(event["SEQUENCE"]) + 2)


async def test_time_that_is_only_held_is_in_no_feed(whole: Inside, clinic: Clinic, patient: UUID) -> None:
    held = ok(await clinic.hold(patient, (await clinic.free())[0]), 201)
    program = await made(whole, "patient", patient=patient)
    assert await program.events() == []
    ok(await whole.request("patient", "DELETE", f"/api/v1/holds/{held['id']}", patient_id=patient))
    one = await booked(clinic, patient)
    assert [str(each["UID"]) for each in await program.until("CONFIRMED")] == [f"{one['id']}@carewright"]


async def test_a_calendars_feed_names_no_patient(whole: Inside, clinic: Clinic, patient: UUID) -> None:
    one = await booked(clinic, patient)
    program = await made(whole, "physician", {"schedule_id": clinic.practitioner_id})
    [event] = [each for each in await program.events() if str(each["UID"]).startswith(one["id"])]
    assert str(event["SUMMARY"]) == "Foot check"
    text = (await program.read()).text
    assert "Testmann" in text, "whose calendar it is"
    assert "Quokkaline" not in text
    assert str(patient) not in text
    refused(await whole.request("physician", "POST", FEEDS, json={"schedule_id": str(uuid4())}), 404, "scheduling.unknown_schedule")
    refused(await whole.request("physician", "POST", FEEDS, json={}), 400, "kernel.bad_input")
    answer = await whole.request("patient", "POST", FEEDS, json={"schedule_id": clinic.practitioner_id}, patient_id=patient)
    refused(answer, 403, "kernel.forbidden")


async def test_nothing_is_sent_or_read_twice(whole: Inside, clinic: Clinic, patient: UUID, database: Any) -> None:
    program = await made(whole, "patient", patient=patient)
    await booked(clinic, patient)
    await becomes(lambda: database.fetchval("SELECT changes FROM calendars.feed WHERE id = $1", UUID(program.id)))
    answer = await program.read()
    reads = await count(database, whole, "scheduling.appointment.search", str(patient))
    assert answer.headers["cache-control"] == "private, no-cache"
    again = await program.read(**{"If-None-Match": f'"old", W/{answer.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    assert await count(database, whole, "scheduling.appointment.search", str(patient)) == reads, "as it was written before"
    assert await count(database, whole, "calendars.feed.read", program.id) == 1, "once a day, and not for each fetch"
    ctx = whole.system.context("calendars")
    later = replace(ctx, clock=ManualClock(SystemClock().now() + timedelta(days=1)))
    token = program.path.removeprefix("/feeds/").removesuffix(".ics")
    await show_feed(later, token, None)
    await show_feed(later, token, None)
    assert await count(database, whole, "calendars.feed.read", program.id) == 2
    assert await count(database, whole, "scheduling.appointment.search", str(patient)) == reads + 1
    [shown] = ok(await whole.request("patient", "GET", FEEDS, patient_id=patient))["items"]
    assert shown["fetched_on"] == later.clock.now().date().isoformat()


async def test_an_address_is_told_once_and_kept_as_a_hash(whole: Inside, patient: UUID, database: Any) -> None:
    key = str(uuid4())
    first, again = [ok(await whole.request("patient", "POST", FEEDS, json={}, patient_id=patient, key=key)) for _ in range(2)]
    assert (first["feed"], again["path"]) == (again["feed"], "")
    await Program(whole, first["feed"]["id"], first["path"]).events()
    token = first["path"].removeprefix("/feeds/").removesuffix(".ics")
    row = await database.fetchrow("SELECT * FROM calendars.feed WHERE id = $1", UUID(first["feed"]["id"]))
    assert token not in str(dict(row).values())
    assert bytes.fromhex(token.removeprefix("cwf_")) not in b"".join(each for each in row.values() if isinstance(each, bytes))
    assert b"VCALENDAR" not in row["content"], "it lies sealed"


async def test_what_it_says_is_sealed_to_its_row_and_sealed_anew(whole: Inside, patient: UUID, database: Any) -> None:
    one, other = [await made(whole, "patient", patient=patient) for _ in range(2)]
    for program in (one, other):
        await program.events()
    swap = "UPDATE calendars.feed SET content = (SELECT content FROM calendars.feed WHERE id = $2) WHERE id = $1"
    await database.execute(swap, UUID(one.id), UUID(other.id))
    with pytest.raises(SealedElsewhere):
        await show_feed(whole.system.context("calendars"), one.path.removeprefix("/feeds/").removesuffix(".ics"), None)
    ctx = whole.system.context("calendars").working_in(whole.known.organization_id)
    assert await reseal_feeds(ctx, UUID(int=0), 100) == [], "under the newest key already"


async def test_a_feed_that_is_turned_off_is_gone_for_everybody(whole: Inside, patient: UUID, database: Any) -> None:
    program, other = await made(whole, "patient", patient=patient), await register(whole)
    await program.events()
    path = f"{FEEDS}/{program.id}"
    refused(await whole.request("patient", "DELETE", path, patient_id=other), 404, "calendars.unknown_feed")
    ok(await whole.request("patient", "DELETE", path, patient_id=patient))
    refused(await program.read(), 404, "calendars.unknown_feed")
    refused(await whole.request("patient", "DELETE", path, patient_id=patient), 404, "calendars.unknown_feed")
    turned_away = await database.fetchval(
        "SELECT count(*) FROM kernel.audit_entry WHERE body LIKE '%calendars.feed.read%' AND body LIKE '%calendars.unknown_feed%'"
    )
    assert turned_away == 1
    for guess in ("x", "cwf_" + "0" * 48, "cwf_" + "0" * 47, "%00"):
        assert (await whole.client.get(f"/feeds/{guess}.ics")).status_code in (400, 404)


async def test_one_person_has_ten_at_the_most(whole: Inside, patient: UUID) -> None:
    for _ in range(10):
        await made(whole, "patient", patient=patient)
    refused(await whole.request("patient", "POST", FEEDS, json={}, patient_id=patient), 422, "calendars.too_many_feeds")


async def test_with_the_patient_their_feeds_end_and_none_comes_later(whole: Inside, patient: UUID) -> None:
    program = await made(whole, "patient", patient=patient)
    await program.events()
    ctx = whole.system.context("calendars")
    assert whole.known.organization_id
    erased = PatientErased(organization_id=whole.known.organization_id, patient_id=patient, version=2)
    async with ctx.db.transaction() as tx:
        for _ in range(2):
            await handlers.erase_patient(ctx, tx, erased)
    refused(await program.read(), 404, "calendars.unknown_feed")
    refused(await whole.request("patient", "POST", FEEDS, json={}, patient_id=patient), 409, "calendars.patient_gone")


async def test_with_an_account_its_feeds_end(whole: Inside, clinic: Clinic, database: Any) -> None:
    program = await made(whole, "physician", {"schedule_id": clinic.practitioner_id})
    await program.events()
    id_, subject = uuid4(), await database.fetchval("SELECT made_by FROM calendars.feed WHERE id = $1", UUID(program.id))
    await database.execute(
        "INSERT INTO access.account (organization_id, id, subject, role, display, site_ids, created_at)"
        " VALUES ($1, $2, $3, 'physician', '', '{}', now())",
        whole.known.organization_id, id_, subject,
    )  # fmt: skip
    access = whole.system.context("access")
    admin = whole.system.tokens.actor("administrator", "tester", whole.known.organization_id)
    await disable_account(access.acting(msgspec.structs.replace(admin, authenticated_at=SystemClock().now())), id_)

    async def is_gone() -> bool:
        return (await program.read()).status_code != 200

    await becomes(is_gone)
    refused(await program.read(), 404, "calendars.unknown_feed")
    with pytest.raises(UnknownFeed):
        await show_feed(whole.system.context("calendars"), program.path.removeprefix("/feeds/").removesuffix(".ics"), None)
