"""The audit log of a running system: what was done is found a second later, proven, and verified on the command line."""

import asyncio
from uuid import uuid4

from carewright.audit.model import merkle
from carewright.audit.model.checkpoint import head_of
from carewright.kernel.notes import Verifier
from tests.balp import faults_of
from tests.clinic import ok, refused, register
from tests.http.officer import OFFICER, SEALED_SECONDS_MAX, found
from tests.system import System, launch, log_of

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"


async def test_what_was_done_is_found_shown_in_fhir_and_proven(one_process: System) -> None:
    patient = await register(one_process)
    event = (await found(one_process, patient_id=str(patient), event="patients.patient.register"))[0]
    assert (event["action"], event["role"], event["outcome"]) == ("C", "front-desk", "success")
    rendered = ok(await one_process.request(OFFICER, "GET", f"/api/v1/audit/events/{event['id']}"))
    assert faults_of(rendered) == []
    assert [agent["network"] for agent in rendered["agent"] if "network" in agent] == [{"address": "127.0.0.1", "type": "2"}]
    assert event["id"] in [each["id"] for each in await found(one_process, patient_id=str(patient), address="127.0.0.1")]
    proof = ok(await one_process.request(OFFICER, "GET", f"/api/v1/audit/events/{event['id']}/proof"))
    key = ok(await one_process.request(OFFICER, "GET", "/api/v1/audit/checkpoint"))["verifier_key"]
    head = head_of(Verifier(key).opened(proof["checkpoint"]) or "")
    assert head is not None
    path = [bytes.fromhex(each) for each in proof["path"]]
    assert merkle.root_by_inclusion(proof["number"], head.size, merkle.leaf_hash(proof["body"].encode()), path) == head.root


async def test_whoever_is_turned_away_is_found_too(one_process: System) -> None:
    stranger = uuid4()
    refused(await one_process.request("patient", "GET", f"/api/v1/patients/{stranger}"), 403, "kernel.forbidden")
    event = (await found(one_process, patient_id=str(stranger), outcome="refused"))[0]
    assert (event["event"], event["outcome"], event["code"]) == ("patients.patient.read", "refused", "kernel.forbidden")


async def test_only_the_privacy_officer_reads_the_log(one_process: System) -> None:
    for role in ("front-desk", "patient", "administrator"):
        refused(await one_process.request(role, "GET", "/api/v1/audit/events"), 403, "kernel.forbidden")
    refused(await one_process.request(OFFICER, "GET", f"/api/v1/audit/events/{uuid4()}"), 404, "audit.unknown_event")


async def test_the_command_line_verifies_a_log_that_is_in_use(one_process: System) -> None:
    await register(one_process)
    said = one_process.data.parent / "verified"
    verifying = await launch(said, "audit", "verify", "--data", str(one_process.data))
    assert await verifying.wait() == 0, log_of(said).read_text()
    assert "0 findings" in log_of(said).read_text()


async def test_the_command_line_shows_who_was_turned_away_unknown(one_process: System) -> None:
    asked = await one_process.request(None, "GET", f"/api/v1/patients/{uuid4()}", headers={"traceparent": TRACE})
    refused(asked, 401, "kernel.unauthenticated")
    said = one_process.data.parent / "unknown"
    async with asyncio.timeout(SEALED_SECONDS_MAX):
        while TRACE not in (log_of(said).read_text() if log_of(said).exists() else ""):
            assert await (await launch(said, "audit", "unknown", "--data", str(one_process.data))).wait() == 0, log_of(said).read_text()
    (line,) = (line for line in log_of(said).read_text().splitlines() if TRACE in line)
    assert line.split()[2:5] == ["127.0.0.1", "patients.patient.read", "kernel.unauthenticated"]
