"""Ids of others, in every place of the API that takes one: whoever is a stranger is shown nothing of theirs, and changes nothing.

Strangers are every role of another hospital, patients and proxies of the same one, and staff of it who are kept to another site.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_settings
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec.structs import replace

from carewright.access import store as access
from carewright.access.model.sessions import Owner
from carewright.access.service import sessions
from carewright.console.http.page import SESSION
from carewright.contracts.permissions import ROLES
from carewright.kernel.http.openapi import document
from carewright.kernel.server_sent import text_of
from carewright.roles.registry import MODULES, SECTIONS
from tests import whole_system
from tests.clinic import Clinic, Json, at, ok, open_clinic, register
from tests.fhir_probes import FHIR, fhir_probes
from tests.probes import WAYS, Operation, Others, Probe, operations, probes
from tests.whole_system import Answer, Inside

PROBES_MIN = 50_000
FHIR_PROBES_MIN = 10_000
AT_ONCE = 12
HOLD_SECONDS = 86_400
"""The victim's hold does not lapse while strangers try, however slow the machine: what changes then was changed by somebody."""
KEPT_TO_SITES = ("front-desk", "scheduler", "nurse", "physician", "technician", "operations", "integration")
PATIENT: Json = {
    "family": "Quollington", "given": ["Bandicootia"], "birth_on": "1907-08-11", "telecom": [{"system": "phone", "value": "2025550143"}],
    "identifiers": [{"system": "urn:swapped:mrn", "value": "SWAPPEDMRN4711"}],
}  # fmt: skip
NOTHING: Json = {"rest": [{"resource": []}]}
"""The statement of a FHIR server that serves nothing."""
WRITTEN = ("potoroo-note", "dunnart-referral", "kowari-override", "mulgara-block")
NAMES = ("Quollington", "Bandicootia", "1907-08-11", "2025550143", "SWAPPEDMRN4711", "urn:swapped:mrn")
THEIRS = """
SELECT md5(string_agg(found, '' ORDER BY found)) FROM (
    SELECT a::text AS found FROM scheduling.appointment a WHERE organization_id = $1 AND patient_id = $2 UNION ALL
    SELECT c::text FROM scheduling.claim c JOIN scheduling.appointment a ON a.id = c.appointment_id WHERE a.patient_id = $2 UNION ALL
    SELECT b::text FROM scheduling.block b WHERE organization_id = $1 AND schedule_id = $3 UNION ALL
    SELECT s.hours::text FROM scheduling.schedule s WHERE organization_id = $1 AND id = $3 UNION ALL
    SELECT p::text FROM patients.patient p WHERE organization_id = $1 AND id = $2 UNION ALL
    SELECT h::text FROM kernel.legal_hold h WHERE organization_id = $1
) theirs
"""


@dataclass(frozen=True, slots=True)
class Victim:
    """What is somebody's: ids by what they are of, words nobody else uses, cursors and keys."""

    patient_id: UUID
    appointments: tuple[UUID, ...]
    others: tuple[UUID, ...]
    places: tuple[UUID, ...]
    given: Others

    @property
    def ids(self) -> tuple[UUID, ...]:
        """Everything but what every patient of the hospital may know of it."""
        return (self.patient_id, *self.appointments, *self.others)


@pytest.fixture(scope="module")
async def whole(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Inside]:
    data: Path = tmp_path_factory.mktemp("whole")
    held_on = replace_settings(SECTIONS["scheduling"](), hold_seconds=HOLD_SECONDS)
    async with whole_system.inside(database_url, data, uuid4(), scheduling=held_on) as opened:
        yield opened


