"""Bulk Data's export at a running system.

Sources: Bulk Data Access 2.0; Inferno Bulk Data test kit (`lib/bulk_data_test_kit`), whose tests are named.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from carewright.fhir.model import exports
from tests.clinic import Clinic, Json, ok, register
from tests.other_system import ask, registered, said, use

FHIR = "/fhir/R4"
ASYNC = {"Prefer": "respond-async", "Accept": "application/fhir+json"}
OWN = ("_type", "Patient,Appointment,Location")
SHUT_OUT_SECONDS_MAX = 10
"""Processes remember whose a token is for a second."""


class Taker:
    """Another system that takes along what its scopes show."""

    def __init__(self, clinic: Clinic, client_id: str, token: str) -> None:
        self.clinic, self.client_id, self.token = clinic, client_id, token

    async def asks(self, path: str, method: str = "GET", **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        return await self.clinic.system.client.request(method, self.clinic.system.address_of(path) + path, headers=headers, **more)

    async def kicks_off(self, path: str = "/$export", *pairs: tuple[str, str], **headers: str) -> httpx.Response:
        return await self.asks(FHIR + path, params=list(pairs), headers=ASYNC | headers)

    async def started(self, path: str = "/$export", *pairs: tuple[str, str]) -> str:
        """The path of the status of a new export."""
        answer = await self.kicks_off(path, *pairs)
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return path_of(answer.headers["content-location"])

    async def file(self, url: str) -> list[Json]:
        answer = await self.asks(path_of(url))
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/fhir+ndjson"), answer.text
        return [msgspec.json.decode(line) for line in answer.content.splitlines()]

    async def everything(self, status: str) -> dict[str, list[Json]]:
        """By type, whatever an export holds."""
        found: dict[str, list[Json]] = {}
        for one in ok(await self.asks(status))["output"]:
            found.setdefault(one["type"], []).extend(await self.file(one["url"]))
        return found


@pytest.fixture(scope="module")
async def taker(clinic: Clinic, tmp_path_factory: pytest.TempPathFactory) -> Taker:
    return await new_taker(clinic, tmp_path_factory, ["system/*.rs"])


async def new_taker(clinic: Clinic, folders: pytest.TempPathFactory, scopes: Sequence[str]) -> Taker:
    client_id = await registered(clinic.system, folders.mktemp("keys"), *scopes)
    token = ok(await ask(clinic.system, client_id, str(uuid4()), " ".join(scopes)))["access_token"]
    return Taker(clinic, client_id, token)


def path_of(url: str) -> str:
    assert url.startswith(("http://", "https://"))
    return urlsplit(url).path


def outcome(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert (body["resourceType"], body["issue"][0]["details"]["coding"][0]["code"]) == ("OperationOutcome", code)


@pytest.mark.requirement("BULK.1")
async def test_the_operations_are_declared(clinic: Clinic) -> None:
    """Inferno check_export_support: the CapabilityStatement instantiates bulk-data, or names the operations."""
    statement = ok(await clinic.system.request(None, "GET", f"{FHIR}/metadata"))
    assert "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data" in statement["instantiates"]
    assert [each["name"] for each in statement["rest"][0]["operation"]] == ["export"]


@pytest.mark.requirement("BULK.2")
@pytest.mark.parametrize("path", ["/$export", "/Patient/$export", "/Group/1/$export"])
async def test_nothing_is_exported_without_a_token(clinic: Clinic, path: str) -> None:
    """Inferno bulk_data_no_auth_test."""
    outcome(await clinic.system.request(None, "GET", FHIR + path, headers=ASYNC), 401, "kernel.unauthenticated")


@pytest.mark.parametrize("role", ["patient", "front-desk", "physician", "privacy-officer", "administrator", "analyst"])
async def test_no_person_exports(clinic: Clinic, role: str) -> None:
    outcome(await clinic.system.request(role, "GET", f"{FHIR}/$export", headers=ASYNC), 403, "kernel.forbidden")


@pytest.mark.requirement("BULK.3")
async def test_an_export_is_asked_for_completed_and_read(clinic: Clinic, taker: Taker) -> None:
    """Inferno kick-off, status check, output check, NDJSON download, multiple patients, and every line a resource of the file's type."""
    patients = {str(await register(clinic.system)) for _ in range(2)}
    booked = ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)["id"]
    before = datetime.now(UTC)
    status = await taker.started("/$export", OWN)
    answer = await taker.asks(status)
    manifest = ok(answer)
    assert answer.headers["content-type"] == "application/json"
    assert (manifest["requiresAccessToken"], manifest["error"]) == (True, [])
    assert abs((datetime.fromisoformat(manifest["transactionTime"]) - before).total_seconds()) < 60
    assert manifest["request"].endswith("/fhir/R4/$export?_type=Patient%2CAppointment%2CLocation")
    found = await taker.everything(status)
    assert all(one["resourceType"] == kind for kind, ones in found.items() for one in ones)
    assert patients <= {one["id"] for one in found["Patient"]}
    assert booked in {one["id"] for one in found["Appointment"]}
    assert clinic.site_id in {one["id"] for one in found["Location"]}
    ids = [one["id"] for one in found["Appointment"]]
    assert len(ids) == len(set(ids)), "no appointment lies in two files"


