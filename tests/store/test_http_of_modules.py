"""The directory and patients over HTTP, from the request to the rows and back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from carewright.contracts.permissions import ROLES
from carewright.directory.http import ROUTES as DIRECTORY
from carewright.directory.service import put_resources
from carewright.kernel.authz import Bearers, Tokens
from carewright.kernel.http import app
from carewright.patients.http import ROUTES as PATIENTS
from tests.samples import DOCTOR, SERVICE, SITE, SMALL_HOSPITAL, VISIT, known_id
from tests.servers import Contexts

ANNA = {"family": "García", "given": ["Anna"], "birth_on": "1980-02-29", "telecom": [{"system": "phone", "value": "555-0100"}]}


class Desk:
    """Calls as somebody with a role; a key is sent where one is given."""

    def __init__(self, client: httpx.AsyncClient, tokens: Tokens, context: Contexts) -> None:
        self.client = client
        self._tokens = tokens
        self._context = context

    async def __call__(
        self, role: str, method: str, path: str, body: object = None, key: str | None = None, patient_id: UUID | None = None
    ) -> httpx.Response:
        token = self._tokens.issue(self._context.actor(role, patient_id=patient_id), timedelta(minutes=5))
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        if body is None:
            return await self.client.request(method, path, headers=headers)
        headers["Content-Type"] = "application/json"
        return await self.client.request(method, path, headers=headers, content=msgspec.json.encode(body))


@pytest.fixture
async def ask(context: Contexts) -> AsyncIterator[Desk]:
    """Both modules behind one application, and the small hospital in the directory."""
    directory, patients = await context("directory"), await context("patients")
    await put_resources(directory, SMALL_HOSPITAL)
    tokens = Tokens(b"k" * 32, context.clock, ROLES)
    served = [*((route, directory) for route in DIRECTORY), *((route, patients) for route in PATIENTS)]
    transport = httpx.ASGITransport(app.build(served, [], Bearers(tokens, context.clock), app.Health({})))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield Desk(client, tokens, context)


def problem(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/services?text=heart",
        f"/api/v1/services/{SERVICE.id}",
        f"/api/v1/visit-types/{VISIT.id}",
        "/api/v1/sites",
        f"/api/v1/practitioners?kind=practitioner&language=fr&site_id={SITE.id}",
        f"/api/v1/practitioners/{DOCTOR.id}",
    ],
)
async def test_patients_may_read_the_directory(ask: Desk, path: str) -> None:
    answer = await ask("patient", "GET", path)
    assert answer.status_code == 200
    assert "Heart clinic" in answer.text or "Nuñez" in answer.text or "Main site" in answer.text or "ECG" in answer.text
    assert (await ask.client.get(path)).status_code == 401


async def test_a_visit_type_has_an_etag(ask: Desk) -> None:
    assert (await ask("patient", "GET", f"/api/v1/visit-types/{VISIT.id}")).headers["ETag"] == '"1"'


@pytest.mark.parametrize("kind", ["services", "visit-types", "practitioners", "patients"])
async def test_unknown_ids_are_not_found(ask: Desk, kind: str) -> None:
    assert problem(await ask("front-desk", "GET", f"/api/v1/{kind}/{known_id(99)}"))[0] == 404
    assert problem(await ask("front-desk", "GET", f"/api/v1/{kind}/nonsense"))[0] == 404


async def test_the_directory_is_changed_under_a_key_by_those_who_may(ask: Desk) -> None:
    body = {"locations": [msgspec.to_builtins(SITE) | {"name": "Renamed site"}]}
    assert problem(await ask("front-desk", "PUT", "/api/v1/directory", body, "k")) == (403, "kernel.forbidden")
    assert problem(await ask("administrator", "PUT", "/api/v1/directory", body)) == (400, "kernel.idempotency_key_missing")
    changed = {"created": 0, "changed": 1, "unchanged": 0}
    assert [(await ask("administrator", "PUT", "/api/v1/directory", body, "k")).json() for _ in range(2)] == [changed, changed]
    assert problem(await ask("administrator", "PUT", "/api/v1/directory", {}, "k")) == (422, "kernel.idempotency_key_reused")


async def test_a_broken_entry_is_named_by_type_id_and_field(ask: Desk) -> None:
    body = {"locations": [msgspec.to_builtins(SITE) | {"time_zone": "Middle/Earth"}]}
    answer = await ask("administrator", "PUT", "/api/v1/directory", body, "k")
    assert problem(answer) == (422, "directory.invalid_resource")
    assert {"resource_type": "Location", "id": str(SITE.id), "field": "time_zone"}.items() <= answer.json().items()


async def test_a_patient_is_registered_found_and_read(ask: Desk) -> None:
    made = await ask("front-desk", "POST", "/api/v1/patients", ANNA, "k")
    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    assert (await ask("front-desk", "POST", "/api/v1/patients", ANNA, "k")).json() == made.json()
    found = await ask("front-desk", "POST", "/api/v1/patients/find", {"family": "garcia"})
    assert found.json() == {"items": [made.json()], "more": False}
    herself = await ask("patient", "GET", made.headers["Location"], patient_id=UUID(made.json()["id"]))
    assert herself.json() == made.json()
    assert problem(await ask("patient", "GET", made.headers["Location"])) == (403, "kernel.forbidden")
    assert problem(await ask("patient", "POST", "/api/v1/patients/find", {"family": "garcia"})) == (403, "kernel.forbidden")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"birth_on": "2030-01-01"}, (422, "patients.invalid_patient")),
        ({"birth_on": "yesterday"}, (400, "kernel.bad_input")),
        ({"family": ""}, (400, "kernel.bad_input")),
        ({"family": "\0"}, (400, "kernel.bad_input")),
        ({"family": "A\x07"}, (422, "patients.invalid_patient")),
        ({"telecom": [{"system": "email", "value": "nowhere"}]}, (422, "patients.invalid_patient")),
        ({"unheard_of": 1}, (400, "kernel.bad_input")),
    ],
)
async def test_a_refusal_tells_nothing_of_the_person(ask: Desk, changes: dict[str, object], refusal: tuple[int, str]) -> None:
    answer = await ask("front-desk", "POST", "/api/v1/patients", ANNA | changes, "k")
    assert problem(answer) == refusal
    assert not any(word in answer.text for word in ("García", "Anna", "1980", "555", "nowhere", "2030"))


async def test_a_search_for_too_little_is_refused(ask: Desk) -> None:
    assert problem(await ask("front-desk", "POST", "/api/v1/patients/find", {"family": "  "})) == (400, "kernel.bad_input")
