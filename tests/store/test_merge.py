"""Merging two records of one person: everything goes to the one that stands, nothing is lost, and nothing comes back under the other."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from carewright.contracts.audit import FindAuditEvents
from carewright.contracts.coverage import CoverageDetails, Insured, PatientGone, Payer, RecordCoverage
from carewright.contracts.directory import Coding
from carewright.contracts.encounters import RecordEncounter, SearchEncounters
from carewright.contracts.notifications import ListMessages
from carewright.contracts.orders import RecordRequest, RequestDetails, SearchRequests
from carewright.contracts.patients import (
    ErasePatient,
    FindPatients,
    MergePatients,
    PatientOnHold,
    PutPatients,
    RecordMerged,
)
from carewright.contracts.records import ExportRecord, LiftHold, SetHold
from carewright.contracts.versions import ListVersions
from carewright.coverage.service import coverages
from carewright.kernel.clock import SystemClock
from carewright.kernel.context import Context, Once
from carewright.kernel.errors import BadInput, Forbidden
from carewright.kernel.sql import Query
from carewright.patients.service import records as patients
from carewright.records.service import rules as records
from carewright.records.service.export import export_record
from carewright.scheduling.checks import CHECKS
from carewright.scheduling.service import change
from tests.clinic import Clinic, ok, refused
from tests.hl7_sender import Sender
from tests.whole_system import Inside

WHY = "The same card and the same date of birth"
FOLLOW_SECONDS_MAX = 20
CARD = CoverageDetails(
    payer=Payer(name="Numbat Mutual", id="60054"), member_id="W1234", plan="Gold", group="G-77",
    beneficiary=Insured(family="Quokkaline", given=("Anna",)),
)  # fmt: skip
EVERY_ROW = """
SELECT 'appointment' FROM scheduling.appointment WHERE organization_id = $1 AND patient_id = $2
UNION ALL SELECT 'value' FROM scheduling.appointment WHERE organization_id = $1 AND value::text LIKE '%' || $2::uuid || '%'
UNION ALL SELECT 'claim' FROM scheduling.claim WHERE organization_id = $1 AND schedule_id = $2
"""
KEPT = Query("test.kept", "SELECT kept, reason FROM patients.merge WHERE organization_id = $1 AND id = $2")
WHAT_IS_LEFT = Query("test.left", EVERY_ROW)
MESSAGE = Query(
    "test.message",
    """
    INSERT INTO notifications.communication
        (organization_id, id, status, template, language, channel, recipient_kind, recipient, created_at, sent_at, forget_at)
    VALUES ($1, $2, 'completed', 'sign_in_code', 'en', 'sms', 'patient', $3::uuid::text, now(), now(), now() + interval '30 days')
    """,
)
ACCOUNT = Query(
    "test.account",
    """
    INSERT INTO access.account (organization_id, id, subject, role, display, patient_id, site_ids, created_at)
    VALUES ($1, $2, 'patient/' || $3::uuid, 'patient', '', $3, '{}', now())
    """,
)
SHUT = Query("test.shut", "SELECT disabled_at FROM access.account WHERE organization_id = $1 AND patient_id = $2")
CONSENTS = Query("test.consents", "SELECT patient_id, proxy_patient_id FROM access.consent WHERE organization_id = $1 AND id = ANY($2)")
CONSENT = Query(
    "test.consent",
    """
    INSERT INTO access.consent (organization_id, id, patient_id, proxy_patient_id, relationship, scope, proof, starts_at, ends_at, given_at,
        given_by, accepted_at)
    VALUES ($1, $2, $3, $4, 'child', 'book', 'portal', now(), now() + interval '1 year', now(), 'tester', now())
    """,
)
LINK = Query("test.link", "SELECT ours FROM ehr.link WHERE organization_id = $1 AND id = $2")
EHR_LINK = Query(
    "test.ehr_link",
    """
    INSERT INTO ehr.link (organization_id, id, connection_id, kind, mark, theirs, ours, patient_id, made_at)
    VALUES ($1, $2, $2, 'Patient', sha256($2::uuid::text::bytea), 'x', $3, $3, now())
    """,
)
FEED = Query(
    "test.feed",
    """
    INSERT INTO calendars.feed (organization_id, id, token_hash, patient_id, made_by, site_ids, made_at)
    VALUES ($1, $2, sha256($2::uuid::text::bytea), $3, 'patient/' || $3::uuid, '{}', now())
    """,
)
FEEDS = Query("test.feeds", "SELECT patient_id, made_by FROM calendars.feed WHERE organization_id = $1 AND id = $2")


class Two:
    """Two records of one person at one practice, and whoever may do something about it."""

    def __init__(self, whole: Inside, clinic: Clinic, survivor: UUID, prior: UUID) -> None:
        self.whole, self.clinic, self.survivor, self.prior = whole, clinic, survivor, prior

    def acting(self, module: str, role: str = "front-desk") -> Any:
        ctx: Context = self.whole.system.context(module)
        actor = self.whole.system.tokens.actor(role, "tester", self.whole.known.organization_id)
        return ctx.acting(msgspec.structs.replace(actor, authenticated_at=SystemClock().now()))

    @property
    def command(self) -> MergePatients:
        return MergePatients(survivor_id=self.survivor, prior_id=self.prior, reason=WHY)

    async def merge(self) -> None:
        await patients.merge_patients(self.acting("patients"), self.command)
        await self.eventually(self.nothing_left)

    async def nothing_left(self) -> bool:
        return not await self.system("scheduling").fetch(WHAT_IS_LEFT, self.organization_id, self.prior)

    def system(self, module: str) -> Any:
        return self.whole.system.context(module).db

    @property
    def organization_id(self) -> UUID:
        found = self.whole.known.organization_id
        assert found is not None
        return found

    async def eventually(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(FOLLOW_SECONDS_MAX):
            while not await holds():
                await self.whole.system.wake.wait(0.1)


async def registered(sender: Sender, **more: Any) -> UUID:
    said = {"family": "Quokkaline", "given": ["Anna"]} | more
    return UUID(ok(await sender.whole.request("front-desk", "POST", "/api/v1/patients", json=said), 201)["id"])


def number_of(patient_id: str) -> dict[str, str]:
    return {"system": "urn:test:mrn", "value": patient_id}


@pytest.fixture
async def two(sender: Sender) -> Two:
    survivor = await registered(sender, identifiers=[number_of(str(uuid4()))])
    contact = [{"system": "phone", "value": "2025550176"}]
    prior = await registered(sender, identifiers=[number_of(str(uuid4()))], birth_on="1980-02-29", telecom=contact)
    return Two(sender.whole, sender.clinic, survivor, prior)


async def test_the_desk_merges_two_records_and_the_one_that_stands_has_everything(two: Two) -> None:
    before = ok(await two.whole.request("front-desk", "GET", f"/api/v1/patients/{two.prior}"))
    starts = await two.clinic.free()
    first = ok(await two.clinic.book(two.survivor, starts[0]), 201)
    second = ok(await two.clinic.book(two.prior, starts[1]), 201)
    ended = ok(await two.clinic.book(two.prior, starts[2]), 201)
    ok(await two.clinic.step(ended["id"], "cancel", {"reason": "pat"}))
    body = {"prior_id": str(two.prior), "reason": WHY}
    merged = ok(await two.whole.request("front-desk", "POST", f"/api/v1/patients/{two.survivor}/merge", json=body))
    assert (merged["survivor_id"], merged["prior_id"]) == (str(two.survivor), str(two.prior))
    after = ok(await two.whole.request("front-desk", "GET", f"/api/v1/patients/{two.survivor}"))
    assert before["identifiers"][0] in after["identifiers"]
    assert (after["birth_on"], after["telecom"], after["replaces"]) == ("1980-02-29", before["telecom"], [str(two.prior)])
    old = ok(await two.whole.request("front-desk", "GET", f"/api/v1/patients/{two.prior}"))
    assert (old["active"], old["identifiers"], old["replaced_by"], old["family"]) == (False, [], str(two.survivor), "Quokkaline")
    await two.eventually(two.nothing_left)
    theirs = await two.clinic.appointments_of(two.survivor)
    assert [each["id"] for each in theirs] == [first["id"], second["id"], ended["id"]]
    assert [each["patient_id"] for each in theirs] == [str(two.survivor)] * 3
    assert [each["version"] for each in theirs] == [1, 2, 3], "whose it is changed, and so did its version"
    assert await two.clinic.appointments_of(two.prior) == []
    versions = await change.list_versions(two.acting("scheduling"), ListVersions(appointment_id=UUID(ended["id"])))
    assert [(each.version, each.patient_id) for each in versions.items] == [(3, two.survivor), (2, two.prior), (1, two.prior)]
    kept = ok(await two.whole.request("front-desk", "GET", f"/api/v1/patients/{two.prior}/merge"))
    assert (kept["reason"], kept["merged_by"]) == (WHY, "test-front-desk-")
    assert [each["identifiers"] for each in kept["before"]] == [after["identifiers"][:1], before["identifiers"]]
    path = f"/api/v1/patients/{two.survivor}/merge"
    refused(await two.whole.request("front-desk", "GET", path), 404, "patients.unknown_merge")
    ok(await two.clinic.step(second["id"], "cancel", {"reason": "pat"}))
    refused(await two.clinic.book(two.prior, starts[3]), 422, "scheduling.unknown_patient")


async def test_what_other_modules_keep_goes_along(two: Two) -> None:
    desk, db = two.acting("patients"), two.organization_id
    card = await coverages.record_coverage(
        two.acting("coverage").acting(desk.actor, Once(str(uuid4()), b"f" * 32)), RecordCoverage(patient_id=two.prior, details=CARD)
    )
    hl7 = two.whole.system.context("hl7")
    actor = two.acting("patients", "physician").actor
    visit = await hl7.flow.record_encounter(
        actor, RecordEncounter(patient_id=two.prior, status="finished", encounter_class=Coding(system="urn:test", code="AMB")), str(uuid4())
    )
    order = await hl7.orders.record_request(
        actor, RecordRequest(patient_id=two.prior, details=RequestDetails(status="active", intent="order")), str(uuid4())
    )
    proxy, message, feed, link, consent, between = (uuid4() for _ in range(6))
    await two.system("notifications").execute(MESSAGE, db, message, two.prior)
    await two.system("access").execute(ACCOUNT, db, uuid4(), two.prior)
    await two.system("access").execute(CONSENT, db, consent, two.prior, proxy)
    await two.system("access").execute(CONSENT, db, between, two.prior, two.survivor)
    await two.system("calendars").execute(FEED, db, feed, two.prior)
    await two.system("ehr").execute(EHR_LINK, db, link, two.prior)
    await two.merge()

    async def all_there() -> bool:
        found = await hl7.orders.search_requests(actor, SearchRequests(patient_ids=(two.survivor,)))
        visits = await hl7.flow.search_encounters(actor, SearchEncounters(patient_ids=(two.survivor,)))
        owned = await two.whole.request("front-desk", "GET", "/api/v1/coverages", params={"patient_id": str(two.survivor)})
        linked = await two.system("ehr").fetch_one(LINK, db, link)
        feeds = await two.system("calendars").fetch_one(FEEDS, db, feed)
        shut = await two.system("access").fetch_one(SHUT, db, two.prior)
        gathering = two.whole.system.context("records")
        listing = msgspec.structs.replace(gathering.gatherer, organization_id=db)
        messages = await gathering.notifications.list_messages(listing, ListMessages(patient_id=two.survivor))
        return (
            [each.id for each in found.items] == [order.id]
            and [each.id for each in visits.items] == [visit.id]
            and [each["id"] for each in ok(owned)["items"]] == [str(card.id)]
            and linked["ours"] == two.survivor
            and tuple(feeds.values()) == (two.survivor, f"patient/{two.survivor}")
            and shut["disabled_at"] is not None
            and len(messages.items) == 1
        )

    await two.eventually(all_there)
    rows = {tuple(row.values()) for row in await two.system("access").fetch(CONSENTS, db, [consent, between])}
    assert rows == {(two.survivor, proxy), (two.prior, two.survivor)}, "the consent between the two stays, as one that ended"
    with pytest.raises(PatientGone):
        await coverages.record_coverage(
            two.acting("coverage").acting(desk.actor, Once(str(uuid4()), b"f" * 32)), RecordCoverage(patient_id=two.prior, details=CARD)
        )


async def test_two_appointments_at_one_time_stay_two_and_are_found(two: Two) -> None:
    starts = await two.clinic.free()
    ok(await two.clinic.book(two.survivor, starts[-1]), 201)
    reason = {"reason": "Both want to come"}
    ok(await two.clinic.book(two.prior, starts[-1], role="scheduler", override=reason), 201)
    apart = ok(await two.clinic.book(two.prior, starts[-3]), 201)
    await two.merge()
    asked = {"patient_id": str(two.survivor), "clashing": "true"}
    clashing = ok(await two.whole.request("front-desk", "GET", "/api/v1/appointments", params=asked))["items"]
    assert len(clashing) == 2
    assert apart["id"] not in {each["id"] for each in clashing}
    scheduling = two.whole.system.context("scheduling")
    assert [found for check in CHECKS.values() for found in await check(scheduling)] == []
    ok(await two.clinic.step(clashing[1]["id"], "cancel", {"reason": "pat"}))
    assert ok(await two.whole.request("front-desk", "GET", "/api/v1/appointments", params=asked))["items"] == []


async def test_the_same_merge_again_changes_nothing_and_sweeps_once_more(two: Two) -> None:
    await two.merge()
    once = ok(await two.whole.request("front-desk", "GET", f"/api/v1/patients/{two.survivor}"))
    again = await patients.merge_patients(two.acting("patients"), two.command)
    assert (again.survivor_id, again.merged_by) == (two.survivor, "tester")
    assert ok(await two.whole.request("front-desk", "GET", f"/api/v1/patients/{two.survivor}")) == once


async def test_a_record_is_merged_once_and_its_survivor_may_be_merged_too(two: Two, sender: Sender) -> None:
    third, fourth = await registered(sender), await registered(sender)
    ok(await two.clinic.book(two.prior, (await two.clinic.free())[5]), 201)
    await two.merge()
    body = {"prior_id": str(two.prior), "reason": WHY}
    problem = refused(await two.whole.request("front-desk", "POST", f"/api/v1/patients/{third}/merge", json=body), 409, "patients.merged")
    assert problem["survivor_id"] == str(two.survivor)
    into_prior = {"prior_id": str(third), "reason": WHY}
    refused(await two.whole.request("front-desk", "POST", f"/api/v1/patients/{two.prior}/merge", json=into_prior), 409, "patients.merged")
    await patients.merge_patients(two.acting("patients"), MergePatients(survivor_id=third, prior_id=two.survivor, reason=WHY))
    shown = ok(await two.whole.request("front-desk", "GET", f"/api/v1/patients/{two.prior}"))
    assert shown["replaced_by"] == str(third)

    async def theirs() -> bool:
        return len(await two.clinic.appointments_of(third)) == 1

    await two.eventually(theirs)
    with pytest.raises(RecordMerged):
        await patients.merge_patients(two.acting("patients"), MergePatients(survivor_id=fourth, prior_id=two.prior, reason=WHY))


async def test_what_cannot_be_merged_is_said_so(two: Two) -> None:
    own = {"prior_id": str(two.survivor), "reason": WHY}
    refused(await two.whole.request("front-desk", "POST", f"/api/v1/patients/{two.survivor}/merge", json=own), 400, "kernel.bad_input")
    nobody = {"prior_id": str(uuid4()), "reason": WHY}
    path = f"/api/v1/patients/{two.survivor}/merge"
    refused(await two.whole.request("front-desk", "POST", path, json=nobody), 404, "patients.unknown_patient")
    for role in ("nurse", "scheduler", "administrator", "patient"):
        with pytest.raises(Forbidden):
            await patients.merge_patients(two.acting("patients", role), two.command)
    with pytest.raises(BadInput):
        await patients.merge_patients(two.acting("patients"), MergePatients(survivor_id=two.prior, prior_id=two.prior, reason=WHY))


async def test_a_merged_record_is_changed_by_nobody_and_found_by_nobody(two: Two) -> None:
    desk = two.acting("patients")
    old = await patients.get_patient(desk, two.prior)
    await two.merge()
    said = {"family": "Bilby", "active": True}
    refused(await two.whole.request("front-desk", "PUT", f"/api/v1/patients/{two.prior}", json=said), 409, "patients.merged")
    assert (await patients.put_patients(desk, PutPatients(patients=(old,)))).unchanged == 1, "an import does not bring it back"
    assert not (await patients.get_patient(desk, two.prior)).active
    ids = {each.id for each in (await patients.find_patients(desk, FindPatients(family="quokkaline", limit=50))).items}
    assert two.prior not in ids
    (match,) = await patients.find_patients_by_identifier(desk, old.identifiers)
    assert match.id == two.survivor


async def test_erasing_who_stands_erases_every_record_of_the_person(two: Two) -> None:
    await two.merge()
    assert (await two.system("patients").fetch_one(KEPT, two.organization_id, two.prior))["kept"] is not None
    officer = two.acting("patients", "privacy-officer")
    with pytest.raises(RecordMerged):
        await patients.erase_patient(officer, ErasePatient(patient_id=two.prior, reason=WHY))
    records_officer = two.acting("records", "privacy-officer")
    held = await records.set_hold(
        records_officer.acting(records_officer.actor, Once(str(uuid4()), b"h" * 32)), SetHold(patient_id=two.prior, reason="A claim")
    )
    with pytest.raises(PatientOnHold):
        await patients.erase_patient(officer, ErasePatient(patient_id=two.survivor, reason=WHY))
    await records.lift_hold(records_officer, LiftHold(hold_id=held.id, reason="Settled"))
    await patients.erase_patient(officer, ErasePatient(patient_id=two.survivor, reason=WHY))
    for patient_id in (two.survivor, two.prior):
        answer = await two.whole.request("front-desk", "GET", f"/api/v1/patients/{patient_id}")
        refused(answer, 404, "patients.unknown_patient")
    left = await two.system("patients").fetch_one(KEPT, two.organization_id, two.prior)
    assert (left["kept"], left["reason"]) == (None, None)


async def test_an_export_holds_both_records_and_their_journal(two: Two) -> None:
    ok(await two.clinic.book(two.prior, (await two.clinic.free())[7]), 201)
    await two.merge()
    officer = two.acting("records", "privacy-officer")
    with pytest.raises(RecordMerged):
        await export_record(officer, ExportRecord(patient_id=two.prior, reason="patient"))
    page = await export_record(officer, ExportRecord(patient_id=two.survivor, reason="patient"))
    first, second = page.items
    assert (first["link"], second["link"]) == (
        [{"other": {"reference": f"Patient/{two.prior}"}, "type": "replaces"}],
        [{"other": {"reference": f"Patient/{two.survivor}"}, "type": "replaced-by"}],
    )

    async def journal_has_both() -> bool:
        ctx = two.whole.system.context("records")
        reader = msgspec.structs.replace(ctx.gatherer, organization_id=two.organization_id)
        for query in (
            FindAuditEvents(patient_id=two.survivor, limit=200),
            FindAuditEvents(patient_id=two.survivor, limit=200, sort="oldest"),
        ):
            found = await ctx.audit.find_events(reader, query)
            if {each.patient_id for each in found.items} != {two.survivor, two.prior}:
                return False
        return True

    await two.eventually(journal_has_both)


async def test_other_systems_read_the_link_and_may_send_it_back(two: Two) -> None:
    await two.merge()
    path = f"/fhir/R4/Patient/{two.survivor}"
    shown = ok(await two.whole.request("integration", "GET", path))
    assert shown["link"] == [{"other": {"reference": f"Patient/{two.prior}"}, "type": "replaces"}]
    headers = {"Content-Type": "application/fhir+json"}
    changed = shown | {"gender": "female"}
    assert ok(await two.whole.request("integration", "PUT", path, json=changed, headers=headers))["link"] == shown["link"]
    other = shown | {"link": [{"other": {"reference": f"Patient/{uuid4()}"}, "type": "replaces"}]}
    answer = await two.whole.request("integration", "PUT", path, json=other, headers=headers)
    assert answer.status_code == 422, answer.text