@pytest.mark.requirement("BULK.4")
async def test_a_patients_export_has_what_is_about_patients(taker: Taker) -> None:
    """Inferno bulk_data_patient_export_group."""
    found = await taker.everything(await taker.started("/Patient/$export"))
    assert set(found) == {"Patient", "Appointment", "Encounter"}


async def grouped(clinic: Clinic, *patients: UUID) -> str:
    """A new group of these patients; its id."""
    made = ok(await clinic.system.request("integration", "POST", f"{FHIR}/Group", json=group_of(*patients)), 201)
    return str(made["id"])


def group_of(*patients: UUID, **more: Any) -> Json:
    members = [{"entity": {"reference": f"Patient/{each}"}} for each in patients]
    return {"resourceType": "Group", "type": "person", "actual": True, "name": "Numbats"} | ({"member": members} if members else {}) | more


@pytest.mark.requirement("BULK.4")
async def test_a_groups_export_has_what_is_about_its_patients_alone(clinic: Clinic, taker: Taker) -> None:
    """Inferno bulk_data_group_export_group: kick-off, status, manifest, NDJSON, "Patient IDs match those expected in Group"."""
    inside, outside = await register(clinic.system), await register(clinic.system)
    booked = [ok(await clinic.book(each, start), 201)["id"] for each, start in zip((inside, outside), await clinic.free(), strict=False)]
    group = await grouped(clinic, inside)
    status = await taker.started(f"/Group/{group}/$export")
    assert ok(await taker.asks(status))["request"].endswith(f"/fhir/R4/Group/{group}/$export")
    found = await taker.everything(status)
    assert set(found) == {"Patient", "Appointment", "Encounter"}
    assert [one["id"] for one in found["Patient"]] == [str(inside)]
    assert [one["id"] for one in found["Appointment"]] == booked[:1]


@pytest.mark.requirement("BULK.4")
async def test_who_is_in_a_group_is_asked_whenever_a_file_is_made(clinic: Clinic, taker: Taker) -> None:
    first, second = await register(clinic.system), await register(clinic.system)
    group = await grouped(clinic)
    status = await taker.started(f"/Group/{group}/$export", ("_type", "Patient"))
    (file,) = ok(await taker.asks(status))["output"]
    assert await taker.file(file["url"]) == [], "nobody is in it yet"
    for members in ((first, second), (second,)):
        sent = group_of(*members, id=group)
        ok(await clinic.system.request("integration", "PUT", f"{FHIR}/Group/{group}", json=sent))
        assert {one["id"] for one in await taker.file(file["url"])} == set(map(str, members))
    ok(await clinic.system.request("integration", "DELETE", f"{FHIR}/Group/{group}"))
    outcome(await taker.asks(path_of(file["url"])), 404, "groups.unknown_group")


@pytest.mark.requirement("BULK.4")
async def test_a_group_is_exported_by_post_by_whoever_may_read_it_if_it_is_there(
    clinic: Clinic, taker: Taker, tmp_path_factory: pytest.TempPathFactory
) -> None:
    patient = await register(clinic.system)
    group = await grouped(clinic, patient)
    answer = await posts(taker, f"/Group/{group}/$export", ("_type", "valueString", "Patient"))
    found = await taker.everything(path_of(answer.headers["content-location"]))
    assert [one["id"] for one in found["Patient"]] == [str(patient)]
    outcome(await taker.kicks_off(f"/Group/{uuid4()}/$export"), 404, "groups.unknown_group")
    outcome(await taker.kicks_off("/Group/1/$export"), 404, "fhir.unknown_id")
    outcome(await taker.kicks_off(f"/Group/{group}/$export", ("_type", "Location")), 400, "kernel.bad_input")
    other = await new_taker(clinic, tmp_path_factory, ["system/Patient.rs"])
    outcome(await other.kicks_off(f"/Group/{group}/$export"), 403, "smart.scope_missing")


