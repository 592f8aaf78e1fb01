"""Schemathesis: whatever the OpenAPI document allows or forbids, the API answers as the document says, and never with a fault of ours.

Requests come from the document: values at the edge of what it allows and beyond, then random ones. Half of the ids in them are made real,
so that requests get further than "unknown". At the end, `carewright verify` looks for anything that was left half done.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zlib import crc32

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from carewright.contracts.permissions import ROLES
from carewright.kernel.http import openapi
from carewright.roles.registry import MODULES
from tests.clinic import ok, register
from tests.system import System, launch, log_of

DOCUMENT = openapi.document([route for module in MODULES for route in module.routes])
ASKING = ("scheduler", "front-desk", "administrator", "patient", "privacy-officer")
CONFIG = """
[checks]
positive_data_acceptance.enabled = false  # a document cannot say that a period ends after it begins
ignored_auth.enabled = false  # tests/roles asks for every permission by name
# Its own list, and 413: what breaks the document may be too long besides.
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, "5xx"]
[generation]
database = "none"
[phases.stateful]
enabled = false
"""
VISIBLE = re.compile("[!-~]{1,255}")
ID = re.compile("[0-9a-f-]{36}")
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T")
PICKED = {"visit_type_id", "site_id", "start"}
DAYS_AHEAD = {"start": 1, "from_at": 1, "end": 5, "until_at": 5}
ONLY_RANDOM = "[phases.coverage]\nenabled = false\n"
CHECKED = settings(derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
WHOLE = schemathesis.openapi.from_dict(DOCUMENT, config=schemathesis.Config.from_str(CONFIG))
BRIEF = schemathesis.openapi.from_dict(DOCUMENT, config=schemathesis.Config.from_str(CONFIG + ONLY_RANDOM))


@dataclass(frozen=True)
class Known:
    """Real ids, by the names that parameters and fields give them, and times that were free when the tests began."""

    ids: dict[str, list[str]]
    free: list[dict[str, str]]

    def made_real(self, part: Any, *, whole: bool, name: str = "") -> Any:
        """The same with half of its ids and instants replaced by real ones, and where it is valid as a `whole`, by a free time."""
        chance = crc32(repr(part).encode())
        if isinstance(part, dict):
            made = type(part)({key: self.made_real(value, whole=whole, name=key) for key, value in part.items()})
            return self.free[chance % len(self.free)] if whole and chance % 3 and part.keys() >= PICKED else made
        if isinstance(part, list):
            return [self.made_real(value, whole=whole, name=name) for value in part]
        if not isinstance(part, str) or chance % 2:
            return part
        if name in self.ids and ID.fullmatch(part):
            return self.ids[name][chance % len(self.ids[name])]
        if name in DAYS_AHEAD and INSTANT.match(part):
            on = datetime.now(UTC).replace(hour=14 + chance % 7, minute=0, second=0, microsecond=0)
            return (on + timedelta(days=DAYS_AHEAD[name] + chance % 3)).isoformat()
        return part


@pytest.fixture(scope="session")
async def known(one_process: System) -> Known:
    async def items(path: str, **query: Any) -> list[Any]:
        found: list[Any] = ok(await one_process.request("scheduler", "GET", path, params=query))["items"]
        return found

    services = await items("/api/v1/services")
    visits = [visit for service in services for visit in service["visit_types"]]
    people = [staff["practitioner"]["id"] for staff in await items("/api/v1/practitioners")]
    patients = [str(one_process.patient_id), *[str(await register(one_process)) for _ in range(8)]]
    mine = [one["id"] for one in await items("/api/v1/appointments", patient_id=patients[0])]
    slots = [slot for visit in visits for slot in await items("/api/v1/availability", visit_type_id=visit["id"], limit=20)]
    for patient, visit in zip(patients[1:], visits, strict=False):
        # Asked anew each time: the booking before may have taken whom an earlier answer named.
        slot = (await items("/api/v1/availability", visit_type_id=visit["id"], limit=1))[0]
        body = {"patient_id": patient, "time": {key: slot[key] for key in sorted(PICKED)}, "based_on": "Referral"}
        mine.append(ok(await one_process.request("scheduler", "POST", "/api/v1/appointments", json=body), 201)["id"])
    ids = {
        "visit_type_id": [visit["id"] for visit in visits], "service_id": [service["service"]["id"] for service in services],
        "practitioner_id": people, "schedule_id": people, "site_id": [site["id"] for site in await items("/api/v1/sites")],
        "patient_id": patients, "appointment_id": mine, "hold_id": mine,
    }  # fmt: skip
    return Known(ids, [{key: slot[key] for key in sorted(PICKED)} for slot in slots])


@pytest.mark.parametrize("role", ["the first who may"])
@WHOLE.parametrize()
@settings(CHECKED, max_examples=25)
def test_every_operation_answers_as_described(case: schemathesis.Case[Any], role: str, one_process: System, known: Known) -> None:
    able = next(role for role in (*ASKING, *ROLES) if case.operation.definition.raw["x-permission"] in ROLES[role])
    ask(case, one_process, able, known)


@pytest.mark.parametrize("role", ASKING)
@BRIEF.parametrize()
@settings(CHECKED, max_examples=3)
def test_whoever_asks(case: schemathesis.Case[Any], role: str, one_process: System, known: Known) -> None:
    ask(case, one_process, role, known)


async def test_nothing_was_left_half_done(one_process: System) -> None:
    data = one_process.data
    process = await launch(data.with_name("verify"), "verify", "--data", str(data))
    assert await process.wait() == 0, log_of(data.with_name("verify")).read_text()


def ask(case: schemathesis.Case[Any], system: System, role: str, known: Known) -> None:
    whole = case.meta is not None and case.meta.generation.mode.is_positive
    case.path_parameters, case.query, case.body = (
        known.made_real(part, whole=whole) for part in (case.path_parameters, case.query, case.body)
    )
    if case.headers and VISIBLE.fullmatch(str(case.headers.get("Idempotency-Key", ""))):
        case.headers["Idempotency-Key"] = str(uuid4())  # or one answer would be repeated for all
    case.call_and_validate(base_url=system.address_of(case.path), headers={"Authorization": f"Bearer {system.token(role)}"})
