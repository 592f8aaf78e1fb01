"""What an appointment was before, through FHIR: versions read one by one and as a history."""

from uuid import UUID

import pytest

from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions
from tests.clinic import Clinic, Json, ok, register
from tests.fhir_asking import FHIR, outcome
from tests.http.test_fhir_bundles import entry, send

APPOINTMENTS = f"{FHIR}/Appointment"


@pytest.fixture
async def moved(clinic: Clinic) -> Json:
    """An appointment that was booked, moved and cancelled."""
    first, second = (await clinic.free())[:2]
    made: Json = ok(await clinic.book(await register(clinic.system), first, based_on="R-1", note="I use a wheelchair"), 201)
    ok(await clinic.step(made["id"], "reschedule", {"time": clinic.picked(second)}))
    ok(await clinic.step(made["id"], "cancel", {"reason": "pat-moved"}))
    return made | {"second": second}


async def read(clinic: Clinic, path: str, role: str = "front-desk", patient: UUID | None = None) -> Json:
    found: Json = ok(await clinic.system.request(role, "GET", f"{APPOINTMENTS}/{path}", patient_id=patient))
    return found


@pytest.mark.requirement("R4.history")
async def test_each_version_says_what_the_appointment_was_then(clinic: Clinic, moved: Json) -> None:
    """R4 http.html#history and #vread: newest first, each with its request, status, ETag and time."""
    bundle = await read(clinic, f"{moved['id']}/_history", "physician")
    assert [each for each in issues_of(r4_definitions(), bundle) if each.severity == "error"] == []
    assert (bundle["type"], bundle["total"]) == ("history", 3)
    versions = [each["resource"] for each in bundle["entry"]]
    assert [each["meta"]["versionId"] for each in versions] == ["3", "2", "1"]
    assert [each["status"] for each in versions] == ["cancelled", "booked", "booked"]
    assert [each["start"] for each in versions] == [moved["second"], moved["second"], moved["start"]]
    assert [each["request"]["method"] for each in bundle["entry"]] == ["PUT", "PUT", "POST"]
    assert [each["response"]["etag"] for each in bundle["entry"]] == ['W/"3"', 'W/"2"', 'W/"1"']
    assert [each["response"]["lastModified"] for each in bundle["entry"]] == [each["meta"]["lastUpdated"] for each in versions]
    assert {each["comment"] for each in versions} == {"I use a wheelchair"}
    assert all("R-1" in str(each["basedOn"]) for each in versions)
    for one in versions:
        assert await read(clinic, f"{moved['id']}/_history/{one['meta']['versionId']}", "physician") == one
    for version in ("0", "4", "x", "99999999999", "-1"):
        answer = await clinic.system.request("front-desk", "GET", f"{APPOINTMENTS}/{moved['id']}/_history/{version}")
        outcome(answer, 404, "fhir.unknown_version")


@pytest.mark.requirement("R4.history")
async def test_a_history_comes_in_pages_and_from_a_moment_on(clinic: Clinic, moved: Json) -> None:
    """R4: `_count` and `_since`."""
    first = await read(clinic, f"{moved['id']}/_history?_count=2")
    assert (first["total"], [each["resource"]["meta"]["versionId"] for each in first["entry"]]) == (3, ["3", "2"])
    links = {each["relation"]: each["url"] for each in first["link"]}
    rest = await read(clinic, links["next"].rpartition("/Appointment/")[2])
    assert [each["resource"]["meta"]["versionId"] for each in rest["entry"]] == ["1"]
    assert [each["relation"] for each in rest["link"]] == ["self"]
    since = first["entry"][1]["resource"]["meta"]["lastUpdated"].replace("+", "%2B")
    assert (await read(clinic, f"{moved['id']}/_history?_since={since}"))["total"] == 2
    assert (await read(clinic, f"{moved['id']}/_history?_since=2100-01-01T00:00:00Z")).get("entry") is None
    assert (await read(clinic, f"{moved['id']}/_history?_count=0"))["total"] == 3
    wrong = {"_since=yesterday": (400, "kernel.bad_input"), "_since=2026-01-01": (400, "kernel.bad_input")}
    for asked in (*wrong, "_count=many", "_count=-1", "_at=2026"):
        answer = await clinic.system.request("front-desk", "GET", f"{APPOINTMENTS}/{moved['id']}/_history?{asked}")
        outcome(answer, *wrong.get(asked, (422, "fhir.invalid_element")))


async def test_a_history_is_shown_to_whoever_may_read_the_appointment(clinic: Clinic, moved: Json) -> None:
    own = UUID(moved["patient_id"])
    assert (await read(clinic, f"{moved['id']}/_history", "patient", own))["total"] == 3
    other = await register(clinic.system)
    for path in ("_history", "_history/1"):
        answer = await clinic.system.request("patient", "GET", f"{APPOINTMENTS}/{moved['id']}/{path}", patient_id=other)
        outcome(answer, 404, "scheduling.unknown_appointment")
    without_notes = await read(clinic, f"{moved['id']}/_history")
    assert not any("comment" in each["resource"] for each in without_notes["entry"])
    answer = await clinic.system.request("privacy-officer", "GET", f"{APPOINTMENTS}/{moved['id']}/_history")
    outcome(answer, 403, "kernel.forbidden")


async def test_of_a_hold_nothing_is_kept(clinic: Clinic) -> None:
    """Its first version was no appointment yet."""
    patient = await register(clinic.system)
    held = ok(await clinic.hold(patient, (await clinic.free())[0]), 201)
    ok(await clinic.book_hold(patient, held["id"]), 201)
    ok(await clinic.step(held["id"], "cancel", {"reason": "pat"}))
    assert [each["resource"]["meta"]["versionId"] for each in (await read(clinic, f"{held['id']}/_history"))["entry"]] == ["3", "2"]
    outcome(await clinic.system.request("front-desk", "GET", f"{APPOINTMENTS}/{held['id']}/_history/1"), 404, "fhir.unknown_version")


async def test_what_a_transaction_undid_was_never_a_version(clinic: Clinic, moved: Json) -> None:
    patient = await register(clinic.system)
    made = ok(await clinic.book(patient, (await clinic.free())[0]), 201)
    one = await read(clinic, made["id"])
    cancelled = one | {"status": "cancelled"}
    refused = await send(
        clinic, "transaction", entry("PUT", f"Appointment/{made['id']}", cancelled), entry("PUT", f"Appointment/{moved['id']}", one)
    )
    outcome(refused, 400, "fhir.invalid_resource")
    assert [each["resource"]["status"] for each in (await read(clinic, f"{made['id']}/_history"))["entry"]] == ["booked"]


async def test_types_without_a_history_say_so(clinic: Clinic, moved: Json) -> None:
    (rest,) = ok(await clinic.system.request(None, "GET", f"{FHIR}/metadata"))["rest"]
    by_type = {each["type"]: each for each in rest["resource"]}
    kept = [kind for kind, each in by_type.items() if {"code": "history-instance"} in each["interaction"]]
    assert kept == [kind for kind, each in by_type.items() if each.get("readHistory")] == ["Appointment"]
    answer = await clinic.system.request("front-desk", "GET", f"{FHIR}/Patient/{moved['patient_id']}/_history")
    outcome(answer, 404, "fhir.not_served")
    outcome(await clinic.system.request("front-desk", "GET", f"{FHIR}/Medication/1/_history"), 404, "fhir.not_served")
