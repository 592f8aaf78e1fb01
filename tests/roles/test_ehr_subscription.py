"""A process per role: the EHR reaches the process of EHR connections, and what it changed is booked and cancelled by the others."""

import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from carewright.mock.ehr.made_up import MRN, NPI
from tests.at_work import said
from tests.clinic import Clinic, ok, open_clinic
from tests.made_up_ehr import made_up_ehr
from tests.store.test_ehr_push import told
from tests.system import TINY, System, own_folder, started

NUMBER = "9000000000"


@pytest.fixture(scope="module")
async def split() -> AsyncIterator[tuple[System, int]]:
    """The system, and the port at which an EHR may be asked."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    with own_folder() as folder:
        allowed = {"CAREWRIGHT_EDGE_OUTGOING_ORIGINS": f"http://127.0.0.1:{port}", "CAREWRIGHT_EHR_PULL_MINUTES": "0"}
        async with started(folder / "data", *TINY, "--split", environ=allowed) as running:
            yield running, port


async def test_an_ehr_wakes_the_process_that_serves_it(split: tuple[System, int]) -> None:
    system, port = split
    clinic = await same_as_theirs(system)
    async with made_up_ehr("--profile", "r4", port=port) as base, httpx.AsyncClient(trust_env=False) as http:
        await ehr(system, "add", "main", "--profile", "r4", "--base", base, "--client-id", "carewright", "--patients-system", MRN)
        for code in ("11", "12"):
            await ehr(system, "map", "main", code, clinic.visit_type_id)
        await ehr(system, "pull", "main", port=port)
        place = f"/api/v1/ehr/connections/{(await connection(system))['id']}"
        ok(await system.request("administrator", "PUT", f"{place}/mode", json={"mode": "subscription"}))
        await until_active(system)
        (one,) = (await http.get(f"{base}/Subscription")).json()["entry"]
        assert one["resource"]["channel"]["endpoint"].startswith(f"{system.addresses['ehr']}/ehr-hooks/")
        theirs = await an_appointment(http, base)
        await cancel(http, base, theirs)
        await until_cancelled(system, clinic)
        assert "active since" in await ehr(system, "list")
        assert "stopped;" in await ehr(system, "stop", "main", port=port)
        assert (await http.get(f"{base}/Subscription")).json()["entry"] == []
        assert "stopped" in await ehr(system, "list")
        assert "resumed;" in await ehr(system, "resume", "main", port=port)


async def same_as_theirs(system: System) -> Clinic:
    clinic = await open_clinic(system)
    practitioner = {"id": clinic.practitioner_id, "kind": "practitioner", "family": "Testmann", "given": ["Petra"], "languages": ["de"]}
    site = {"id": clinic.site_id, "kind": "site", "name": "Test Clinic", "site_id": clinic.site_id, "time_zone": "Europe/Berlin"}
    resources = {
        "practitioners": [practitioner | {"identifiers": [{"system": NPI, "value": NUMBER}]}],
        "locations": [site | {"identifiers": [{"system": "urn:oid:2.999.1.2", "value": "NORTH-CLINIC"}]}],
    }
    ok(await system.request("administrator", "PUT", "/api/v1/directory", json=resources))
    return clinic


async def connection(system: System) -> Any:
    (found,) = ok(await system.request("administrator", "GET", "/api/v1/ehr/connections"))["items"]
    return found


async def until_active(system: System) -> None:
    async def is_active() -> bool:
        return ((await connection(system))["subscription"] or {}).get("status") == "active"

    await told(is_active)


async def an_appointment(http: httpx.AsyncClient, base: str) -> Any:
    """One of theirs with the practitioner who is ours, that is booked."""
    (known,) = (await http.get(f"{base}/Practitioner", params={"identifier": f"{NPI}|{NUMBER}"})).json()["entry"]
    query = {"practitioner": known["resource"]["id"], "status": "booked", "date": "ge2026-01-01", "_count": "200"}
    return (await http.get(f"{base}/Appointment", params=query)).json()["entry"][-1]["resource"]


async def cancel(http: httpx.AsyncClient, base: str, appointment: Any) -> None:
    place = f"{base}/Appointment/{appointment['id']}"
    headers = {"Content-Type": "application/json-patch+json", "If-Match": (await http.get(place)).headers["ETag"]}
    body = msgspec.json.encode([{"op": "replace", "path": "/status", "value": "cancelled"}])
    assert (await http.patch(place, content=body, headers=headers)).status_code == 200


async def until_cancelled(system: System, clinic: Clinic) -> None:
    """It is cancelled here, too."""
    query = {"actor": f"Practitioner/{clinic.practitioner_id}", "status": "cancelled"}

    async def is_cancelled() -> bool:
        return bool(ok(await system.request("front-desk", "GET", "/fhir/R4/Appointment", params=query))["total"])

    await told(is_cancelled)


async def ehr(system: System, *arguments: str, port: int = 0) -> str:
    """What `carewright ehr` prints beside the running system; `port` is where the EHR may be asked."""
    return await said(system, "ehr", *arguments, environ={"CAREWRIGHT_EDGE_OUTGOING_ORIGINS": f"http://127.0.0.1:{port}"} if port else {})
