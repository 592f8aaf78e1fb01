"""Schemathesis: whatever the OpenAPI document allows or forbids, the API answers as the document says, and never with a fault of ours.

Requests come from the document: values at the edge of what it allows and beyond, then random ones. Half of the ids in them are made real,
so that requests get further than "unknown". At the end, `carewright verify` looks for anything that was left half done.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from carewright.contracts.permissions import ROLES
from carewright.kernel.http import openapi
from carewright.roles.registry import MODULES
from tests.clinic import ok
from tests.system import System, launch, log_of

DOCUMENT = openapi.document([route for module in MODULES for route in module.routes])
ASKING = ("scheduler", "front-desk", "administrator", "patient")
CONFIG = """
[checks]
positive_data_acceptance.enabled = false  # a document cannot say that a period ends after it begins
ignored_auth.enabled = false  # tests/roles asks for every permission by name
[generation]
database = "none"
[phases.stateful]
enabled = false
"""
ID = re.compile("[0-9a-f-]{36}")
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T")
DAYS_AHEAD = {"start": 1, "from_at": 1, "end": 5, "until_at": 5}
ONLY_RANDOM = "[phases.coverage]\nenabled = false\n"
CHECKED = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
WHOLE = schemathesis.openapi.from_dict(DOCUMENT, config=schemathesis.Config.from_str(CONFIG))
BRIEF = schemathesis.openapi.from_dict(DOCUMENT, config=schemathesis.Config.from_str(CONFIG + ONLY_RANDOM))


@WHOLE.parametrize()
@settings(CHECKED, max_examples=25)
def test_every_operation_answers_as_described(case: schemathesis.Case[Any], one_process: System, known: dict[str, list[str]]) -> None:
    role = next(role for role in ASKING if case.operation.definition.raw["x-permission"] in ROLES[role])
    ask(case, one_process, role, known)


@pytest.mark.parametrize("role", ASKING)
@BRIEF.parametrize()
@settings(CHECKED, max_examples=4)
def test_whoever_asks(case: schemathesis.Case[Any], role: str, one_process: System, known: dict[str, list[str]]) -> None:
    ask(case, one_process, role, known)


async def test_nothing_was_left_half_done(one_process: System) -> None:
    data = one_process.data
    process = await launch(data.with_name("verify"), "verify", "--data", str(data))
    assert await process.wait() == 0, log_of(data.with_name("verify")).read_text()


@pytest.fixture(scope="session")
def known(one_process: System) -> dict[str, list[str]]:
    """Real ids, by the names that parameters and fields give them."""
    with httpx.Client(base_url=one_process.address_of("/api"), trust_env=False) as client:

        def get(path: str, **query: Any) -> Any:
            return ok(client.get(path, params=query, headers={"Authorization": f"Bearer {one_process.token('scheduler')}"}))

        services = get("/api/v1/services")["items"]
        visits = [visit["id"] for service in services for visit in service["visit_types"]]
        people = [staff["practitioner"]["id"] for staff in get("/api/v1/practitioners")["items"]]
        patients = [str(one_process.patient_id)]
        mine = [one["id"] for one in get("/api/v1/appointments", patient_id=patients[0])["items"]]
        sites = [site["id"] for site in get("/api/v1/sites")["items"]]
    return {
        "visit_type_id": visits, "service_id": [service["service"]["id"] for service in services], "practitioner_id": people,
        "schedule_id": people, "site_id": sites, "patient_id": patients, "appointment_id": mine, "hold_id": mine,
    }  # fmt: skip


def ask(case: schemathesis.Case[Any], system: System, role: str, known: dict[str, list[str]]) -> None:
    case.path_parameters, case.query, case.body = (made_real(part, known) for part in (case.path_parameters, case.query, case.body))
    case.call_and_validate(base_url=system.address_of(case.path), headers={"Authorization": f"Bearer {system.token(role)}"})


def made_real(part: Any, known: dict[str, list[str]], name: str = "") -> Any:
    """The same with half of its ids replaced by real ones of their kind, and half of its instants by some of the next days."""
    if isinstance(part, dict):
        return type(part)({key: made_real(value, known, key) for key, value in part.items()})
    if isinstance(part, list):
        return [made_real(value, known, name) for value in part]
    if not isinstance(part, str) or (chance := crc32(part.encode(errors="replace"))) % 2:
        return part
    if name in known and ID.fullmatch(part):
        return known[name][chance % len(known[name])]
    if name in DAYS_AHEAD and INSTANT.match(part):
        on = datetime.now(UTC).replace(hour=14 + chance % 7, minute=0, second=0, microsecond=0)
        return (on + timedelta(days=DAYS_AHEAD[name] + chance % 3)).isoformat()
    return part
