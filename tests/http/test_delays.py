"""Late running over HTTP: one tap at the desk, and everybody who looks sees what it makes of the day."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.clinic import Clinic, Json, at, ok, open_clinic, open_now, refused, register, until_known
from tests.staff_browser import staff_signed_in
from tests.watching import place_of, session_of, staff_base, watching

DELAYS, EXPECTED = "/api/v1/delays", "/api/v1/expected-starts"


@pytest.fixture(scope="module")
async def clinic(clinic: Clinic) -> Clinic:
    """One of this module's own, where it is the middle of the day, and which is open at all hours."""
    made = await open_clinic(clinic.system)
    ahead = max(-12, 10 - datetime.now(UTC).hour)
    site = {"id": made.site_id, "kind": "site", "name": "Late Clinic", "site_id": made.site_id, "time_zone": f"Etc/GMT{-ahead:+d}"}
    ok(await clinic.system.request("administrator", "PUT", "/api/v1/directory", json={"locations": [site]}))
    await open_now(made)
    return made


async def booked(clinic: Clinic, patient: UUID) -> Json:
    """The next visit that is free today, as soon as flow knows of it."""
    made = ok(await until_known(lambda: clinic.book_soon(patient, 1), 201), 201)
    await until_known(lambda: clinic.system.request("nurse", "GET", f"{DELAYS}/{clinic.practitioner_id}", params=here(clinic)))
    return dict(made)


def here(clinic: Clinic) -> dict[str, str]:
    return {"site_id": clinic.site_id}


async def say(clinic: Clinic, minutes: Any, role: str = "front-desk", version: int | None = None, **more: Any) -> httpx.Response:
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    body = {"site_id": clinic.site_id, "minutes": minutes} | more
    return await clinic.system.request(role, "PUT", f"{DELAYS}/{clinic.practitioner_id}", json=body, headers=headers)


async def test_what_the_desk_says_is_seen_by_the_patient_the_day_and_whoever_watches(clinic: Clinic) -> None:
    patient, stranger = await register(clinic.system), await register(clinic.system)
    visit = await booked(clinic, patient)
    desk = await staff_signed_in(clinic.system, "front-desk")
    await desk.go(f"/staff/today?place={clinic.site_id}")
    async with watching(staff_base(clinic.system), session_of(desk), clinic.site_id, place_of(desk.text), kind="expected") as stream:
        said = ok(await say(clinic, 40, reason="emergency"))
        assert (said["minutes"], said["source"], said["reason"], said["affected"]) == (40, "entered", "emergency", 1)
        heard = await stream.until("expected")
        assert (heard.fields["id"], heard.fields["late"]) == (visit["id"], "40")
        assert str(patient) not in str(heard)
    own = ok(await clinic.system.request("patient", "GET", EXPECTED, patient_id=patient))["items"]
    assert [(each["appointment_id"], each["late_minutes"]) for each in own] == [(visit["id"], 40)]
    assert datetime.fromisoformat(own[0]["expected_at"]) == datetime.fromisoformat(at(visit["start"], minutes=40))
    assert ok(await clinic.system.request("patient", "GET", EXPECTED, patient_id=stranger)) == {"items": []}
    refused(await clinic.system.request("patient", "GET", EXPECTED, params=here(clinic), patient_id=patient), 403, "kernel.forbidden")
    assert heard.fields["why"] == "emergency"
    assert own[0]["by_emergency"]
    for page in (f"today?place={clinic.site_id}", f"board?place={clinic.site_id}", f"board/visits/{visit['id']}"):
        await desk.go(f"/staff/{page}")
        assert re.search(r"expected at (?:<[^>]+>)*\d\d:\d\d, an emergency came first", desk.text)
    await desk.go(f"/staff/disruptions?place={clinic.site_id}")
    assert "40 minutes late" in desk.text
    assert "1 appointment begins later than booked, because an emergency came first" in desk.text
    assert "Testmann" in desk.text
    form = f"/staff/disruptions/{clinic.practitioner_id}/delay"
    await desk.send(form, minutes="0")
    assert "On time" in desk.text
    assert ok(await clinic.system.request("patient", "GET", EXPECTED, patient_id=patient)) == {"items": []}
    await desk.send(form, more="15")
    assert "15 minutes late" in desk.text
    history = ok(await clinic.system.request("nurse", "GET", f"{DELAYS}/{clinic.practitioner_id}", params=here(clinic)))
    assert [each["minutes"] for each in history["steps"]] == [40, 0, 15]
    stale = await say(clinic, 20, version=said["version"])
    refused(stale, 412, "kernel.precondition_failed")
    await desk.client.aclose()


@pytest.mark.parametrize(
    "body",
    [
        {"minutes": -5}, {"minutes": 2000}, {"minutes": 2.5}, {"minutes": "soon"}, {"minutes": None}, {"minutes": 10, "reason": "tired"},
        {"minutes": 10, "said_at": "2020-01-01T00:00:00Z"},
    ],
)  # fmt: skip
async def test_a_delay_is_a_number_of_minutes_for_a_reason_and_as_of_now(clinic: Clinic, body: Json) -> None:
    await booked(clinic, await register(clinic.system))
    refused(await say(clinic, **body), 400, "kernel.bad_input")


async def test_who_is_not_booked_here_is_not_late_here(clinic: Clinic) -> None:
    body = {"site_id": clinic.site_id, "minutes": 10}
    refused(await clinic.system.request("nurse", "PUT", f"{DELAYS}/{uuid4()}", json=body), 404, "flow.unknown_calendar")
    refused(await clinic.system.request("analyst", "PUT", f"{DELAYS}/{clinic.practitioner_id}", json=body), 403, "kernel.forbidden")


@pytest.mark.parametrize(("minutes", "status"), [(5, 200), (240, 200), (4, 400), (241, 400), (10**12, 400)])
async def test_a_threshold_is_neither_nothing_nor_never(clinic: Clinic, minutes: int, status: int) -> None:
    body = {"site_id": clinic.site_id, "tell_minutes": minutes}
    answer = await until_known(lambda: clinic.system.request("operations", "PUT", f"{DELAYS}/telling", json=body), status)
    assert answer.status_code == status


@pytest.mark.parametrize(("reason", "word"), [("emergency", "primero una emergencia"), ("absent", "hoy vamos con retraso")])
async def test_the_patient_is_told_by_message(clinic: Clinic, reason: str, word: str) -> None:
    """In the language of their record, to the contact of their record, with the minutes and without the kind of visit."""
    person = {"family": "Tarde", "given": ["Ana"], "language": "es", "telecom": [{"system": "phone", "value": "2025550147"}]}
    patient = UUID(ok(await clinic.system.request("front-desk", "POST", "/api/v1/patients", json=person), 201)["id"])
    await booked(clinic, patient)
    telling = {"site_id": clinic.site_id, "tell_minutes": 15}
    ok(await clinic.system.request("operations", "PUT", f"{DELAYS}/telling", json=telling))
    ok(await say(clinic, 95, reason=reason))

    async def told() -> httpx.Response:
        path = f"/fhir/R4/Communication?patient=Patient/{patient}"
        found = await clinic.system.request("front-desk", "GET", path)
        return found if word in found.text else await clinic.system.request("front-desk", "GET", f"/api/v1/appointments/{patient}")

    said = (await until_known(told)).text
    assert "minutos m" in said
    assert "Foot check" not in said
