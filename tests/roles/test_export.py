"""The right of access, in every way to run the system: the whole record of one patient and nothing of another, asked for freshly."""

import asyncio
import io
import json
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from msgspec.structs import replace

from carewright.contracts.permissions import ROLES
from carewright.kernel.authz import Tokens
from carewright.kernel.clock import SystemClock
from carewright.kernel.token_keys import TokenKeys
from carewright.roles.installation import token_key_file
from tests.clinic import Clinic, ok, refused, register, until_known
from tests.system import System

EXPORT = "/api/v1/records/export"
SEALED_SECONDS_MAX = 15


async def export(
    system: System, role: str, body: dict[str, Any], patient_id: UUID | None = None, *, minutes_ago: int | None = 0
) -> httpx.Response:  # fmt: skip
    """Ask for an export with a new token of somebody who proved who they are so long ago, or None: never."""
    clock = SystemClock()
    signer = Tokens(TokenKeys.of_file(token_key_file(system.data)), clock, ROLES)
    assert system.known.organization_id is not None
    actor = signer.actor(role, f"exporting-{role}", system.known.organization_id, patient_id)
    proved = None if minutes_ago is None else clock.now() - timedelta(minutes=minutes_ago)
    token = signer.issue(replace(actor, authenticated_at=proved), timedelta(minutes=5))
    return await system.client.post(system.address_of(EXPORT) + EXPORT, json=body, headers={"Authorization": f"Bearer {token}"})


async def test_a_patient_takes_their_whole_record_along(clinic: Clinic) -> None:
    system, patient, other = clinic.system, await register(clinic.system, "Beispielhaft"), await register(clinic.system, "Andersen")
    free = await clinic.free()
    appointment = ok(await clinic.book(patient, free[0], note="afraid of needles", based_on="Dr. Numbat"), 201)["id"]
    card = {"payer": {"name": "Numbat Mutual"}, "member_id": "W1", "beneficiary": {"family": "Beispielhaft"}}
    covered = {"patient_id": str(patient), "details": card}
    coverage = ok(await system.request("front-desk", "POST", "/api/v1/coverages", json=covered), 201)["id"]
    asked = f"/api/v1/coverages/{coverage}/eligibility"
    question = ok(await system.request("front-desk", "POST", asked, json={"serviced_on": "2026-11-30"}))["id"]
    agreed = f"/api/v1/coverages/visits/{appointment}/authorisation"
    said = {"state": "certified", "number": "AUTH-77"}
    word = ok(await until_known(lambda: system.request("front-desk", "POST", agreed, json=said)))
    queue_of_clinic = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": "Podiatry"}
    queue = ok(await system.request("operations", "PUT", "/api/v1/queues", json=queue_of_clinic))["id"]
    turn = ok(await system.request("nurse", "POST", f"/api/v1/queues/{queue}/entries", json={"patient_id": str(patient)}), 201)
    other_turn = ok(await system.request("nurse", "POST", f"/api/v1/queues/{queue}/entries", json={"patient_id": str(other)}), 201)
    strangers = ok(await clinic.book(other, free[1], note="somebody else's words"), 201)["id"]
    async with httpx.AsyncClient(trust_env=False, base_url=system.address_of("/my-record"), timeout=60) as browser:
        browser.cookies.set("carewright_session", await system.session(patient))
        answer = await browser.get("/my-record/download")
    assert answer.status_code == 200, answer.text
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    found = [json.loads(line) for line in archive.read("record.ndjson").splitlines()]
    by_kind = {kind: [one for one in found if one["resourceType"] == kind] for kind in {one["resourceType"] for one in found}}
    assert [(one["id"], one["name"][0]["family"]) for one in by_kind["Patient"]] == [(str(patient), "Beispielhaft")]
    (booked,) = by_kind["Appointment"]
    assert [(one["id"], one["subscriberId"]) for one in by_kind["Coverage"]] == [(coverage, "W1")]
    assert question in [one["id"] for one in by_kind["CoverageEligibilityRequest"]]
    (answered,) = (one for one in by_kind["CoverageEligibilityResponse"] if one["id"] == question)
    assert (answered["outcome"], answered["insurance"][0]["coverage"]["reference"]) == ("error", f"Coverage/{coverage}")
    assert (booked["id"], booked["comment"], booked["basedOn"]) == (appointment, "afraid of needles", [{"display": "Dr. Numbat"}])
    (authorised,) = by_kind["ClaimResponse"]
    assert (authorised["id"], authorised["preAuthRef"], authorised["outcome"]) == (word["id"], "AUTH-77", "complete")
    (waits,) = by_kind["Task"]
    assert (waits["id"], waits["encounter"], waits["status"]) == (
        turn["id"],
        {"reference": f"Encounter/{turn['encounter_id']}"},
        "accepted",
    )
    text = archive.read("record.ndjson").decode()
    assert other_turn["id"] not in text
    assert "Andersen" not in text
    assert "somebody else's words" not in text
    assert strangers not in text
    assert "Beispielhaft" in archive.read("index.html").decode()


