"""A practice of a test's own inside a running system: one site, one practitioner, one kind of visit, open every day.

Nobody else books there, so a test knows what is free. `ok` and `refused` read answers: the value, or the problem document.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx

from tests.system import FRESH, System

Json = dict[str, Any]
ZONE = ZoneInfo("Europe/Berlin")
OPENS_MINUTE, CLOSES_MINUTE = 480, 1080
VISIT_MINUTES = 30
FOLLOW_SECONDS_MAX = 15
SPECIALTY = {"system": "urn:carewright:test:specialty", "code": "podiatry", "display": "Podiatry"}


def ok(answer: httpx.Response, status: int = 200) -> Any:
    """The value of an answer that must have gone well."""
    assert answer.status_code == status, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    return answer.json()


def refused(answer: httpx.Response, status: int, code: str) -> Json:
    """The problem document of an answer that must be a refusal with this status and code."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem: Json = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code), problem
    assert all(problem[sentence] for sentence in ("title", "detail")), "a refusal says in a sentence what is wrong"
    return problem


@dataclass(frozen=True)
class Clinic:
    """What people do there. Methods return the raw answer unless they say otherwise."""

    system: System
    site_id: str
    service_id: str
    visit_type_id: str
    practitioner_id: str

    def picked(self, start: str, **more: Any) -> Json:
        return {"visit_type_id": self.visit_type_id, "site_id": self.site_id, "start": start} | more

    async def free(self, role: str = "front-desk", **query: Any) -> list[str]:
        """The free starts from tomorrow on, earliest first."""
        query = {"visit_type_id": self.visit_type_id, "from_at": tomorrow(), "limit": 200} | query
        page = ok(await self.system.request(role, "GET", "/api/v1/availability", params=query))
        return [slot["start"] for slot in page["items"]]

    async def free_soon(self) -> list[str]:
        """The same from a minute on: what is free then still lies ahead when it is booked."""
        return await self.free(from_at=(datetime.now(UTC) + timedelta(minutes=1)).isoformat())

    async def hold(self, patient: UUID, start: str, role: str = "patient", key: str | None = FRESH) -> httpx.Response:
        body = {"patient_id": str(patient), "time": self.picked(start)}
        return await self.system.request(role, "POST", "/api/v1/holds", json=body, patient_id=patient, key=key)

    async def book(self, patient: UUID, start: str, role: str = "front-desk", key: str | None = FRESH, **more: Any) -> httpx.Response:
        body = {"patient_id": str(patient), "time": self.picked(start)} | more
        return await self.system.request(role, "POST", "/api/v1/appointments", json=body, patient_id=patient, key=key)

    async def book_soon(self, patient: UUID, minutes: int) -> httpx.Response:
        """Book the next free visit that begins in so many minutes or later."""
        soon = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
        return await self.book(patient, (await self.free(from_at=soon))[0])

    async def book_hold(self, patient: UUID, hold_id: str, role: str = "patient", key: str | None = FRESH, **more: Any) -> httpx.Response:
        body = {"patient_id": str(patient), "hold_id": hold_id} | more
        return await self.system.request(role, "POST", "/api/v1/appointments", json=body, patient_id=patient, key=key)

    async def step(self, appointment_id: str, step: str, body: Json | None = None, role: str = "front-desk", **more: Any) -> httpx.Response:
        """One of confirm, cancel, reschedule, status."""
        return await self.system.request(role, "POST", f"/api/v1/appointments/{appointment_id}/{step}", json=body, **more)

    async def appointment(self, appointment_id: str) -> Json:
        """The appointment as it is stored now."""
        found: Json = ok(await self.system.request("front-desk", "GET", f"/api/v1/appointments/{appointment_id}"))
        return found

    async def appointments_of(self, patient: UUID, role: str = "front-desk") -> list[Json]:
        """All of a patient's appointments."""
        query = {} if role == "patient" else {"patient_id": str(patient)}
        answer = await self.system.request(role, "GET", "/api/v1/appointments", params=query, patient_id=patient)
        items: list[Json] = ok(answer)["items"]
        return items

    async def set_hours(self, weekly: list[Json], role: str = "scheduler") -> httpx.Response:
        path = f"/api/v1/schedules/{self.practitioner_id}/hours"
        return await self.system.request(role, "PUT", path, json={"weekly": weekly})

    def every_day(self, start_minute: int = OPENS_MINUTE, end_minute: int = CLOSES_MINUTE) -> list[Json]:
        return [{"weekday": day, "start_minute": start_minute, "end_minute": end_minute, "site_id": self.site_id} for day in range(7)]