async def lived(whole: Inside, clinic: Clinic) -> Victim:
    """A patient with everything that a patient may have."""
    free = await clinic.free()
    patient = UUID(ok(await whole.request("front-desk", "POST", "/api/v1/patients", json=PATIENT, key="victims-1"), 201)["id"])
    booking = {"note": WRITTEN[0], "based_on": WRITTEN[1]}
    booked = ok(await clinic.book(patient, free[0], role="patient", key="victims-2", **booking), 201)["id"]
    override = {"reason": WRITTEN[2]}
    overridden = ok(await clinic.book(patient, free[4], role="scheduler", key="victims-3", override=override), 201)["id"]
    held = ok(await clinic.hold(patient, free[2], key="victims-4"), 201)["id"]
    first = {"patient_id": str(patient), "first": clinic.picked(free[6]), "count": 2, "every_days": 1}
    series = ok(await whole.request("front-desk", "POST", "/api/v1/appointment-series", json=first, key="victims-5"), 200)
    block = {"start": free[10], "end": at(free[10], minutes=30), "reason": WRITTEN[3]}
    path = f"/api/v1/schedules/{clinic.practitioner_id}/blocks"
    blocked = ok(await whole.request("scheduler", "POST", path, json=block, key="victims-6"))["block_id"]
    on_hold = {"patient_id": str(patient), "reason": "a court wants it"}
    legal = ok(await whole.request("privacy-officer", "POST", "/api/v1/records/legal-holds", json=on_hold, key="victims-7"))["id"]
    page = ok(await whole.request("front-desk", "GET", f"/api/v1/appointments?patient_id={patient}&limit=1"))
    async with asyncio.timeout(10):
        found = f"/api/v1/audit/events?patient_id={patient}&limit=1"
        while not (events := ok(await whole.request("privacy-officer", "GET", found))["items"]):
            await whole.system.wake.wait(0.05)
    session = await session_of(whole, patient)
    visits = (booked, overridden, held, *(each["id"] for each in series["appointments"]))
    return Victim(
        patient, tuple(map(UUID, visits)), (UUID(blocked), UUID(legal), UUID(events[0]["id"]), session),
        tuple(map(UUID, (clinic.site_id, clinic.service_id, clinic.visit_type_id, clinic.practitioner_id))),
        Others((page["next"],), tuple(f"victims-{number}" for number in range(1, 8))),
    )  # fmt: skip


async def session_of(whole: Inside, patient: UUID) -> UUID:
    """A session that the patient has open somewhere."""
    token = await whole.session(patient)
    answer = await whole.client.get("/api/v1/access/sessions", headers={"Authorization": f"Bearer {token}"})
    return UUID(ok(answer)["items"][0]["id"])


async def practice_for(role: str, usual: Clinic) -> Clinic:
    """The usual practice, or one of their own for those who change calendars: nobody else finds a time there afterwards."""
    return await open_clinic(usual.system) if "scheduling.calendar.change" in ROLES[role] else usual


async def own_of(clinic: Clinic, patient: UUID) -> dict[str, str]:
    """What a stranger may rightly name, a time that is free now among it, so that nothing but the one id is wrong with a probe."""
    start = (await clinic.free())[20]
    return {
        "patient_id": str(patient), "visit_type_id": clinic.visit_type_id, "site_id": clinic.site_id, "service_id": clinic.service_id,
        "practitioner_id": clinic.practitioner_id, "schedule_id": clinic.practitioner_id, "actor_ids": clinic.practitioner_id,
        "site_ids": clinic.site_id, "start": start, "end": at(start, minutes=30),
    }  # fmt: skip


def walked(
    described: Sequence[Operation],
    stated: Json,
    whole: Inside,
    role: str,
    own: dict[str, str],
    theirs: Sequence[UUID],
    given: Others,
    **more: Any,
) -> Iterator[Probe]:
    """A role's probes: in every way where it has the permission, in the plain one where it is turned away at the door, and through FHIR."""
    assert whole.known.organization_id is not None
    tokens = whole.system.tokens
    actor = replace(tokens.actor(role, f"stranger-{role}-{len(more)}", whole.known.organization_id, more.get("patient_id")), **more)
    for operation in described:
        yield from probes([operation], whole.signed(actor), own, theirs, WAYS if actor.may(operation.permission) else WAYS[:1], given)
    yield from fhir_probes(stated, whole.signed(actor), own, theirs, WAYS[:1])


