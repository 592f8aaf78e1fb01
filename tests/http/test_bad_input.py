"""Bad input of every kind gets a clear problem document with a stable code, and leaves nothing behind."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.clinic import Clinic, Json, at, ok, refused
from tests.system import System

BAD = (400, "kernel.bad_input")
pytestmark = pytest.mark.usefixtures("nothing_written")


def hold_of(clinic: Clinic, patient: UUID, **changes: Any) -> Json:
    """The body of a hold that would be granted, but for `changes` to its time."""
    return {"patient_id": str(patient), "time": clinic.picked("2030-01-07T09:00:00Z") | changes}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\0", b"{", b"[]", b"null", b'"hold"', b"\xff\xfe{}", b'{"patient_id": "\xed\xa0\x80"}', b"[" * 100_000, b'{"a":' * 20_000,
        b"NaN", b'{"patient_id": 1e999}', b'{"patient_id"; "x"}', b"<xml/>", b"{} {}",
    ],
    ids=lambda body: repr(body[:16]),
)  # fmt: skip
@pytest.mark.parametrize("path", ["/api/v1/holds", "/api/v1/appointments", "/api/v1/patients/find"])
async def test_garbage_instead_of_json(one_process: System, path: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    refused(await one_process.request("front-desk", "POST", path, content=body, headers=headers), *BAD)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"start": "2030-01-07T09:00:00"}, *BAD),
        ({"start": "2030-01-07"}, *BAD),
        ({"start": "tomorrow at nine"}, *BAD),
        ({"start": 1893920400}, *BAD),
        ({"start": None}, *BAD),
        ({"start": "2030-02-30T09:00:00Z"}, *BAD),
        ({"start": "2030-01-07T09:00:00+99:00"}, *BAD),
        ({"start": "99999-01-01T00:00:00Z"}, *BAD),
        ({"start": "0001-01-01T00:00:00+14:00"}, 422, "scheduling.outside_rules"),
        ({"start": "9999-12-31T23:59:59-12:00"}, 422, "scheduling.outside_rules"),
        ({"start": "2020-01-06T09:00:00Z"}, 422, "scheduling.outside_rules"),
        ({"start": "2030-01-07T09:00:00Z"}, 422, "scheduling.outside_rules"),
        ({"visit_type_id": str(uuid4())}, 422, "scheduling.unknown_visit_type"),
        ({"visit_type_id": "foot-check"}, *BAD),
        ({"site_id": str(uuid4())}, 422, "scheduling.unknown_site"),
        ({"urgency": "P9"}, *BAD),
        ({"urgency": "P0"}, 422, "scheduling.outside_rules"),
        ({"language": "x" * 100}, *BAD),
        ({"actor_ids": [str(uuid4())] * 21}, *BAD),
        ({"actor_ids": "all"}, *BAD),
        ({"room": "7"}, *BAD),
    ],
)
async def test_a_time_that_cannot_be_held(clinic: Clinic, patient: UUID, changes: Json, status: int, code: str) -> None:
    body = hold_of(clinic, patient, **changes)
    refused(await clinic.system.request("front-desk", "POST", "/api/v1/holds", json=body), status, code)


@pytest.mark.parametrize(
    ("minutes", "rule"), [(7, "grid"), (5, "grid"), (1 / 60, "grid"), (-60 * 24 * 400, "past"), (60 * 24 * 61, "horizon")]
)
async def test_a_start_against_the_rules_names_the_rule(clinic: Clinic, patient: UUID, minutes: float, rule: str) -> None:
    start = at((await clinic.free())[0], minutes=minutes)
    assert refused(await clinic.hold(patient, start), 422, "scheduling.outside_rules")["rule"] == rule
    body = {"patient_id": str(patient), "first": clinic.picked(start), "count": 2}
    refused(await clinic.system.request("front-desk", "POST", "/api/v1/appointment-series", json=body), 422, "scheduling.outside_rules")


@pytest.mark.parametrize(
    "changes",
    [
        {"hold_id": None, "time": None},
        {"hold_id": str(uuid4())},
        {"note": "x" * 2001},
        {"note": ["x"]},
        {"note": "a\0b"},
        {"based_on": "x" * 201},
        {"override": {}},
        {"override": {"reason": "no"}},
        {"override": {"reason": "because", "by": "me"}},
        {"patient_id": "me"},
        {"patient_id": ""},
        {"patient_id": None},
        {"status": "booked"},
        {"created_at": "2020-01-01T00:00:00Z"},
    ],
    ids=str,
)
async def test_a_booking_out_of_form(clinic: Clinic, patient: UUID, changes: Json) -> None:
    body = hold_of(clinic, patient, start=(await clinic.free())[0]) | changes
    refused(await clinic.system.request("scheduler", "POST", "/api/v1/appointments", json=body), *BAD)


async def test_a_patient_whom_nobody_knows(clinic: Clinic) -> None:
    start = (await clinic.free())[0]
    refused(await clinic.book(uuid4(), start), 422, "scheduling.unknown_patient")
    refused(await clinic.hold(uuid4(), start, role="front-desk"), 422, "scheduling.unknown_patient")
    refused(await clinic.book(uuid4(), start, role="scheduler", override={"reason": "Somebody"}), 422, "scheduling.unknown_patient")
    assert start in await clinic.free()


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/api/v1/appointments/{id}", "scheduling.unknown_appointment"),
        ("POST", "/api/v1/appointments/{id}/confirm", "scheduling.unknown_appointment"),
        ("DELETE", "/api/v1/holds/{id}", "scheduling.unknown_appointment"),
        ("DELETE", "/api/v1/blocks/{id}", "scheduling.unknown_block"),
        ("GET", "/api/v1/services/{id}", "directory.unknown_resource"),
        ("GET", "/api/v1/visit-types/{id}", "directory.unknown_resource"),
        ("GET", "/api/v1/practitioners/{id}", "directory.unknown_resource"),
        ("GET", "/api/v1/patients/{id}", "patients.unknown_patient"),
    ],
)
async def test_ids_that_name_nothing(one_process: System, method: str, path: str, code: str) -> None:
    refused(await one_process.request("scheduler", method, path.format(id=uuid4())), 404, code)
    for no_id in ("1", "null", "%00", "..%2f..", "'; drop table appointment", "x" * 5000):
        refused(await one_process.request("scheduler", method, path.format(id=no_id)), 404, "kernel.not_found")


async def test_a_body_for_an_appointment_that_is_not_there(clinic: Clinic) -> None:
    for step, body in (
        ("cancel", {}),
        ("status", {"status": "arrived"}),
        ("reschedule", {"time": clinic.picked((await clinic.free())[0])}),
    ):
        refused(await clinic.step(str(uuid4()), step, body), 404, "scheduling.unknown_appointment")
    refused(await clinic.step(str(uuid4()), "status", {"status": "booked"}), *BAD)
    refused(await clinic.book_hold(uuid4(), str(uuid4()), role="front-desk"), 404, "scheduling.unknown_appointment")


@pytest.mark.parametrize(
    "query",
    [
        {"visit_type_id": ""}, {"visit_type_id": "null"}, {"from_at": "2030-01-01"}, {"from_at": "1893456000"}, {"limit": "0"},
        {"limit": "201"}, {"limit": "ten"}, {"limit": "5.0"}, {"limit": "1e1"}, {"limit": "9" * 400}, {"weekdays": "7"},
        {"weekdays": ["1"] * 8}, {"weekdays": "monday"}, {"earliest_minute": "-1"}, {"latest_minute": "1441"}, {"language": "deutsch!"},
        {"earliest_minute": "600", "latest_minute": "600"}, {"after": "x"}, {"after": ""}, {"after": "1.-1"}, {"urgency": "p2"},
        {"from_at": "2030-01-02T00:00:00Z", "until_at": "2030-01-01T00:00:00Z"}, {"colour": "blue"}, {"limit": ["1", "2"]},
        {"language": "a\0b"}, {"practitioner_id": "anyone"},
    ],
    ids=lambda query: str(query)[:40],
)  # fmt: skip
async def test_a_search_out_of_form(clinic: Clinic, query: dict[str, Any]) -> None:
    asked = {"visit_type_id": clinic.visit_type_id} | query
    refused(await clinic.system.request("front-desk", "GET", "/api/v1/availability", params=asked), *BAD)


@pytest.mark.parametrize("query", ["%ff", "limit=%zz&colour", "&".join(["limit=1"] * 200), "=", "limit", "%00=1"])
@pytest.mark.parametrize("path", ["/api/v1/services", "/api/v1/sites", "/api/v1/appointments"])
async def test_a_query_that_cannot_be_read(one_process: System, path: str, query: str) -> None:
    refused(await one_process.request("front-desk", "GET", f"{path}?{query}"), *BAD)


async def test_a_search_that_finds_nothing_is_no_fault(clinic: Clinic) -> None:
    for query in ({"until_at": "2000-01-01T00:00:00Z"}, {"from_at": "2100-01-01T00:00:00Z"}, {"practitioner_id": str(uuid4())}):
        asked = {"visit_type_id": clinic.visit_type_id, "from_at": "1900-01-01T00:00:00Z"} | query
        assert ok(await clinic.system.request("front-desk", "GET", "/api/v1/availability", params=asked))["items"] == []


@pytest.mark.parametrize(
    ("key", "code"),
    [(None, "kernel.idempotency_key_missing"), ("k" * 256, "kernel.bad_input"), ("two words", "kernel.bad_input")],
)
async def test_a_key_that_is_missing_or_too_long(clinic: Clinic, patient: UUID, key: str | None, code: str) -> None:
    refused(await clinic.hold(patient, (await clinic.free())[0], key=key), 400, code)


async def test_a_body_that_is_too_large(one_process: System) -> None:
    for size in (256 * 1024, 3_000_000):
        body = b'{"family": "' + b"x" * size + b'"}'
        headers = {"Content-Type": "application/json"}
        refused(await one_process.request("front-desk", "POST", "/api/v1/patients", content=body, headers=headers), 413, "kernel.too_large")
    refused(await one_process.request("front-desk", "GET", "/api/v1/services?text=" + "x" * 9000), 413, "kernel.too_large")


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/jsonx", ""])
async def test_a_body_of_another_kind(one_process: System, media: str) -> None:
    headers = {"Content-Type": media}
    answer = await one_process.request("front-desk", "POST", "/api/v1/patients", content=b"{}", headers=headers)
    refused(answer, 415, "kernel.unsupported_media")


async def test_a_body_where_none_belongs(clinic: Clinic) -> None:
    refused(await clinic.step(str(uuid4()), "confirm", {"status": "booked"}), *BAD)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/api/v1/appointments", {"GET", "HEAD", "POST"}),
        ("DELETE", "/api/v1/services", {"GET", "HEAD"}),
        ("GET", "/api/v1/patients/find", {"POST"}),
        ("PUT", "/api/v1/holds", {"POST"}),
        ("POST", "/api/v1/directory", {"PUT"}),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(one_process: System, method: str, path: str, allowed: set[str]) -> None:
    answer = await one_process.request("scheduler", method, path)
    refused(answer, 405, "kernel.method_not_allowed")
    assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/", "/api/v1/appointmentz", "/api/v2/services", "/api/v1//services"])
async def test_an_address_that_does_not_exist(one_process: System, path: str) -> None:
    refused(await one_process.request("scheduler", "GET", path), 404, "kernel.not_found")


@pytest.mark.parametrize("match", ["1", "", '"x"', '"-1"', "W/1", '"1", "2"', '"99999999999"', "\xe9"])
async def test_an_etag_out_of_form(clinic: Clinic, match: str) -> None:
    answer = await clinic.step(str(uuid4()), "cancel", {}, headers={"If-Match": match.encode("latin-1")})
    refused(answer, *BAD)


@pytest.mark.parametrize(
    "header",
    [
        "", "Bearer", "Basic dXNlcjpwYXNz", "Bearer x", "Bearer a.b.c", "Bearer " + "x" * 20_000,
        "Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJjYXJld3JpZ2h0Iiwicm9sZSI6InNjaGVkdWxlciJ9.",
    ],
    ids=lambda header: header[:20],
)  # fmt: skip
async def test_a_token_that_is_none(one_process: System, header: str) -> None:
    answer = await one_process.request(None, "GET", "/api/v1/sites", headers={"Authorization": header})
    refused(answer, 401, "kernel.unauthenticated")


@pytest.mark.parametrize(
    "changes",
    [
        {"weekly": [{"weekday": 7, "start_minute": 0, "end_minute": 60}]},
        {"weekly": [{"weekday": 0, "start_minute": 600, "end_minute": 540}]},
        {"weekly": [{"weekday": 0, "start_minute": 0, "end_minute": 2881}]},
        {"weekly": [{"weekday": 0, "start_minute": 0, "end_minute": 60, "valid_from_on": "2030-01-01T00:00:00Z"}]},
        {"weekly": [{"weekday": 0, "start_minute": 0, "end_minute": 60}] * 101},
        {"weekly": [], "exceptions": [{"on": "2030-01-01", "kind": "maybe"}]},
        {"weekly": [], "exceptions": [{"on": "2030-01-01", "kind": "open", "start_minute": 60, "end_minute": 30}]},
        {"weekly": [], "leave": [{"start": "2030-01-02T00:00:00Z", "end": "2030-01-01T00:00:00Z"}]},
        {"weekly": [], "leave": [{"start": "2030-01-02T00:00:00", "end": "2030-01-03T00:00:00"}]},
        {"weekly": {}},
        {},
    ],
)
async def test_working_hours_out_of_form(clinic: Clinic, changes: Json) -> None:
    for rule in [*changes.get("weekly", []), *changes.get("exceptions", [])]:
        rule["site_id"] = clinic.site_id
    path = f"/api/v1/schedules/{clinic.practitioner_id}/hours"
    refused(await clinic.system.request("scheduler", "PUT", path, json=changes), *BAD)


async def test_working_hours_and_blocks_of_nobody_and_nowhere(clinic: Clinic) -> None:
    nobody, hours = f"/api/v1/schedules/{uuid4()}", {"weekly": clinic.every_day()}
    block = {"start": "2030-01-01T08:00:00Z", "end": "2030-01-01T09:00:00Z", "reason": "Holiday"}
    refused(await clinic.system.request("scheduler", "PUT", f"{nobody}/hours", json=hours), 404, "scheduling.unknown_schedule")
    refused(await clinic.system.request("scheduler", "POST", f"{nobody}/blocks", json=block), 404, "scheduling.unknown_schedule")
    nowhere = [rule | {"site_id": str(uuid4())} for rule in clinic.every_day()]
    refused(await clinic.set_hours(nowhere), 422, "scheduling.unknown_site")
    blocks = f"/api/v1/schedules/{clinic.practitioner_id}/blocks"
    for changes in ({"end": block["start"]}, {"end": "2032-01-01T09:00:00Z"}, {"reason": "x"}, {"start": "2030-01-01T08:00:00"}):
        refused(await clinic.system.request("scheduler", "POST", blocks, json=block | changes), *BAD)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, *BAD),
        ({"family": ""}, *BAD),
        ({"family": "x" * 101}, *BAD),
        ({"family": "a\0b"}, *BAD),
        ({"family": "a\nb"}, 422, "patients.invalid_patient"),
        ({"family": " "}, 422, "patients.invalid_patient"),
        ({"family": "A", "given": ["B"] * 11}, *BAD),
        ({"family": "A", "birth_on": "1990-13-01"}, *BAD),
        ({"family": "A", "birth_on": "1990-01-01T00:00:00Z"}, *BAD),
        ({"family": "A", "birth_on": "2999-01-01"}, 422, "patients.invalid_patient"),
        ({"family": "A", "gender": "m"}, *BAD),
        ({"family": "A", "language": "english please"}, *BAD),
        ({"family": "A", "telecom": [{"system": "phone", "value": "call me"}]}, 422, "patients.invalid_patient"),
        ({"family": "A", "telecom": [{"system": "fax", "value": "1234567"}]}, *BAD),
        ({"family": "A", "identifiers": [{"system": "s", "value": " "}]}, 422, "patients.invalid_patient"),
        ({"family": "A", "id": str(uuid4())}, *BAD),
    ],
)
async def test_a_patient_out_of_form(one_process: System, body: Json, status: int, code: str) -> None:
    refused(await one_process.request("front-desk", "POST", "/api/v1/patients", json=body), status, code)


async def test_a_directory_change_is_stored_whole_or_not_at_all(clinic: Clinic) -> None:
    good = {"id": str(uuid4()), "name": "Good", "specialty": {"system": "s", "code": "c"}, "site_ids": [clinic.site_id]}
    bad_visit = {"id": str(uuid4()), "healthcare_service_id": good["id"], "name": "Bad", "duration_minutes": 7, "requirements": []}
    for change in (
        {"healthcare_services": [good], "visit_types": [bad_visit]},
        {"healthcare_services": [good, good]},
        {"healthcare_services": [good | {"site_ids": [str(uuid4())]}]},
        {"locations": [{"id": clinic.site_id, "kind": "site", "name": "A", "site_id": clinic.site_id, "time_zone": "Mars/Olympus"}]},
    ):
        problem = refused(
            await clinic.system.request("administrator", "PUT", "/api/v1/directory", json=change), 422, "directory.invalid_resource"
        )
        assert problem["resource_type"]
    refused(await clinic.system.request("administrator", "GET", f"/api/v1/services/{good['id']}"), 404, "directory.unknown_resource")
    refused(await clinic.system.request("administrator", "PUT", "/api/v1/directory", json={"visit_types": [{"id": 1}]}), *BAD)
    refused(await clinic.system.request("administrator", "PUT", "/api/v1/directory", json={"patients": []}), *BAD)