async def open_clinic(system: System, *, published: bool = False, **rules: Any) -> Clinic:
    """A new practice that can be booked. `rules` are its visit type's booking rules; `published` shows its times to everybody."""
    site, service, visit_type, practitioner, role = (str(uuid4()) for _ in range(5))
    resources = {
        "locations": [{"id": site, "kind": "site", "name": "Test Clinic", "site_id": site, "time_zone": ZONE.key}],
        "practitioners": [{"id": practitioner, "kind": "practitioner", "family": "Testmann", "given": ["Petra"], "languages": ["de"]}],
        "practitioner_roles": [{"id": role, "practitioner_id": practitioner, "site_ids": [site], "specialties": [SPECIALTY]}],
        "healthcare_services": [{"id": service, "name": f"Podiatry {service[:8]}", "specialty": SPECIALTY, "site_ids": [site]}],
        "visit_types": [
            {
                "id": visit_type, "healthcare_service_id": service, "name": "Foot check", "duration_minutes": VISIT_MINUTES,
                "published": published,
                "requirements": [{"kind": "practitioner", "actor_id": practitioner, "duration_minutes": VISIT_MINUTES}],
                "rules": {"grid_minutes": VISIT_MINUTES, "lead_minutes": 0, "horizon_days": 60, "site_ids": [site]} | rules,
            }
        ],
    }  # fmt: skip
    ok(await system.request("administrator", "PUT", "/api/v1/directory", json=resources))
    clinic = Clinic(system, site, service, visit_type, practitioner)
    query = {"visit_type_id": visit_type}
    await until_known(lambda: clinic.set_hours(clinic.every_day()))
    await until_known(lambda: system.request("front-desk", "GET", "/api/v1/availability", params=query))
    return clinic


async def until_known(ask: Callable[[], Awaitable[httpx.Response]], status: int = 200) -> httpx.Response:
    """The first answer with that status: modules learn of each other's changes a moment later."""
    async with asyncio.timeout(FOLLOW_SECONDS_MAX):
        while (answer := await ask()).status_code != status:  # noqa: ASYNC110  (another process sets no asyncio.Event)
            await asyncio.sleep(0.03)
    return answer


async def register(system: System, family: str = "Beispiel") -> UUID:
    """A new patient's id."""
    return UUID(ok(await system.request("front-desk", "POST", "/api/v1/patients", json={"family": family, "given": ["Test"]}), 201)["id"])


def tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


def at(start: str, **later: float) -> str:
    """The instant `timedelta(**later)` after `start`, the same way on the clock's face or not."""
    return (datetime.fromisoformat(start) + timedelta(**later)).isoformat()


def weeks_on(start: str, weeks: int) -> str:
    """The same time on the clinic's wall some weeks later."""
    wall = datetime.fromisoformat(start).astimezone(ZONE).replace(tzinfo=None) + timedelta(weeks=weeks)
    return wall.replace(tzinfo=ZONE).astimezone(UTC).isoformat().replace("+00:00", "Z")


async def open_now(clinic: Clinic) -> None:
    """Have the practitioner work around the clock, so that there is time now whenever a test runs."""
    ok(await clinic.set_hours(clinic.every_day(0, 1440)))