@pytest.mark.requirement("BULK.5")
async def test_since_leaves_out_what_has_not_changed(clinic: Clinic, taker: Taker) -> None:
    """Inferno bulk_data_since_param_test."""
    early = ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)
    since = clinic_time(early)
    late = ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)["id"]
    found = await taker.everything(await taker.started("/$export", ("_type", "Appointment"), ("_since", since)))
    ids = {one["id"] for one in found["Appointment"]}
    assert (early["id"] in ids, late in ids) == (False, True)


def clinic_time(appointment: Json) -> str:
    """An instant after that of an appointment's making, and before now."""
    return max(datetime.now(UTC), datetime.fromisoformat(appointment["created_at"])).isoformat()


@pytest.mark.requirement("BULK.9")
async def test_an_export_is_asked_for_by_post_as_well(clinic: Clinic, taker: Taker) -> None:
    """Bulk Data Access 2.0, section "Bulk Data Kick-off Request": a Parameters resource, whose contents `request` does not repeat."""
    given = [("_type", "valueString", "Location"), ("_type", "valueString", "Patient"), ("_since", "valueInstant", "2020-01-01T00:00:00Z"),
        ("_outputFormat", "valueString", "application/fhir+ndjson")]  # fmt: skip
    answer = await posts(taker, "/$export", *given)
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    status = path_of(answer.headers["content-location"])
    assert ok(await taker.asks(status))["request"].endswith("/fhir/R4/$export")
    assert set(await taker.everything(status)) == {"Location", "Patient"}
    reference = ("patient", "valueReference", {"reference": "Patient/1"})
    outcome(await posts(taker, "/Patient/$export", reference), 400, "kernel.bad_input")
    lenient = await posts(taker, "/Patient/$export", reference, prefer="respond-async, handling=lenient")
    assert lenient.status_code == httpx.codes.ACCEPTED
    outcome(await taker.asks(f"{FHIR}/$export", "POST", headers=ASYNC, json={"resourceType": "Patient"}), 422, "fhir.invalid_element")


async def posts(taker: Taker, path: str, *given: tuple[str, str, Any], prefer: str = "respond-async") -> httpx.Response:
    sent = {"resourceType": "Parameters", "parameter": [{"name": name, kind: value} for name, kind, value in given]}
    return await taker.asks(FHIR + path, "POST", headers=ASYNC | {"Prefer": prefer}, json=sent)


@pytest.mark.requirement("BULK.10")
async def test_elements_leave_out_the_rest_and_say_so(clinic: Clinic, taker: Taker) -> None:
    """Bulk Data Access 2.0, `_elements`: with what is required, marked SUBSETTED."""
    patient = str(await register(clinic.system, "Kakapo"))
    status = await taker.started("/$export", ("_type", "Patient,Location"), ("_elements", "Patient.name,status"))
    found = await taker.everything(status)
    mine = next(one for one in found["Patient"] if one["id"] == patient)
    assert set(mine) == {"resourceType", "id", "meta", "active", "name"}, "`active` changes the meaning of the rest"
    assert [tag["code"] for tag in mine["meta"]["tag"]] == ["SUBSETTED"]
    assert {name for one in found["Location"] for name in one} == {"resourceType", "id", "meta", "status"}


@pytest.mark.requirement("BULK.11")
async def test_filters_of_a_type_are_alternatives_and_leave_other_types_alone(clinic: Clinic, taker: Taker) -> None:
    """Bulk Data Access 2.0, `_typeFilter`: several of one type are joined by OR."""
    patient = await register(clinic.system)
    kept, dropped = [ok(await clinic.book(patient, start), 201)["id"] for start in (await clinic.free())[:2]]
    ok(await clinic.step(dropped, "cancel", {}))
    other = ok(await clinic.book(await register(clinic.system), (await clinic.free())[0]), 201)["id"]

    async def asked(*filters: str) -> dict[str, list[Json]]:
        pairs = [("_typeFilter", each) for each in filters]
        return await taker.everything(await taker.started("/$export", ("_type", "Appointment,Location"), *pairs))

    def ids(found: dict[str, list[Json]]) -> set[str]:
        return {one["id"] for one in found["Appointment"]} & {kept, dropped, other}

    found = await asked(f"Appointment?patient=Patient/{patient}&status=booked")
    assert ids(found) == {kept}
    assert clinic.site_id in {one["id"] for one in found["Location"]}
    assert ids(await asked("Appointment?status=booked", f"Appointment?status=cancelled&patient={patient}")) == {kept, dropped, other}
    assert ids(await asked(f"Appointment?patient={patient}&status=booked,cancelled,Location?status=active")) == {kept, dropped}
    lenient = await taker.kicks_off("/$export", ("_typeFilter", "Patient?family=Smith"), Prefer="respond-async, handling=lenient")
    assert lenient.status_code == httpx.codes.ACCEPTED, "what is not served is left out"