async def leaks(
    whole: Inside, asked: Iterable[Probe], words: Sequence[str], seen: set[tuple[object, ...]], statuses: Counter[int]
) -> list[str]:
    """Where an answer said one of `words` that the probe had not said itself, or that the asker had not been given before."""
    finds = re.compile("|".join(re.escape(word.lower()) for word in words).encode())
    told: set[str] = set()
    found: list[str] = []

    def judge(probe: Probe, answer: Answer) -> None:
        statuses[answer.status] += 1
        said = {each.decode() for each in finds.findall(answer.whole.lower())} - probe.sent - told
        if answer.status < 300:
            told.update(probe.sent)  # somebody who wrote an id down may read it again
        if said or answer.status >= 500:
            found.append(f"{probe.operation} {probe.target} {answer.status}: {sorted(said)}")

    async def work(mine: Iterator[Probe]) -> None:
        for probe in mine:
            identity = (probe.method, probe.target, tuple(sorted(probe.headers.items())), probe.body)
            assert identity not in seen, "a probe that was made before proves nothing"
            seen.add(identity)
            judge(probe, await whole.ask(probe.method, probe.target, probe.headers, probe.body))

    one = iter(asked)
    await asyncio.gather(*(work(one) for _ in range(AT_ONCE)))
    return found


@pytest.fixture(scope="module")
def described() -> list[Operation]:
    return operations(document([route for module in MODULES for route in module.routes]))


@pytest.fixture(scope="module")
async def stated(whole: Inside) -> Json:
    """What FHIR says of itself."""
    statement: Json = ok(await whole.request(None, "GET", f"{FHIR}/metadata"))
    return statement


async def test_nobody_reaches_anything_by_the_ids_of_others(
    whole: Inside, described: list[Operation], stated: Json, database_url: str
) -> None:
    elsewhere = whole_system.of(whole, uuid4())
    clinic, other, theirs = await open_clinic(whole), await open_clinic(whole), await open_clinic(elsewhere)
    victim, neighbour, stranger = await lived(whole, clinic), await register(whole), await register(elsewhere)
    connection = await asyncpg.connect(database_url)
    whose = (whole.known.organization_id, victim.patient_id, UUID(clinic.practitioner_id))
    before = await connection.fetchval(THEIRS, *whose)
    seen: set[tuple[object, ...]] = set()
    statuses: Counter[int] = Counter()
    found: list[str] = []

    everything = [*NAMES, *WRITTEN, *map(str, (*victim.ids, *victim.places))]
    for role in ROLES:
        own = await own_of(await practice_for(role, theirs), stranger)
        more = {"patient_id": stranger} if role in ("patient", "proxy") else {}
        asked = walked(described, stated, elsewhere, role, own, (*victim.ids, *victim.places), victim.given, **more)
        found += await leaks(whole, asked, everything, seen, statuses)
    across_tenants = len(seen)

    private = [*NAMES, *WRITTEN, *map(str, victim.ids)]
    for role in ("patient", "proxy"):
        own = await own_of(other, neighbour)
        asked = walked(described, stated, whole, role, own, victim.ids, victim.given, patient_id=neighbour)
        found += await leaks(whole, asked, private, seen, statuses)
    across_patients = len(seen) - across_tenants

    of_the_site = [*WRITTEN, *map(str, (*victim.appointments, victim.others[0]))]
    for role in KEPT_TO_SITES:
        there = await practice_for(role, other)
        own = await own_of(there, neighbour)
        asked = walked(described, stated, whole, role, own, victim.appointments, victim.given, site_ids=frozenset({UUID(there.site_id)}))
        found += await leaks(whole, asked, of_the_site, seen, statuses)
    across_sites = len(seen) - across_tenants - across_patients

    by_fhir = sum(str(target).startswith(FHIR) for _, target, *_ in seen)
    told = (
        f"{across_tenants} across tenants, {across_patients} across patients, {across_sites} across sites, {by_fhir} of them through FHIR"
    )
    print(f"{len(seen)} probes: {told}")
    assert found == []
    assert await connection.fetchval(THEIRS, *whose) == before
    await connection.close()
    assert len(seen) >= PROBES_MIN
    assert by_fhir >= FHIR_PROBES_MIN
    assert {403, 404, 422, 400, 200} <= statuses.keys()


async def test_whoever_may_see_it_is_shown_it_so_that_the_search_would_find_a_leak(whole: Inside, described: list[Operation]) -> None:
    clinic = await open_clinic(whole)
    patient = UUID(ok(await whole.request("front-desk", "POST", "/api/v1/patients", json=PATIENT | {"identifiers": []}), 201)["id"])
    read = [each for each in described if each.id in ("get_patient", "list_appointments", "find_patients")]
    asked = walked(read, NOTHING, whole, "front-desk", await own_of(clinic, patient), [patient], Others())
    found = await leaks(whole, asked, NAMES, set(), Counter())
    assert any("quollington" in each and each.startswith("get_patient") for each in found)


