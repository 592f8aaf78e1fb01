"""A process that dies is started again; the others go on, and nothing is lost."""

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest

from carewright.roles.registry import MODULES
from tests.clinic import Clinic, ok, register
from tests.contracts import openapi
from tests.system import System, descendants


async def test_a_role_that_dies_comes_back_while_the_others_serve(clinic: Clinic) -> None:
    system = clinic.system
    name = next(name for name, address in system.addresses.items() if address == system.address_of("/api/v1/appointments"))
    first, second = (await clinic.free())[:2]
    booked = ok(await clinic.book(await register(system), first), 201)
    session = await system.session(system.patient_id) if len(system.addresses) > 1 else None
    before = process_of(system, name)
    os.kill(before, signal.SIGKILL)
    with pytest.raises(httpx.TransportError):
        await system.client.get(f"{system.addresses[name]}/live")
    for other in system.addresses.keys() - {name}:
        assert ok(await system.client.get(f"{system.addresses[other]}/ready"))["ready"]
    if session is not None:
        assert ok(await system.request("patient", "GET", "/api/v1/services"))["items"]
        await the_pages_ask_for_patience(clinic, session)
    await until_ready(system, name)
    assert process_of(system, name) != before
    assert await clinic.appointment(booked["id"]) == booked
    assert second in await clinic.free()
    assert first not in await clinic.free()
    ok(await clinic.book(await register(system), second), 201)


async def test_every_process_says_what_it_serves_and_describes_the_whole_api(system: System) -> None:
    served: list[str] = []
    for name, address in system.addresses.items():
        roles = ok(await system.client.get(f"{address}/roles"))
        assert name in ("all", *roles)
        served += roles
        described = ok(await system.client.get(f"{address}/api/openapi.json"))
        assert described["paths"].keys() == openapi.current()["paths"].keys()
        assert "/api/v1/appointments" in (await system.client.get(f"{address}/api/docs")).text
        assert ok(await system.client.get(f"{address}/live")) == {"live": True}
        assert "carewright_http_requests_total" in (await system.client.get(f"{address}/metrics")).text
    assert sorted(served) == sorted(module.name for module in MODULES)


async def the_pages_ask_for_patience(clinic: Clinic, session: str) -> None:
    """A page that needs the missing part says so kindly, and is no fault."""
    cookie = {"Cookie": f"carewright_session={session}"}
    path = f"/visits/{clinic.visit_type_id}/times"
    page = await clinic.system.client.get(clinic.system.address_of(path) + path, headers=cookie)
    assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")


def process_of(system: System, name: str) -> int:
    """The process that runs a role."""
    words = f"\0--roles\0{name}\0".encode()
    return next(pid for pid in descendants(system.process.pid) if words in Path(f"/proc/{pid}/cmdline").read_bytes())


async def until_ready(system: System, name: str) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                if (await system.client.get(f"{system.addresses[name]}/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