@pytest.mark.requirement("BULK.6")
@pytest.mark.parametrize("text", ["application/fhir+ndjson", "application/ndjson", "ndjson"])
async def test_every_name_of_the_format_is_taken(taker: Taker, text: str) -> None:
    """Inferno bulk_data_outputFormat_param_test."""
    status = await taker.started("/$export", ("_outputFormat", text))
    assert (await taker.asks(status, "DELETE")).status_code == httpx.codes.ACCEPTED


@pytest.mark.requirement("BULK.7")
async def test_a_cancelled_export_is_gone_with_its_files(taker: Taker) -> None:
    """Inferno perform_export_cancel_test, perform_cancelled_polling_test."""
    status = await taker.started("/$export", ("_type", "Location"))
    assert len(await taker.file(f"http://here{status}/Location.ndjson")) > 0
    assert (await taker.asks(status, "DELETE")).status_code == httpx.codes.ACCEPTED
    for path in (status, f"{status}/Location.ndjson"):
        outcome(await taker.asks(path), 404, "fhir.unknown_export")
    outcome(await taker.asks(status, "DELETE"), 404, "fhir.unknown_export")


@pytest.mark.parametrize(
    ("pairs", "headers", "code"),
    [
        ([], {"Prefer": ""}, "kernel.bad_input"), ([("_type", "Medication")], {}, "kernel.bad_input"),
        ([("_typeFilter", "Patient?family=Smith")], {}, "kernel.bad_input"), ([("_typeFilter", "Patient")], {}, "kernel.bad_input"),
        ([("_typeFilter", "Medication?status=active")], {}, "kernel.bad_input"),
        ([("_type", "Location"), ("_typeFilter", "Patient?active=true")], {}, "kernel.bad_input"),
        ([("_typeFilter", "Appointment?patient:Patient.gender=male")], {}, "kernel.bad_input"),
        ([("_typeFilter", "Appointment?class=AMB")], {}, "fhir.search.unknown_parameter"),
        ([("_typeFilter", "Patient?active=true")] * 21, {}, "kernel.bad_input"),
        ([("_elements", "name.family")], {}, "kernel.bad_input"), ([("patient", "Patient/1")], {}, "kernel.bad_input"),
        ([("_since", "2026-11-01T00:00:00Z")] * 200, {}, "kernel.bad_input"),
        ([("_outputFormat", "text/csv")], {}, "kernel.bad_input"),
        ([("_since", "now")], {}, "kernel.bad_input"),
    ],
)  # fmt: skip
async def test_what_is_not_served_is_refused(taker: Taker, pairs: list[tuple[str, str]], headers: dict[str, str], code: str) -> None:
    outcome(await taker.kicks_off("/$export", *pairs, **headers), 400, code)


@pytest.mark.requirement("BULK.8")
async def test_an_export_has_what_the_scopes_show_and_is_its_askers_alone(
    clinic: Clinic, taker: Taker, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Bulk Data: "limited to data the client is authorised to"."""
    other = await new_taker(clinic, tmp_path_factory, ["system/Location.rs"])
    status = await other.started()
    assert set(await other.everything(status)) == {"Location"}
    outcome(await other.kicks_off("/$export", ("_type", "Patient")), 403, "smart.scope_missing")
    outcome(await other.kicks_off("/Patient/$export"), 403, "smart.scope_missing")
    outcome(await other.asks(f"{status}/Patient.ndjson"), 404, "fhir.unknown_export")
    outcome(await taker.asks(status), 404, "fhir.unknown_export")
    outcome(await taker.asks(status, "DELETE"), 404, "fhir.unknown_export")
    for _ in range(exports.OPEN_MAX - 1):
        await other.started()
    assert (await other.kicks_off()).status_code == httpx.codes.TOO_MANY_REQUESTS


async def test_who_was_shut_out_reads_no_further(clinic: Clinic, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = await new_taker(clinic, tmp_path_factory, ["system/Location.rs"])
    status = await other.started()
    await said(clinic.system, "disable", other.client_id)
    async with asyncio.timeout(SHUT_OUT_SECONDS_MAX):
        while (await use(clinic.system, other.token, status)).status_code != httpx.codes.UNAUTHORIZED:  # noqa: ASYNC110  (another process sets no asyncio.Event)
            await asyncio.sleep(0.1)
    assert (await use(clinic.system, other.token, f"{status}/Location.ndjson")).status_code == httpx.codes.UNAUTHORIZED