async def session_for(whole: Inside, role: str, *site_ids: UUID, patient_id: UUID | None = None) -> str:
    """The token of a session of somebody in this role, as signing in would have made it."""
    organization_id = whole.known.organization_id
    assert organization_id is not None
    ctx = whole.system.context("access").acting(whole.system.tokens.actor("administrator", "tester", organization_id))
    subject = f"watcher-{ctx.ids.new()}"
    owner = Owner(account_id=ctx.ids.new(), subject=subject, role=role, site_ids=site_ids, patient_id=patient_id)
    async with ctx.db.transaction() as tx:
        if patient_id is None:
            await access.insert_staff_account(tx, organization_id, owner, "https://idp.test", subject, ctx.clock.now())
        else:
            row = await access.account_of_patient(tx, organization_id, owner.account_id, patient_id, ctx.clock.now())
            owner = replace(owner, account_id=row["id"], subject=row["subject"])
        return str((await sessions.start(ctx, tx, owner, "oidc")).token)


async def test_no_stream_tells_strangers_what_happens_at_a_site(whole: Inside) -> None:
    """Strangers of every kind watch the victim's site, and their own, from before it happens until the desk there has heard of it."""
    elsewhere = whole_system.of(whole, uuid4())
    clinic, other, theirs = await open_clinic(whole), await open_clinic(whole), await open_clinic(elsewhere)
    neighbour, stranger = await register(whole), await register(elsewhere)
    site, place = UUID(clinic.site_id), text_of(await whole.system.feed.place())
    staff = [role for role in ROLES if role not in ("patient", "proxy")]
    watching = [
        *[await session_for(elsewhere, role) for role in staff], await session_for(elsewhere, "patient", patient_id=stranger),
        *[await session_for(whole, role, UUID(other.site_id)) for role in KEPT_TO_SITES],
        await session_for(whole, "patient", patient_id=neighbour),
    ]  # fmt: skip
    heard: list[Answer] = []

    def watch(session: str, at: UUID) -> asyncio.Task[None]:
        heard.append(answer := Answer())
        cookie = {"Cookie": f"{SESSION}={session}", "Accept": "text/event-stream"}
        return asyncio.create_task(whole.listen(f"/staff/live?site={at}&after={place}", cookie, answer))

    own = {
        session: UUID(each.site_id)
        for each, some in ((theirs, watching[: len(staff)]), (other, watching[len(staff) :]))
        for session in some
    }
    streams = [watch(session, at) for session in watching for at in (site, own[session])]
    streams.append(watch(await session_for(whole, "front-desk", site), site))
    visit = ok(await clinic.book(await register(whole), (await clinic.free())[0]), 201)["id"]
    async with asyncio.timeout(20):
        while visit.encode() not in heard[-1].body:  # noqa: ASYNC110  (what another task is sent sets no event)
            await asyncio.sleep(0.05)
    for each in streams:
        each.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    at_the_site = heard[:-1:2]
    assert {each.status for each in at_the_site} <= {403, 404}
    assert sum(each.status == 200 for each in heard[1:-1:2]) >= len(KEPT_TO_SITES), "strangers do watch their own sites"
    assert [each.status for each in heard[:-1] if visit.encode() in each.whole] == []


def test_a_probe_is_made_for_every_place_that_takes_an_id(described: list[Operation]) -> None:
    own, foreign = {"patient_id": str(UUID(int=9))}, [UUID(int=7)]
    made = list(probes(described, "token", own, foreign, ["plain"], Others(("next",), ("key",))))
    asked = {each.operation for each in made}
    with_ids = {each.id for each in described if each.parameters("path") or each.ids_in_query() or each.ids_in_body}
    assert with_ids <= asked
    assert {"hold_time", "book_appointment", "get_patient", "list_appointments", "find_events", "end_session"} <= with_ids
    bodies = [each for each in made if each.operation == "hold_time"]
    assert sum(str(foreign[0]).encode() in each.body for each in bodies) == len(bodies) == 6