async def test_what_was_offered_and_answered_is_in_the_record(clinic: Clinic) -> None:
    system, patient = clinic.system, await register(clinic.system)
    free = await clinic.free()
    appointment = ok(await clinic.book(patient, free[0]), 201)["id"]
    for start, answer in ((free[1], "declined"), (free[2], None)):
        made = ok(await system.request("scheduler", "POST", "/api/v1/offers", json={"appointment_id": appointment, "start": start}), 201)
        if answer:
            ok(await system.request("scheduler", "POST", f"/api/v1/offers/{made['id']}/answer", json={"answer": answer}))
    page = ok(await export(system, "privacy-officer", {"patient_id": str(patient), "after": "offers~"}))
    found = [each for each in page["items"] if each["resourceType"] == "AppointmentResponse"]
    assert [(each["participantStatus"], each.get("comment"), each["start"]) for each in found] == [
        ("declined", None, free[1]), ("needs-action", "open", free[2]),
    ]  # fmt: skip


async def test_what_an_appointment_depends_on_is_in_the_record(clinic: Clinic) -> None:
    system, patient = clinic.system, await register(clinic.system)
    free = await clinic.free()
    lab, visit = [ok(await clinic.book(patient, start), 201)["id"] for start in (free[0], free[-1])]
    link = {"appointment_id": lab, "depends_on_id": visit, "kind": "before", "why": "lab"}
    ok(await system.request("scheduler", "POST", "/api/v1/appointment-links", json=link), 201)
    page = ok(await export(system, "privacy-officer", {"patient_id": str(patient), "after": "appointments~"}))
    found = {each["id"]: each.get("supportingInformation") for each in page["items"] if each["resourceType"] == "Appointment"}
    assert found == {lab: [{"reference": f"Appointment/{visit}", "display": "before: lab"}], visit: None}


async def test_an_export_asks_who_you_are_and_whose_record_you_want(clinic: Clinic) -> None:
    system, patient, other = clinic.system, await register(clinic.system), await register(clinic.system)
    for minutes_ago in (6, None):
        refused(await export(system, "patient", {}, patient, minutes_ago=minutes_ago), 401, "access.step_up_needed")
    refused(await export(system, "patient", {"patient_id": str(other)}, patient), 403, "kernel.forbidden")
    refused(await export(system, "patient", {"reason": "law"}, patient), 403, "kernel.forbidden")
    refused(await export(system, "front-desk", {"patient_id": str(patient)}), 403, "kernel.forbidden")
    refused(await export(system, "privacy-officer", {}), 400, "kernel.bad_input")
    refused(await export(system, "privacy-officer", {"patient_id": str(UUID(int=404))}), 404, "patients.unknown_patient")
    for after in ("nowhere~", "messages~x", "identity"):
        refused(await export(system, "privacy-officer", {"patient_id": str(patient), "after": after}), 400, "kernel.bad_input")


async def test_only_what_the_law_asks_for_is_a_disclosure_to_account_for(clinic: Clinic) -> None:
    system, patient = clinic.system, await register(clinic.system)
    ok(await export(system, "patient", {}, patient))
    ok(await export(system, "privacy-officer", {"patient_id": str(patient)}))
    page = ok(await export(system, "privacy-officer", {"patient_id": str(patient), "reason": "law"}))
    while page["next"] is not None:
        page = ok(await export(system, "privacy-officer", {"patient_id": str(patient), "reason": "law", "after": page["next"]}))
    path, query = "/api/v1/audit/events", {"patient_id": str(patient), "event": "records.record.export"}
    async with asyncio.timeout(SEALED_SECONDS_MAX):
        while len(ok(await system.request("privacy-officer", "GET", path, params=query))["items"]) < 3:  # noqa: ASYNC110  (another process)
            await asyncio.sleep(0.1)
    answer = await system.request("privacy-officer", "GET", "/api/v1/audit/disclosures", params={"patient_id": str(patient)})
    accounted = ok(answer)["items"]
    assert [(one["event"], one["purpose"], one["agent"]) for one in accounted] == [
        ("records.record.export", "HLEGAL", "exporting-privacy-officer")
    ]
